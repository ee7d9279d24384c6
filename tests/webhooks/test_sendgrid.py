"""SendGrid's event webhook."""

import base64
import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db
from newsletter.sending.reports import Report, ReportKind
from newsletter.subscribers import return_path, suppression
from newsletter.webhooks import sendgrid
from newsletter.webhooks.call import Call, Forged, NotNow
from tests import factories
from tests.webhooks import openssl
from tests.webhooks.conftest import altered, heard
from tests.webhooks.openssl import Signer

TIME = "X-Twilio-Email-Event-Webhook-Timestamp"
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"

# The vector that SendGrid publishes with its own library.
VECTOR_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc"
    "6wEA3F+g=="
)
VECTOR_SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
VECTOR_TIME = "1600112502"
VECTOR_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)


def bounce(token: str, number: int = 1, **given: Any) -> dict[str, object]:
    return {
        "email": "ada@example.com",
        "event": "bounce",
        "ip": "192.0.2.17",
        "newsletter_token": token,
        "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
        "sg_event_id": f"Ym91bmNlLTA-{number:04}",
        "sg_message_id": "u9Gvi3mzT6iC2poAb58_qQ.filter0465p1mdw1.8054.5718271B40.0",
        "smtp-id": "<m1.0123456789abcdef0123456789abcdef@letters.example.org>",
        "status": "5.1.1",
        "timestamp": 1795600000,
        "tls": 1,
        "type": "bounce",
        **given,
    }


def signed(body: bytes, key: Signer, sent_at: str = "") -> Headers:
    sent_at = sent_at or str(int(clock.now().timestamp()))
    return Headers({TIME: sent_at, SIGNATURE: key.sign(sent_at.encode() + body), "Content-Type": "application/json"})


def read(events: list[dict[str, object]], key: Signer, hooks: Settings) -> list[Report]:
    body = json.dumps(events).encode()
    return sendgrid.reports(Call(body=body, headers=signed(body, key)), hooks)


def test_the_published_vector_is_believed_and_read(hooks: Settings) -> None:
    theirs = hooks.model_copy(update={"sendgrid_hook_key": VECTOR_KEY})
    headers = Headers({TIME: VECTOR_TIME, SIGNATURE: VECTOR_SIGNATURE})

    with time_machine.travel(int(VECTOR_TIME) + 60):
        [told] = sendgrid.reports(Call(body=VECTOR_BODY, headers=headers), theirs)

    assert (told.kind, told.words, told.address) == (ReportKind.BOUNCED, "Bounced Address", "hello@world.com")


def test_a_hundred_events_come_in_one_call_and_a_second_time_change_nothing(
    client: FlaskClient, hooks: Settings, sendgrid_key: Signer, token: str
) -> None:
    body = json.dumps([bounce(token, number) for number in range(100)]).encode()
    headers = signed(body, sendgrid_key)

    first = client.post("/webhooks/sendgrid", data=body, headers=headers)
    once = heard("sendgrid")
    again = client.post("/webhooks/sendgrid", data=body, headers=headers)

    assert (first.status_code, again.status_code) == (200, 200)
    assert len(once) == 100
    assert heard("sendgrid") == once


def test_batches_that_come_at_once_in_any_order_are_all_taken_in(
    app: Flask, hooks: Settings, sendgrid_key: Signer, token: str
) -> None:
    sent = return_path.read(token)
    assert sent
    assert sent.mailing_id
    readers = [factories.subscriber(f"reader{number}@example.com") for number in range(40)]
    tokens = [return_path.token(mailing_id=sent.mailing_id, subscriber_id=reader.id) for reader in readers]
    db.session.commit()

    def tell(batch: int) -> int:
        events = [bounce(made, batch * 100 + number) for number, made in enumerate(tokens)]
        events += [bounce("", batch * 100 + 50 + number, event="spamreport") for number in range(40)]  # not ours
        random.Random(batch).shuffle(events)
        body = json.dumps(events).encode()
        with app.app_context():
            return (
                app.test_client().post("/webhooks/sendgrid", data=body, headers=signed(body, sendgrid_key)).status_code
            )

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(tell, range(12))) == {200}

    assert len(heard("sendgrid")) == 12 * 40
    assert all(suppression.is_suppressed(f"reader{number}@example.com") for number in range(40))


def test_an_event_that_is_none_does_not_keep_the_others_out(
    client: FlaskClient, hooks: Settings, sendgrid_key: Signer, token: str
) -> None:
    odd: list[object] = [
        None,
        7,
        "bounce",
        [],
        {},
        {"event": ["bounce"]},
        {"event": "bounce", "timestamp": "never", "email": {}},
    ]
    body = json.dumps([*odd, bounce(token), {"event": "a new kind", "sg_event_id": "x"}]).encode()

    answer = client.post("/webhooks/sendgrid", data=body, headers=signed(body, sendgrid_key))

    assert answer.status_code == 200
    assert heard("sendgrid") == ["Ym91bmNlLTA-0001"]


