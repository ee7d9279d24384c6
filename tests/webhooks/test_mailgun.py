"""Mailgun's events: the signature is about a time and a random word, and good for one call."""

import json
import secrets
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from newsletter import clock
from newsletter.config import Settings
from newsletter.sending.reports import Report, ReportKind
from newsletter.webhooks import mailgun
from newsletter.webhooks.call import Call, Forged
from tests.webhooks import openssl
from tests.webhooks.conftest import MAILGUN_KEY, altered, heard


def event(token: str, **given: object) -> dict[str, object]:
    return {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1795600000.42,
        "log-level": "error",
        "recipient": "ada@example.com",
        "recipient-domain": "example.com",
        "user-variables": {"newsletter_token": token},
        "envelope": {"sender": "ken@letters.example.org", "transport": "smtp", "targets": "ada@example.com"},
        "message": {"headers": {"message-id": "m1.0123@letters.example.org", "to": "ada@example.com"}, "size": 111},
        "delivery-status": {
            "attempt-no": 1,
            "code": 550,
            "message": "5.1.1 The email account that you tried to reach does not exist.",
            "description": "",
            "session-seconds": 0.43,
        },
        "flags": {"is-routed": False, "is-authenticated": True, "is-system-test": False, "is-test-mode": False},
        **given,
    }


def signature(*, key: str = MAILGUN_KEY, sent_at: str = "", once: str = "") -> dict[str, str]:
    sent_at = sent_at or str(int(clock.now().timestamp()))
    once = once or secrets.token_hex(25)
    made = openssl.hmac_sha256(key.encode(), (sent_at + once).encode()).hex()
    return {"timestamp": sent_at, "token": once, "signature": made}


def document(told: object, **given: object) -> bytes:
    return json.dumps({"signature": signature(), "event-data": told, **given}).encode()


def read(told: object, hooks: Settings) -> list[Report]:
    return mailgun.reports(Call(body=document(told), headers=Headers()), hooks)


@pytest.fixture(autouse=True)
def _with_database(app: object) -> None: ...


def test_a_bounce_is_recorded_once_although_mailgun_signs_a_repetition_anew(
    client: FlaskClient, hooks: Settings, token: str
) -> None:
    first = client.post("/webhooks/mailgun", data=document(event(token)))
    again = client.post("/webhooks/mailgun", data=document(event(token)))

    assert (first.status_code, again.status_code) == (200, 200)
    assert heard("mailgun") == ["G9Bn5sl1TC6nu79C8C0bwg"]


def test_a_signature_that_was_seen_carries_no_other_event(client: FlaskClient, hooks: Settings, token: str) -> None:
    seen = signature()
    client.post("/webhooks/mailgun", data=document(event(token), signature=seen))

    answer = client.post(
        "/webhooks/mailgun", data=document(event(token, event="complained", id="forged"), signature=seen)
    )

    assert answer.status_code == 200  # as to a repetition, which Mailgun should not send a third time
    assert heard("mailgun") == ["G9Bn5sl1TC6nu79C8C0bwg"]


