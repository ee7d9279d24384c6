"""Postmark's events: no signature, but a password in the address."""

import base64
import json

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from newsletter.config import Settings
from newsletter.sending.reports import Report, ReportKind
from newsletter.webhooks import postmark
from newsletter.webhooks.call import Call
from tests.webhooks.conftest import PASSWORD, altered, heard


def event(token: str, **given: object) -> dict[str, object]:
    return {
        "RecordType": "Bounce",
        "MessageStream": "broadcast",
        "ID": 901542550,
        "Type": "HardBounce",
        "TypeCode": 1,
        "Name": "Hard bounce",
        "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed",
        "Metadata": {"newsletter_token": token},
        "ServerID": 23,
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": "ada@example.com",
        "From": "ken@letters.example.org",
        "BouncedAt": "2026-11-24T16:28:50.3963933-04:00",
        "DumpAvailable": True,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "On slow mail",
        **given,
    }


def basic(password: str, user: str = "postmark") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def read(told: object, hooks: Settings) -> list[Report]:
    return postmark.reports(Call(body=json.dumps(told).encode(), headers=Headers(), password=PASSWORD), hooks)


def test_a_bounce_is_recorded_once_however_often_it_is_told(client: FlaskClient, hooks: Settings, token: str) -> None:
    answers = [client.post("/webhooks/postmark", json=event(token), headers=basic(PASSWORD)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert heard("postmark") == ["Bounce/901542550"]


def test_all_that_happened_to_a_message_is_heard_in_any_order(client: FlaskClient, hooks: Settings, token: str) -> None:
    complaint = event(token, RecordType="SpamComplaint", Type="SpamComplaint", ID=901542551)
    delivery = {
        "RecordType": "Delivery",
        "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed",
        "Recipient": "ada@example.com",
        "DeliveredAt": "2026-11-24T13:28:10.2735393-04:00",
        "Details": "250 2.0.0 OK",
        "Metadata": {"newsletter_token": token},
    }

    for told in (complaint, delivery, event(token)):
        assert client.post("/webhooks/postmark", json=told, headers=basic(PASSWORD)).status_code == 200

    assert heard("postmark") == [
        "Bounce/901542550",
        "Delivery/2706ee8a-737c-4285-b032-ccd317af53ed",
        "SpamComplaint/901542551",
    ]


def test_any_user_name_will_do_and_no_other_password(client: FlaskClient, hooks: Settings) -> None:
    told = event("a", RecordType="Open")
    assert client.post("/webhooks/postmark", json=told, headers=basic(PASSWORD, "")).status_code == 200

    wrong = [other.decode("latin-1") for other in altered(PASSWORD.encode())]
    for password in ["", PASSWORD + "x", PASSWORD[:-1], "päßword", *wrong]:
        answer = client.post("/webhooks/postmark", json=told, headers=basic(password))
        assert (answer.status_code, answer.data) == (401, b"")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic"}, {"Authorization": "Basic !"}, {"Authorization": f"Bearer {PASSWORD}"}]
)
def test_who_does_not_sign_in_is_told_how(client: FlaskClient, hooks: Settings, headers: dict[str, str]) -> None:
    answer = client.post("/webhooks/postmark", json=event("a"), headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("given", "kind", "status"),
    [
        ({}, ReportKind.BOUNCED, "5.1.1"),
        ({"Type": "SoftBounce", "Details": "smtp;552 5.2.2 mailbox full"}, ReportKind.BOUNCED, "5.2.2"),
        ({"Type": "HardBounce", "Details": "smtp;550 5.7.1 Blocked"}, ReportKind.BOUNCED, "5.7.1"),
        ({"Type": "SpamNotification", "Details": ""}, ReportKind.BOUNCED, ""),
        ({"Type": "Transient", "Details": "smtp;451 4.7.1 later"}, ReportKind.DELAYED, "4.7.1"),
        ({"Type": "SpamComplaint"}, ReportKind.COMPLAINED, "5.1.1"),
        ({"RecordType": "SpamComplaint", "Details": ""}, ReportKind.COMPLAINED, ""),
        ({"RecordType": "Delivery", "Details": "250 2.0.0 OK"}, ReportKind.DELIVERED, "2.0.0"),
    ],
)
def test_each_event_is_told_with_the_servers_own_code(
    hooks: Settings, given: dict[str, object], kind: ReportKind, status: str
) -> None:
    [told] = read(event("a", **given), hooks)

    assert (told.kind, told.status, told.token, told.address) == (kind, status, "a", "ada@example.com")
    assert told.at
    assert told.at.isoformat() == "2026-11-24T20:28:50.396393+00:00"


@pytest.mark.parametrize("cause", ["AutoResponder", "ChallengeVerification", "AddressChange", "Unsubscribe"])
def test_an_answering_machine_is_no_bounce(hooks: Settings, cause: str) -> None:
    assert read(event("a", Type=cause), hooks) == []


@pytest.mark.parametrize("kind", ["Open", "Click", "SubscriptionChange", "Inbound", "New", ""])
def test_what_is_not_about_arrival_is_ignored(hooks: Settings, kind: str) -> None:
    assert read(event("a", RecordType=kind), hooks) == []


@pytest.mark.parametrize("body", [b"\xff", b"[]", b"", b"null", b'{"RecordType": "B\xfcunce"}'])
def test_what_is_no_event_cannot_be_read(client: FlaskClient, hooks: Settings, body: bytes) -> None:
    assert client.post("/webhooks/postmark", data=body, headers=basic(PASSWORD)).status_code == 400
