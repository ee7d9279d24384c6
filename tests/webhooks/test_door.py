"""The door itself: who is let in, how much is taken, and what is said."""

import io
import json
from base64 import b64encode

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from newsletter.config import Settings
from newsletter.db import db
from newsletter.subscribers import return_path, suppression
from newsletter.webhooks.door import MOST_BYTES, PROVIDERS
from tests.webhooks import test_mailgun, test_postmark
from tests.webhooks.conftest import MAILGUN_KEY, PASSWORD, RESEND_SECRET, heard, use

SIGNED_IN = test_postmark.basic(PASSWORD)


@pytest.mark.parametrize("provider", [*PROVIDERS, "mandrill", "SES", "..", "%00"])
def test_a_provider_that_is_not_set_up_has_no_door(client: FlaskClient, provider: str) -> None:
    assert client.post(f"/webhooks/{provider}", data=b"{}").status_code == 404


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"Type": "Notification"}', bytes(range(256))])
def test_a_call_without_any_proof_changes_nothing_and_is_told_nothing(
    client: FlaskClient, hooks: Settings, provider: str, body: bytes
) -> None:
    answer = client.post(f"/webhooks/{provider}", data=body)

    assert answer.status_code in {400, 401, 403}
    assert answer.data == b""


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_post_is_taken(client: FlaskClient, hooks: Settings, provider: str, method: str) -> None:
    assert client.open(f"/webhooks/{provider}", method=method).status_code == 405


@pytest.mark.parametrize("provider", PROVIDERS)
def test_eight_megabytes_are_not_read(client: FlaskClient, hooks: Settings, provider: str) -> None:
    answer = client.post(f"/webhooks/{provider}", data=b"[" + b" " * (8 * 1024 * 1024 - 2) + b"]", headers=SIGNED_IN)

    assert (answer.status_code, answer.data) == (413, b"")


def test_a_body_of_unknown_length_is_not_read_to_its_end(client: FlaskClient, hooks: Settings) -> None:
    stream = io.BytesIO(b" " * (8 * 1024 * 1024))

    answer = client.post(
        "/webhooks/postmark",
        input_stream=stream,
        headers={**SIGNED_IN, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )

    assert answer.status_code == 413
    assert stream.tell() < MOST_BYTES + 1024 * 1024


def test_a_bounce_with_a_whole_message_in_it_is_taken(client: FlaskClient, hooks: Settings, token: str) -> None:
    told = test_postmark.event(token, Content="x" * 1_500_000)

    assert client.post("/webhooks/postmark", json=told, headers=SIGNED_IN).status_code == 200
    assert heard("postmark") == ["Bounce/901542550"]


def test_real_events_are_never_shut_out_by_a_flood_of_forged_ones(
    client: FlaskClient, hooks: Settings, token: str
) -> None:
    for number in range(300):
        wrong = test_postmark.basic(f"guess {number}")
        assert client.post("/webhooks/postmark", json={}, headers=wrong).status_code == 401

    assert client.post("/webhooks/postmark", json=test_postmark.event(token), headers=SIGNED_IN).status_code == 200
    assert heard("postmark") == ["Bounce/901542550"]


def test_no_form_token_or_cookie_is_asked_for(
    app: Flask, client: FlaskClient, hooks: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)

    answer = client.post("/webhooks/postmark", json=test_postmark.event("a", RecordType="Open"), headers=SIGNED_IN)

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_what_is_not_committed_is_not_taken_in(
    client: FlaskClient, hooks: Settings, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        with monkeypatch.context() as broken:
            broken.setattr(db.session, "commit", lambda: 1 / 0)
            answer = client.post("/webhooks/postmark", json=test_postmark.event(token), headers=SIGNED_IN)
        assert answer.status_code == 500
        assert heard("postmark") == []
    finally:
        client.application.config["PROPAGATE_EXCEPTIONS"] = None

    assert client.post("/webhooks/postmark", json=test_postmark.event(token), headers=SIGNED_IN).status_code == 200
    assert heard("postmark") == ["Bounce/901542550"]


def test_words_that_no_database_takes_do_not_keep_an_event_out(
    client: FlaskClient, hooks: Settings, token: str
) -> None:
    told = test_postmark.event(token, Details="smtp;550 5.1.1 \0 \ud800", Email="a\0da@example.com", ID="1\0\ud8002")

    assert client.post("/webhooks/postmark", data=json.dumps(told), headers=SIGNED_IN).status_code == 200
    assert heard("postmark") == ["Bounce/1?2"]


def test_an_event_about_no_message_of_ours_is_taken_and_changes_nothing(
    client: FlaskClient, hooks: Settings, token: str
) -> None:
    flipped = token[:-1] + ("a" if token[-1] != "a" else "b")
    for made_up in ("", "x", flipped, "ä" * 48, token * 2, "b" * 10_000):
        answer = client.post("/webhooks/postmark", json=test_postmark.event(made_up), headers=SIGNED_IN)
        assert answer.status_code == 200

    assert heard("postmark") == []


def test_logs_hold_no_address_token_or_secret(
    client: FlaskClient, settings: Settings, hooks: Settings, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with structlog.testing.capture_logs() as lines:
        client.post("/webhooks/postmark", json=test_postmark.event(token), headers=SIGNED_IN)
        client.post("/webhooks/postmark", json=test_postmark.event(token), headers=test_postmark.basic("a guess"))
        client.post("/webhooks/mailgun", data=test_mailgun.document(test_mailgun.event(token)))
        client.post("/webhooks/mailgun", data=test_mailgun.document({}, signature=test_mailgun.signature(key="x")))
        client.post("/webhooks/ses", data=b'{"TopicArn": "arn:secret"}')
        client.post("/webhooks/sendgrid", data=b"ada@example.com")
        use(monkeypatch, settings, resend_hook_secret=SecretStr("whsec_no base64!"))
        client.post("/webhooks/resend", data=b"{}")

    assert len(lines) == 7
    written = json.dumps(lines, default=str)
    secrets = (PASSWORD, "a guess", MAILGUN_KEY, RESEND_SECRET, "whsec", token, "ada@", "arn:secret")
    for secret in (*secrets, b64encode(f"postmark:{PASSWORD}".encode()).decode()):
        assert secret not in written


def test_a_hard_bounce_takes_the_reader_off_and_a_block_or_a_full_mailbox_does_not(
    client: FlaskClient, hooks: Settings, token: str
) -> None:
    sent = return_path.read(token)
    assert sent
    assert sent.subscriber_id

    def tell(**given: object) -> bool:
        answer = client.post("/webhooks/postmark", json=test_postmark.event(token, **given), headers=SIGNED_IN)
        assert answer.status_code == 200
        db.session.expire_all()
        return suppression.is_suppressed("ada@example.com")

    assert not tell(ID=1, Details="smtp;550 5.7.1 Our system has detected that this message is spam")
    assert not tell(ID=2, Details="smtp;552 5.2.2 The mailbox is full")
    assert tell(ID=3, Details="smtp;550 5.1.1 No such user")


def test_an_event_about_a_mailing_that_a_restored_database_does_not_know_is_dropped(
    client: FlaskClient, hooks: Settings, token: str
) -> None:
    for unknown in (
        return_path.token(mailing_id=999, subscriber_id=1),
        return_path.token(notice_id=999),
    ):
        told = test_postmark.event(unknown, ID=unknown)
        assert client.post("/webhooks/postmark", json=told, headers=SIGNED_IN).status_code == 200
