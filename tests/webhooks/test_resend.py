"""Resend's events, signed as Svix does."""

import base64
import json
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.datastructures import Headers

from newsletter import clock
from newsletter.config import Settings
from newsletter.sending.reports import Report, ReportKind
from newsletter.webhooks import resend
from newsletter.webhooks.call import Call, Forged, NotNow
from tests.webhooks import openssl
from tests.webhooks.conftest import RESEND_SECRET, altered, heard

# The vector of the Standard Webhooks specification; its secret is the one that all tests here use.
VECTOR = Headers(
    {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
)
VECTOR_BODY = b'{"test": 2432232314}'


def event(token: str, kind: str = "email.bounced", **data: object) -> dict[str, object]:
    return {
        "type": kind,
        "created_at": "2026-11-22T23:41:12.126Z",
        "data": {
            "created_at": "2026-11-22T23:41:11.894719+00:00",
            "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
            "from": "Ken <ken@letters.example.org>",
            "to": ["ada@example.com"],
            "subject": "On slow mail",
            "tags": {"newsletter_token": token},
            **data,
        },
    }


def bounce(type_: str, sub_type: str, message: str = "It came back.", **given: object) -> dict[str, object]:
    return {"type": type_, "subType": sub_type, "message": message, **given}


def signed(body: bytes, *, name: str = "msg_2W2D3qXLS5fOaPja1GDg7rF2CwB", sent_at: str = "") -> Headers:
    sent_at = sent_at or str(int(clock.now().timestamp()))
    key = base64.b64decode(RESEND_SECRET.removeprefix("whsec_"))
    made = base64.b64encode(openssl.hmac_sha256(key, f"{name}.{sent_at}.".encode() + body)).decode()
    return Headers({"svix-id": name, "svix-timestamp": sent_at, "svix-signature": f"v1,{made}"})


def read(told: dict[str, object], hooks: Settings) -> list[Report]:
    body = json.dumps(told).encode()
    return resend.reports(Call(body=body, headers=signed(body)), hooks)


def test_the_published_vector_is_believed(hooks: Settings) -> None:
    with time_machine.travel(1614265330 + 200):
        assert resend.reports(Call(body=VECTOR_BODY, headers=VECTOR), hooks) == []
    with time_machine.travel(1614265330 + 400), pytest.raises(Forged):
        resend.reports(Call(body=VECTOR_BODY, headers=VECTOR), hooks)


def test_a_bounce_is_recorded_once_however_often_it_is_told(client: FlaskClient, hooks: Settings, token: str) -> None:
    body = json.dumps(event(token, bounce=bounce("Permanent", "General"))).encode()

    answers = [client.post("/webhooks/resend", data=body, headers=signed(body)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert heard("resend") == ["msg_2W2D3qXLS5fOaPja1GDg7rF2CwB"]


def test_no_byte_of_name_time_body_or_signature_can_be_changed(hooks: Settings) -> None:
    body = json.dumps(event("a", "email.complained")).encode()
    good = signed(body)
    assert resend.reports(Call(body=body, headers=good), hooks)

    for other in altered(body):
        with pytest.raises(Forged):
            resend.reports(Call(body=other, headers=good), hooks)
    for name in ("svix-id", "svix-timestamp"):
        for value in altered(good[name].encode()):
            with pytest.raises(Forged):
                resend.reports(Call(body=body, headers=Headers({**good, name: value.decode()})), hooks)
    for raw in altered(base64.b64decode(good["svix-signature"][3:])):
        changed = Headers({**good, "svix-signature": "v1," + base64.b64encode(raw).decode()})
        with pytest.raises(Forged):
            resend.reports(Call(body=body, headers=changed), hooks)


def test_what_is_signed_cannot_be_cut_elsewhere(hooks: Settings) -> None:
    body = b'1.{"type":"email.complained","data":{}}'
    good = signed(body, name="msg")
    moved = Headers({**good, "svix-id": f"msg.{good['svix-timestamp']}", "svix-timestamp": "1"})

    with pytest.raises(Forged):
        resend.reports(Call(body=body[2:], headers=moved), hooks)


@pytest.mark.parametrize("lacking", ["svix-id", "svix-timestamp", "svix-signature"])
def test_a_call_that_lacks_a_part_of_the_proof_is_forged(client: FlaskClient, hooks: Settings, lacking: str) -> None:
    headers = signed(b"{}")
    del headers[lacking]

    assert client.post("/webhooks/resend", data=b"{}", headers=headers).status_code == 403


def test_while_the_secret_changes_one_of_several_signatures_is_enough(hooks: Settings) -> None:
    body = json.dumps(event("a", "email.complained")).encode()
    good = signed(body)
    several = f"v1a,{'A' * 86}== v1,{base64.b64encode(bytes(32)).decode()} {good['svix-signature']}"

    assert resend.reports(Call(body=body, headers=Headers({**good, "svix-signature": several})), hooks)


@pytest.mark.parametrize(("minutes", "status"), [(-6, 403), (-4, 200), (4, 200), (6, 403)])
def test_only_five_minutes_are_allowed(client: FlaskClient, hooks: Settings, minutes: int, status: int) -> None:
    body = json.dumps(event("a", "email.opened")).encode()
    sent_at = str(int((clock.now() + timedelta(minutes=minutes)).timestamp()))

    assert client.post("/webhooks/resend", data=body, headers=signed(body, sent_at=sent_at)).status_code == status


def test_a_wrong_setting_asks_resend_to_keep_its_events(hooks: Settings) -> None:
    for secret in ("whsec_", "whsec_no base64!"):
        wrong = hooks.model_copy(update={"resend_hook_secret": SecretStr(secret)})
        with pytest.raises(NotNow):
            resend.reports(Call(body=b"{}", headers=signed(b"{}")), wrong)


@pytest.mark.parametrize(
    ("kind", "data", "told", "status"),
    [
        ("email.sent", {}, ReportKind.ACCEPTED, ""),
        ("email.delivered", {}, ReportKind.DELIVERED, ""),
        ("email.delivery_delayed", {}, ReportKind.DELAYED, ""),
        ("email.complained", {}, ReportKind.COMPLAINED, ""),
        ("email.failed", {"failed": {"reason": "reached_daily_quota"}}, ReportKind.BOUNCED, "5.7.0"),
        ("email.suppressed", {"suppressed": {"message": "On the list."}}, ReportKind.BOUNCED, ""),
        ("email.bounced", {"bounce": bounce("Permanent", "General")}, ReportKind.BOUNCED, "5.0.0"),
        ("email.bounced", {"bounce": bounce("Permanent", "NoEmail")}, ReportKind.BOUNCED, "5.1.1"),
        ("email.bounced", {"bounce": bounce("Transient", "MailboxFull")}, ReportKind.BOUNCED, "5.2.2"),
        (
            "email.bounced",
            {"bounce": bounce("Transient", "General", diagnosticCode=["smtp; 550 5.4.4 Invalid domain"])},
            ReportKind.BOUNCED,
            "5.4.4",
        ),
        (
            "email.bounced",
            {"bounce": bounce("Permanent", "General", diagnosticCode="smtp; 550 5.7.1 Blocked")},
            ReportKind.BOUNCED,
            "5.7.1",
        ),
    ],
)
def test_each_event_is_told_by_the_servers_code_before_the_label(
    hooks: Settings, kind: str, data: dict[str, object], told: ReportKind, status: str
) -> None:
    [report] = read(event("a", kind, **data), hooks)

    assert (report.kind, report.status, report.token, report.address) == (told, status, "a", "ada@example.com")


def test_tags_may_come_as_the_list_in_which_they_were_given(hooks: Settings) -> None:
    tags = [{"name": "other", "value": "b"}, {"name": "newsletter_token", "value": "a"}]

    [report] = read(event("", "email.delivered", tags=tags), hooks)

    assert report.token == "a"


def test_what_may_be_an_answering_machine_is_no_bounce(hooks: Settings) -> None:
    assert read(event("a", bounce=bounce("Transient", "General")), hooks) == []


@pytest.mark.parametrize(
    "kind", ["email.opened", "email.clicked", "email.scheduled", "contact.created", "", "email.new"]
)
def test_what_is_not_about_arrival_is_ignored(hooks: Settings, kind: str) -> None:
    assert read(event("a", kind), hooks) == []


@pytest.mark.parametrize("body", [b"\xff", b"[]", b"", b'{"type": "\xff"}'])
def test_what_is_signed_and_no_event_cannot_be_read(client: FlaskClient, hooks: Settings, body: bytes) -> None:
    assert client.post("/webhooks/resend", data=body, headers=signed(body)).status_code == 400


def test_odd_shapes_are_read_as_far_as_they_go(hooks: Settings) -> None:
    odd: list[object] = [None, [], "x", 7, {"tags": 7, "to": {}, "bounce": "x"}, {"tags": [None, 7, {}]}]
    for data in odd:
        told = {"type": "email.delivered", "created_at": 1e300, "data": data}
        [report] = read(told, hooks)
        assert (report.token, report.address, report.at) == ("", "", None)
