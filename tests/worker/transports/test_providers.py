"""Faults that any provider may have, in each one's own words."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from newsletter.sending import back_off, severity
from newsletter.sending.models import BounceKind
from tests.certificates import self_signed
from tests.providers import CUT_AFTER, CUT_BEFORE, CUT_WITHIN, ENDLESS, GARBLED, SILENT, Provider, Said
from tests.worker.transports.load import StrictLoad, carry, load_of, readers
from tests.worker.transports.test_contract import PROVIDERS
from worker import transports
from worker.transports import Accepted, Deferred, Refused, Unavailable, http, provider

pytestmark = pytest.mark.slow

TAKEN_BUT_SILENT = [CUT_AFTER, CUT_WITHIN, SILENT, GARBLED, ENDLESS]


@pytest.fixture(params=list(PROVIDERS))
def fake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setattr(provider, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(http, "PATIENCE", 1.0)
    with PROVIDERS[request.param]() as provider_here:
        yield provider_here


def carry_in_vain(fake: Provider, *recipients: str, match: str = ".") -> StrictLoad:
    load = load_of(*recipients)
    session = transports.open_session(fake.url, 3)
    with pytest.raises(Unavailable, match=match):
        session.carry(load)
    assert load.is_settled
    assert not session.is_open
    return load


@pytest.mark.parametrize("fault", TAKEN_BUT_SILENT)
def test_a_request_without_a_usable_answer_is_in_doubt_unless_it_can_be_repeated(fake: Provider, fault: str) -> None:
    fake.orders.append(fault)
    if fake.url.startswith("resend"):
        load = carry(fake.url, "ada@example.com")
        assert load.accepted == ["ada@example.com"]
    else:
        load = carry_in_vain(fake, "ada@example.com", match="did not say")
        assert load.in_doubt == ["ada@example.com"]
    assert fake.copies["ada@example.com"] == 1


def test_500_says_nothing(fake: Provider) -> None:
    fake.orders.extend([Said(500, {"message": "oops"})] * 3)
    load = carry_in_vain(fake, "ada@example.com")
    assert load.in_doubt == ["ada@example.com"]


def test_a_503_by_nobody_in_particular_says_nothing_and_one_on_purpose_says_no(fake: Provider) -> None:
    fake.orders.extend([Said(503, "<html>")] * 3)
    assert carry_in_vain(fake, "ada@example.com").in_doubt == ["ada@example.com"]
    fake.orders.clear()
    fake.orders.append(Said(503, "", {"Retry-After": "3600"}))
    assert carry_in_vain(fake, "ada@example.com").back == ["ada@example.com"]


def test_a_short_wait_that_is_asked_for_is_waited(fake: Provider) -> None:
    fake.orders.append(Said(429, {"message": "slow down"}, {"Retry-After": "1"}))
    begun = time.monotonic()
    assert carry(fake.url, "ada@example.com").accepted == ["ada@example.com"]
    assert 1.0 <= time.monotonic() - begun < 4


def test_a_long_wait_is_left_to_the_engine_which_slows_down(fake: Provider) -> None:
    fake.orders.append(Said(429, {"message": "slow down"}, {"Retry-After": "600"}))
    load = load_of(*readers(3))
    with pytest.raises(Unavailable) as told:
        transports.open_session(fake.url, 3).carry(load)
    assert back_off.judge_greeting(str(told.value)) == back_off.SlowDown(back_off.RELAYS_OWN)
    assert load.is_settled
    assert load.back == load.asked
    assert fake.accepted == []


def test_a_fence_that_closes_during_the_wait_keeps_the_second_request_back(fake: Provider) -> None:
    fake.orders.append(Said(429, {"message": "slow down"}, {"Retry-After": "0"}))
    load = load_of("ada@example.com")
    calls = []

    def closes(messages: object) -> None:
        calls.append(messages)
        if len(calls) > 1:
            raise LookupError

    load.fence = closes
    session = transports.open_session(fake.url, 3)
    with pytest.raises(LookupError):
        session.carry(load)
    assert load.back == ["ada@example.com"]
    assert fake.accepted == []


def test_a_connection_that_breaks_while_we_write_may_be_tried_again(fake: Provider) -> None:
    content = b"From: Ken <ken@letters.example.org>\r\nSubject: x\r\n\r\n" + b"0123456789abcdef\r\n" * 400_000
    fake.orders.append(CUT_BEFORE)
    load = load_of("ada@example.com", content=content)
    with closing(transports.open_session(fake.url, 3)) as session:
        session.carry(load)
    assert load.accepted == ["ada@example.com"]
    assert fake.copies["ada@example.com"] == 1


def test_a_message_at_which_they_always_break_off_keeps_nobody_behind_it_waiting(fake: Provider) -> None:
    content = b"From: Ken <ken@letters.example.org>\r\nSubject: x\r\n\r\n" + b"0123456789abcdef\r\n" * 400_000
    fake.orders.extend([CUT_BEFORE] * 3)
    load = load_of("ada@example.com", "grace@example.com", content=content)
    session = transports.open_session(fake.url, 3)
    with pytest.raises(Unavailable, match="broke off"):
        session.carry(load)
    assert isinstance(load.said["ada@example.com"], Deferred)
    assert load.is_settled
    assert fake.accepted == []


def test_a_wrong_key_is_told_before_anything_is_sent(fake: Provider) -> None:
    with pytest.raises(Unavailable, match=r"key|token"):
        transports.open_session(fake.url.replace(fake.key, "other").replace("AKIDEXAMPLE", "AKIDOTHER"), 3)


def test_a_key_that_is_withdrawn_stops_everything_and_loses_nothing(fake: Provider) -> None:
    status, body = {
        "ses": (403, {"__type": "com.amazon#UnrecognizedClientException", "message": "invalid token"}),
        "postmark": (401, {"ErrorCode": 10, "Message": "bad token"}),
        "mailgun": (401, "Forbidden"),
        "resend": (403, {"name": "invalid_api_key", "message": "API key is invalid"}),
    }[fake.url.partition(":")[0]]
    fake.orders.append(Said(status, body))
    load = carry_in_vain(fake, *readers(3), match="MAIL_URL")
    assert load.back == load.asked


def test_no_words_of_ours_tell_the_key(fake: Provider) -> None:
    fake.orders.append(Said(403, {"message": "no"}))
    session = transports.open_session(fake.url, 3)
    with pytest.raises(Unavailable) as told:
        session.carry(load_of("ada@example.com"))
    assert fake.key not in str(told.value)


def test_a_redirect_is_not_followed(fake: Provider) -> None:
    fake.orders.append(Said(307, "", {"Location": fake.endpoint + "/elsewhere"}))
    load = carry_in_vain(fake, "ada@example.com")
    assert load.back == ["ada@example.com"]
    assert not any(request.path == "/elsewhere" for request in fake.requests)


def test_one_connection_is_kept_and_made_anew_when_they_hang_up(fake: Provider) -> None:
    with closing(transports.open_session(fake.url, 3)) as session:
        for number in range(3):
            session.carry(load_of(f"r{number}@example.com"))
    assert fake.connections == 1

    fake.requests_per_connection = 1
    with closing(transports.open_session(fake.url, 3)) as session:
        for number in range(3, 6):
            time.sleep(0.1)  # as long as it takes us to hear of it
            load = load_of(f"r{number}@example.com")
            session.carry(load)
            assert load.accepted
    assert fake.connections == 1 + 4
    assert set(fake.copies.values()) == {1}


def test_the_other_endpoint_must_be_on_this_machine(fake: Provider) -> None:
    with pytest.raises(Unavailable, match="this machine"):
        transports.open_session(fake.url.replace("127.0.0.1", "192.0.2.1"), 1)


def test_a_connection_is_no_good_without_a_certificate_that_can_be_verified(fake: Provider, tmp_path: Path) -> None:
    class Silent(BaseHTTPRequestHandler):
        pass

    server = HTTPServer(("127.0.0.1", 0), Silent)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed("127.0.0.1", tmp_path))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]  # the client hangs up: it shall
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        with pytest.raises(Unavailable, match="certificate"):
            transports.open_session(fake.url.replace(fake.endpoint, f"https://127.0.0.1:{server.server_port}"), 3)
    finally:
        server.shutdown()
        server.server_close()


def test_a_refusal_of_one_reader_does_not_disturb_the_others(fake: Provider) -> None:
    fake.refusals["r1@example.com"] = {
        "ses": (400, "BadRequestException", "Domain contains illegal character"),
        "postmark": (406, "You tried to send to a recipient that has been marked as inactive."),
        "mailgun": "'to' parameter is not a valid address. please check documentation",
        "resend": "Invalid `to` field. The email address needs to follow the `email@example.com` format.",
    }[fake.url.partition(":")[0]]
    load = carry(fake.url, *readers(4))
    assert load.accepted == ["r0@example.com", "r2@example.com", "r3@example.com"]
    refusal = load.said["r1@example.com"]
    assert isinstance(refusal, Refused)
    assert severity.of_reply(refusal.reply)[0] is BounceKind.HARD
    assert sorted(fake.copies) == load.accepted


def test_what_is_said_of_nobody_in_particular_is_tried_again_later(fake: Provider) -> None:
    fake.orders.append(Said(400, {"message": "something about the words", "Message": "something", "ErrorCode": 999}))
    answer = carry(fake.url, "ada@example.com").said["ada@example.com"]
    assert isinstance(answer, Deferred)
    assert answer.reply[0].isalpha()  # no mail server's reply: when its time is over, it is no bounce


def test_the_name_in_the_reply_is_theirs(fake: Provider) -> None:
    said = carry(fake.url, "ada@example.com").said["ada@example.com"]
    assert isinstance(said, Accepted)
    assert any(name in said.reply for name in ("ses-1", "pm-1", "<mg-1@letters.example.org>", "re-1"))
