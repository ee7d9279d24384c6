"""What Amazon SES tells, by way of SNS."""

import json

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from newsletter.config import Settings
from newsletter.sending.reports import Report, ReportKind
from newsletter.webhooks import ses
from newsletter.webhooks.call import Call
from tests.webhooks.conftest import heard
from tests.webhooks.openssl import Signer
from tests.webhooks.sns_host import SnsHost
from tests.webhooks.sns_messages import CERTIFICATE, notification


def mail(token: str, **given: object) -> dict[str, object]:
    return {
        "timestamp": "2026-11-24T00:40:02.012Z",
        "source": "Ken <ken@letters.example.org>",
        "sourceArn": "arn:aws:ses:eu-central-1:123456789012:identity/letters.example.org",
        "sendingAccountId": "123456789012",
        "messageId": "0107018c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
        "destination": ["ada@example.com"],
        "headersTruncated": False,
        "headers": [{"name": "Message-ID", "value": "<m1.0123@letters.example.org>"}],
        "commonHeaders": {"messageId": "<m1.0123@letters.example.org>", "subject": "On slow mail"},
        "tags": {"ses:configuration-set": ["letters"], "newsletter_token": [token]},
        **given,
    }


def bounce(type_: str, sub_type: str, **recipient: str) -> dict[str, object]:
    return {
        "bounceType": type_,
        "bounceSubType": sub_type,
        "bouncedRecipients": [{"emailAddress": "ada@example.com", **recipient}],
        "timestamp": "2026-11-24T00:41:02.669Z",
        "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
        "reportingMTA": "dsn; a8-70.smtp-out.amazonses.com",
    }


def event(kind: str, name: str, part: object, token: str = "a", **given: object) -> dict[str, object]:
    return {"eventType": kind, "mail": mail(token, **given), name: part}


GONE = {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}


@pytest.fixture(autouse=True)
def _believed(hooks: Settings, sns_host: SnsHost, amazon_key: Signer) -> None:
    sns_host.answers[CERTIFICATE] = (200, amazon_key.pem)


@pytest.fixture
def read(hooks: Settings, amazon_key: Signer) -> "Reader":
    return Reader(hooks, amazon_key)


class Reader:
    def __init__(self, hooks: Settings, key: Signer) -> None:
        self.hooks, self.key = hooks, key

    def __call__(self, told: object) -> list[Report]:
        body = json.dumps(notification(told, self.key)).encode()
        return ses.reports(Call(body=body, headers=Headers()), self.hooks)