def test_no_byte_of_time_body_or_signature_can_be_changed(hooks: Settings, sendgrid_key: Signer) -> None:
    body = json.dumps([bounce("a")]).encode()
    good = signed(body, sendgrid_key)
    assert sendgrid.reports(Call(body=body, headers=good), hooks)

    for other in altered(body, step=3):
        with pytest.raises(Forged):
            sendgrid.reports(Call(body=other, headers=good), hooks)
    for sent_at in altered(good[TIME].encode()):
        with pytest.raises(Forged):
            sendgrid.reports(Call(body=body, headers=Headers({**good, TIME: sent_at.decode()})), hooks)
    for raw in altered(base64.b64decode(good[SIGNATURE])):
        changed = Headers({TIME: good[TIME], SIGNATURE: base64.b64encode(raw).decode()})
        with pytest.raises(Forged):
            sendgrid.reports(Call(body=body, headers=changed), hooks)


@pytest.mark.parametrize("lacking", [TIME, SIGNATURE])
def test_a_call_without_time_or_signature_is_forged(
    client: FlaskClient, hooks: Settings, sendgrid_key: Signer, lacking: str
) -> None:
    headers = signed(b"[]", sendgrid_key)
    del headers[lacking]

    assert client.post("/webhooks/sendgrid", data=b"[]", headers=headers).status_code == 403


def test_the_key_of_another_account_is_not_believed(
    client: FlaskClient, hooks: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = openssl.p256(tmp_path_factory.mktemp("stranger"))

    assert client.post("/webhooks/sendgrid", data=b"[]", headers=signed(b"[]", stranger)).status_code == 403


@pytest.mark.parametrize(("shift", "status"), [(-27, 403), (-25, 200), (0, 200), (1, 403)])
def test_a_call_of_yesterday_is_a_repetition_and_an_older_one_is_not_taken(
    client: FlaskClient, hooks: Settings, sendgrid_key: Signer, shift: int, status: int
) -> None:
    sent_at = str(int((clock.now() + timedelta(hours=shift)).timestamp()))

    answer = client.post("/webhooks/sendgrid", data=b"[]", headers=signed(b"[]", sendgrid_key, sent_at))

    assert answer.status_code == status


@pytest.mark.parametrize("body", [b"\xff\xfe[", b"{}", b"", b"[" * 100_000, b'"x"', b"[1e999999999"])
def test_what_is_signed_and_no_list_of_events_cannot_be_read(
    client: FlaskClient, hooks: Settings, sendgrid_key: Signer, body: bytes
) -> None:
    answer = client.post("/webhooks/sendgrid", data=body, headers=signed(body, sendgrid_key))

    assert (answer.status_code, answer.data) == (400, b"")


@pytest.mark.parametrize(
    "setting", ["not base64!", "AAAA", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="]
)
def test_a_wrong_setting_asks_sendgrid_to_keep_its_events(hooks: Settings, sendgrid_key: Signer, setting: str) -> None:
    wrong = hooks.model_copy(update={"sendgrid_hook_key": setting})

    with pytest.raises(NotNow):
        sendgrid.reports(Call(body=b"[]", headers=signed(b"[]", sendgrid_key)), wrong)


def test_a_key_may_be_given_as_a_pem_file_has_it(hooks: Settings, sendgrid_key: Signer) -> None:
    lines = (
        "-----BEGIN PUBLIC KEY-----",
        sendgrid_key.public[:64],
        sendgrid_key.public[64:],
        "-----END PUBLIC KEY-----",
    )
    given = hooks.model_copy(update={"sendgrid_hook_key": "\n".join(lines)})

    assert sendgrid.reports(Call(body=b"[]", headers=signed(b"[]", sendgrid_key)), given) == []


@pytest.mark.parametrize(
    ("event", "kind", "status"),
    [
        ({"event": "processed", "status": None, "reason": None}, ReportKind.ACCEPTED, ""),
        (
            {"event": "delivered", "status": None, "reason": None, "response": "250 2.0.0 OK"},
            ReportKind.DELIVERED,
            "2.0.0",
        ),
        (
            {"event": "deferred", "status": None, "reason": None, "response": "452 4.2.2 full"},
            ReportKind.DELAYED,
            "4.2.2",
        ),
        ({"event": "spamreport", "status": None, "reason": None}, ReportKind.COMPLAINED, ""),
        ({"type": "blocked", "status": "5.0.0", "reason": "550 5.7.1 blocked"}, ReportKind.BOUNCED, "5.7.1"),
        ({"status": "", "reason": "550 no such user"}, ReportKind.BOUNCED, ""),
        ({"event": "dropped", "status": None, "reason": "Spam Content"}, ReportKind.BOUNCED, "5.7.0"),
        ({"event": "dropped", "status": None, "reason": "Bounced Address"}, ReportKind.BOUNCED, ""),
    ],
)
def test_each_event_is_told_with_the_servers_own_code(
    hooks: Settings, sendgrid_key: Signer, event: dict[str, Any], kind: ReportKind, status: str
) -> None:
    [told] = read([bounce("a", **event)], sendgrid_key, hooks)

    assert (told.kind, told.status, told.token) == (kind, status, "a")


@pytest.mark.parametrize(
    "kind", ["open", "click", "unsubscribe", "group_unsubscribe", "group_resubscribe", "account_status_change"]
)
def test_what_is_not_about_arrival_is_ignored(hooks: Settings, sendgrid_key: Signer, kind: str) -> None:
    assert read([bounce("a", event=kind)], sendgrid_key, hooks) == []