def test_a_call_that_could_not_be_committed_is_taken_when_it_comes_again(
    client: FlaskClient, hooks: Settings, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = document(event(token))
    with monkeypatch.context() as broken:
        broken.setattr("newsletter.webhooks.door.db.session.commit", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            client.post("/webhooks/mailgun", data=body)
    assert heard("mailgun") == []

    client.post("/webhooks/mailgun", data=body)

    assert heard("mailgun") == ["G9Bn5sl1TC6nu79C8C0bwg"]


def test_no_byte_of_the_signed_part_or_of_the_signature_can_be_changed(hooks: Settings) -> None:
    good = signature()
    for part in ("timestamp", "token", "signature"):
        for value in altered(good[part].encode()):
            body = document(event("a"), signature={**good, part: value.decode()})
            with pytest.raises(Forged):
                mailgun.reports(Call(body=body, headers=Headers()), hooks)
    assert mailgun.reports(Call(body=document(event("a"), signature=good), headers=Headers()), hooks)


def test_time_and_word_cannot_be_cut_elsewhere(hooks: Settings) -> None:
    good = signature(once="7" * 50)
    moved = {**good, "timestamp": good["timestamp"] + "7", "token": "7" * 49}

    with pytest.raises(Forged):
        mailgun.reports(Call(body=document(event("a"), signature=moved), headers=Headers()), hooks)


@pytest.mark.parametrize(
    "made",
    [None, "x", [], {}, {"timestamp": "1"}, {"timestamp": "", "token": "", "signature": ""}, signature(key="another")],
)
def test_a_call_without_our_accounts_signature_is_forged(client: FlaskClient, hooks: Settings, made: Any) -> None:
    assert client.post("/webhooks/mailgun", data=document(event("a"), signature=made)).status_code == 403


def test_an_event_of_a_subaccount_is_believed_by_the_signature_of_the_account_above(hooks: Settings) -> None:
    body = document(event("a"), **{"signature": signature(key="the subaccount's"), "parent-signature": signature()})

    assert mailgun.reports(Call(body=body, headers=Headers()), hooks)


@pytest.mark.parametrize(("hours", "status"), [(-13, 403), (-9, 200), (0, 200), (1, 403)])
def test_mailguns_late_repetitions_are_taken_and_old_calls_are_not(
    client: FlaskClient, hooks: Settings, hours: int, status: int
) -> None:
    made = signature(sent_at=str(int((clock.now() + timedelta(hours=hours)).timestamp())))

    assert client.post("/webhooks/mailgun", data=document(event("a"), signature=made)).status_code == status


@pytest.mark.parametrize("body", [b"\xff", b"[", b"token=a&timestamp=1&signature=b", b"[" * 100_000])
def test_what_is_not_json_cannot_be_read(client: FlaskClient, hooks: Settings, body: bytes) -> None:
    assert client.post("/webhooks/mailgun", data=body).status_code == 400


@pytest.mark.parametrize("told", [None, [], {}, "failed"])
def test_a_signature_without_an_event_cannot_be_read(client: FlaskClient, hooks: Settings, told: object) -> None:
    assert client.post("/webhooks/mailgun", data=document(told)).status_code == 400


@pytest.mark.parametrize(
    ("given", "kind", "status"),
    [
        ({}, ReportKind.BOUNCED, "5.1.1"),
        ({"event": "accepted", "delivery-status": {}}, ReportKind.ACCEPTED, ""),
        ({"event": "delivered", "delivery-status": {"code": 250, "message": "OK"}}, ReportKind.DELIVERED, ""),
        ({"event": "complained", "delivery-status": {}}, ReportKind.COMPLAINED, ""),
        (
            {"severity": "temporary", "delivery-status": {"code": 452, "message": "4.2.2 over quota"}},
            ReportKind.DELAYED,
            "4.2.2",
        ),
        (
            {"reason": "old", "delivery-status": {"code": 421, "message": "4.7.0 rate limited"}},
            ReportKind.BOUNCED,
            "4.7.0",
        ),
        (
            {"reason": "suppress-bounce", "delivery-status": {"code": 605, "description": "Previously bounced"}},
            ReportKind.BOUNCED,
            "",
        ),
        (
            {"delivery-status": {"code": 550, "enhanced-code": "5.7.26", "message": "unauthenticated"}},
            ReportKind.BOUNCED,
            "5.7.26",
        ),
        ({"event": "rejected", "reject": {"reason": "Sandbox"}, "delivery-status": {}}, ReportKind.BOUNCED, "5.7.0"),
    ],
)
def test_each_event_is_told_with_the_servers_own_code(
    hooks: Settings, given: dict[str, object], kind: ReportKind, status: str
) -> None:
    [told] = read(event("a", **given), hooks)

    assert (told.kind, told.status, told.token) == (kind, status, "a")


def test_the_return_path_names_the_message_where_no_variable_does(hooks: Settings, token: str) -> None:
    [told] = read(event("", envelope={"sender": f"b+{token}@bounces.example.org"}), hooks)

    assert told.token == token


@pytest.mark.parametrize("kind", ["opened", "clicked", "unsubscribed", "stored", "list_member_uploaded", "new", ""])
def test_what_is_not_about_arrival_is_ignored(hooks: Settings, kind: str) -> None:
    assert read(event("a", event=kind), hooks) == []