def test_a_bounce_is_recorded_once_however_often_it_is_told(
    client: FlaskClient, amazon_key: Signer, token: str
) -> None:
    body = json.dumps(
        notification(event("Bounce", "bounce", bounce("Permanent", "General", **GONE), token), amazon_key)
    )

    answers = [client.post("/webhooks/ses", data=body) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert heard("ses") == ["22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324/0"]


def test_a_complaint_may_come_before_the_delivery_that_it_is_about(
    client: FlaskClient, amazon_key: Signer, token: str
) -> None:
    complaint = event("Complaint", "complaint", {"complainedRecipients": [{"emailAddress": "ada@example.com"}]}, token)
    delivery = event("Delivery", "delivery", {"recipients": ["ada@example.com"], "smtpResponse": "250 ok"}, token)

    for number, told in enumerate((complaint, delivery)):
        message = notification(told, amazon_key, MessageId=f"message-{number}")
        assert client.post("/webhooks/ses", data=json.dumps(message)).status_code == 200

    assert heard("ses") == ["message-0/0", "message-1/0"]


@pytest.mark.parametrize(
    ("part", "status"),
    [
        (bounce("Permanent", "General", **GONE), "5.1.1"),
        # The label says that it will pass; the domain does not exist.
        (bounce("Transient", "General", status="5.4.4", diagnosticCode="smtp; 550 5.4.4 Invalid domain"), "5.4.4"),
        (bounce("Transient", "General", status="5.0.0", diagnosticCode="smtp; 550 5.4.4 Invalid domain"), "5.4.4"),
        (bounce("Transient", "General", diagnosticCode="smtp; 550 user unknown"), ""),
        # The label says that it is for good; it is about us.
        (bounce("Permanent", "General", status="5.7.1", diagnosticCode="smtp; 550 5.7.1 blocked"), "5.7.1"),
        (bounce("Permanent", "General", status="4.4.7", diagnosticCode="Message expired.<421 4.4.0 no DNS>"), "4.4.7"),
        (bounce("Transient", "MailboxFull"), "5.2.2"),
        (bounce("Transient", "ContentRejected"), "5.7.1"),
        (bounce("Permanent", "NoEmail"), "5.1.1"),
        (bounce("Permanent", "General"), "5.0.0"),
        (bounce("Undetermined", "Undetermined"), ""),
    ],
)
def test_a_bounce_is_told_by_the_servers_code_before_the_label(read: Reader, part: object, status: str) -> None:
    [told] = read(event("Bounce", "bounce", part))

    assert (told.kind, told.status) == (ReportKind.BOUNCED, status)
    assert (told.token, told.address, told.message_id) == ("a", "ada@example.com", "<m1.0123@letters.example.org>")
    assert told.words


def test_the_servers_words_are_passed_on(read: Reader) -> None:
    [told] = read(event("Bounce", "bounce", bounce("Transient", "General", diagnosticCode="smtp; 550 no such user")))

    assert told.words == "smtp; 550 no such user"


def test_an_answering_machine_is_no_bounce(read: Reader) -> None:
    assert read(event("Bounce", "bounce", bounce("Transient", "General"))) == []


def test_a_notice_of_delay_inside_a_bounce_is_a_delay(read: Reader) -> None:
    part = bounce("Transient", "General", action="delayed", status="4.4.1")

    [told] = read(event("Bounce", "bounce", part))

    assert (told.kind, told.status) == (ReportKind.DELAYED, "4.4.1")


@pytest.mark.parametrize(
    ("told", "kind", "status"),
    [
        (event("Send", "send", {}), ReportKind.ACCEPTED, ""),
        (
            event("Delivery", "delivery", {"recipients": ["ada@example.com"], "smtpResponse": "250 2.6.0 ok"}),
            ReportKind.DELIVERED,
            "2.6.0",
        ),
        (
            event(
                "DeliveryDelay",
                "deliveryDelay",
                {
                    "delayType": "MailboxFull",
                    "delayedRecipients": [{"emailAddress": "ada@example.com", "status": "4.2.2"}],
                },
            ),
            ReportKind.DELAYED,
            "4.2.2",
        ),
        (event("Reject", "reject", {"reason": "Bad content"}), ReportKind.BOUNCED, "5.7.0"),
        (
            event(
                "Complaint",
                "complaint",
                {"complaintFeedbackType": "abuse", "complainedRecipients": [{"emailAddress": "ada@example.com"}]},
            ),
            ReportKind.COMPLAINED,
            "",
        ),
        (event("Complaint", "complaint", {}), ReportKind.COMPLAINED, ""),
    ],
)
def test_each_event_is_known(read: Reader, told: object, kind: ReportKind, status: str) -> None:
    [report] = read(told)

    assert (report.kind, report.status, report.token, report.address) == (kind, status, "a", "ada@example.com")


@pytest.mark.parametrize("feedback", ["not-spam", "auth-failure", "virus"])
def test_the_opposite_of_a_complaint_and_what_machines_say_are_none(read: Reader, feedback: str) -> None:
    part = {"complaintFeedbackType": feedback, "complainedRecipients": [{"emailAddress": "ada@example.com"}]}

    assert read(event("Complaint", "complaint", part)) == []


def test_notifications_of_an_identity_are_known_by_the_return_path(read: Reader, token: str) -> None:
    told = {
        "notificationType": "Bounce",
        "bounce": bounce("Permanent", "General", **GONE),
        "mail": mail("", tags=None, source=f"b+{token}@bounces.example.org"),
    }

    [report] = read(told)

    assert report.token == token


@pytest.mark.parametrize("kind", ["Open", "Click", "Rendering Failure", "Subscription", "New", "", "bounce"])
def test_what_is_not_about_arrival_is_ignored(read: Reader, kind: str) -> None:
    assert read(event(kind, "open", {})) == []


def test_odd_shapes_are_read_as_far_as_they_go(read: Reader) -> None:
    parts: list[object] = [None, 7, "x", [], [[]], {"bouncedRecipients": 7}, {"bouncedRecipients": [7, None, {}]}]
    for odd in parts:
        for told in (event("Bounce", "bounce", odd), {"eventType": "Bounce", "bounce": odd, "mail": odd}):
            assert all(report.kind is ReportKind.BOUNCED for report in read(told))
    assert read(None) == read([]) == read("null") == read({"eventType": ["Bounce"]}) == []
