"""What each provider is told, in its own language, and what its own words mean."""

import base64
import re
from contextlib import closing
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from tests.providers import CUT_AFTER, FakeMailgun, FakePostmark, FakeResend, FakeSes, Said
from tests.worker.transports.load import HTML, SIMPLE, TEXT, carry, letter, load_of, readers
from worker import transports
from worker.transports import Deferred, NoAnswer, Refused, Unavailable, provider
from worker.transports.http import Request
from worker.transports.sigv4 import Credentials, signed

KEPT = {  # what mail programs and receivers act on must leave our hands as it is
    "List-Unsubscribe": f"<https://letters.example.org/leave/{'a' * 90}>, <mailto:leave+abc@letters.example.org>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Id": letter().partition(b"List-Id: ")[2].partition(b"\r\nList-U")[0].decode().replace("\r\n", ""),
    "List-Archive": "<https://letters.example.org/archive>",
    "Message-ID": "<m7.1@letters.example.org>",
    "Feedback-ID": "7:weekly:1:letters",
    "Auto-Submitted": "auto-generated",
    "Precedence": "bulk",
}
SENDER = '"Ken, at “Slow Letters” — émigré" <ken@letters.example.org>'
SUBJECT = "Überraschung: ein sehr langer Betreff, der auf mehrere Zeilen gefaltet wird 👋 and then some more words"


@pytest.fixture(autouse=True)
def without_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "PAUSES", (0.01, 0.01))


def with_attachment() -> bytes:
    message = EmailMessage()
    message["From"] = "Ken <ken@letters.example.org>"
    message["Subject"] = "forwarded"
    message.set_content("see below\n")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="a.pdf")
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("not ours\n")
    message.add_attachment(inner)
    return message.as_bytes().replace(b"\n", b"\r\n")


# Amazon SES


def test_ses_gets_the_message_as_it_is() -> None:
    with FakeSes() as fake:
        carry(fake.url + "&configuration_set=news", "ada@example.com", content=letter())
    [(recipient, said)] = fake.accepted
    assert recipient == "ada@example.com"
    assert base64.b64decode(said["Content"]["Raw"]["Data"]) == letter()
    assert said["FromEmailAddress"] == "ken@letters.example.org"
    assert said["EmailTags"] == [{"Name": "token", "Value": "token0"}]
    assert said["ConfigurationSetName"] == "news"


def test_ses_can_verify_what_was_sent() -> None:
    with FakeSes() as fake:
        carry(fake.url, "ada@example.com")
    for seen in fake.requests:
        names = re.search("SignedHeaders=([^,]+)", seen.headers["authorization"])
        assert names
        of_theirs = {name: seen.headers[name] for name in names[1].split(";") if name not in {"host", "x-amz-date"}}
        moment = datetime.strptime(seen.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        again = signed(
            Request(seen.method, seen.path, of_theirs, seen.body),
            seen.headers["host"],
            Credentials("AKIDEXAMPLE", fake.key),
            "eu-west-1",
            "ses",
            moment,
        )
        assert again.headers["authorization"] == seen.headers["authorization"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ((403, "SignatureDoesNotMatch", "signature"), "secret in MAIL_URL"),
        ((403, "AccessDeniedException", "not authorized to perform ses:SendEmail"), "ses:SendEmail"),
        ((400, "MessageRejected", "Email address is not verified. x@y"), "verify the sender"),
        ((400, "AccountSuspendedException", "suspended"), "suspended"),
        ((400, "SendingPausedException", "paused"), "paused"),
        ((400, "MailFromDomainNotVerifiedException", "MAIL FROM"), "MAIL FROM"),
        ((429, "TooManyRequestsException", "Daily message quota exceeded."), "24 hours"),
        ((503, "ServiceUnavailable", "later"), "later"),
    ],
)
def test_ses_about_the_account_keeps_everybody_waiting(error: tuple[int, str, str], words: str) -> None:
    with FakeSes(refusals={"ada@example.com": error}) as fake:
        session = transports.open_session(fake.url, 3)
        load = load_of("ada@example.com")
        with pytest.raises(Unavailable, match=words):
            session.carry(load)
    assert load.back == ["ada@example.com"]


def test_ses_about_a_message_is_for_good_and_about_a_rate_is_not() -> None:
    with FakeSes(refusals={"ada@example.com": (400, "MessageRejected", "Virus found")}) as fake:
        fake.orders.append(Said(429, {"message": "Maximum sending rate exceeded."}, {"x-amzn-ErrorType": "Throttling"}))
        said = carry(fake.url, "ada@example.com").said
        assert said == {"ada@example.com": Refused("554 5.6.0 Amazon SES: Virus found")}


def test_ses_says_before_anything_is_sent_that_sending_is_paused() -> None:
    with (
        FakeSes(account=Said(200, {"SendingEnabled": False})) as fake,
        pytest.raises(Unavailable, match="paused"),
    ):
        transports.open_session(fake.url, 3)


def test_ses_lets_a_key_in_that_may_do_nothing_but_send() -> None:
    denied = Said(403, {"message": "no"}, {"x-amzn-ErrorType": "AccessDeniedException"})
    with FakeSes(account=denied) as fake:
        assert carry(fake.url, "ada@example.com").accepted


# Postmark


def test_postmark_gets_every_header_and_both_bodies() -> None:
    with FakePostmark() as fake:
        carry(fake.url, "ada@example.com", content=letter())
    [(_, said)] = fake.accepted
    assert said["From"] == SENDER
    assert said["Subject"] == SUBJECT
    assert said["ReplyTo"] == "reply@letters.example.org"
    assert said["TextBody"].replace("\r\n", "\n") == TEXT
    assert said["HtmlBody"].replace("\r\n", "\n") == HTML
    assert said["Metadata"] == {"token": "token0"}
    headers = {header["Name"]: header["Value"] for header in said["Headers"]}
    assert headers.items() >= (KEPT | {"X-PM-KeepID": "true"}).items()
    assert not headers.keys() & {"From", "To", "Subject", "Reply-To", "Content-Type", "MIME-Version", "Date"}
    assert (said["TrackOpens"], said["TrackLinks"]) == (False, "None")


def test_postmark_gets_mailings_and_notices_in_streams_of_their_own() -> None:
    with FakePostmark() as fake:
        carry(fake.url, "ada@example.com", content=letter())
        carry(fake.url, "ada@example.com", content=letter(one_click=False))
        carry(fake.url + "&stream=weekly&notices=signups", "ada@example.com", content=letter())
        carry(fake.url + "&stream=weekly&notices=signups", "ada@example.com", content=letter(one_click=False))
    assert [said["MessageStream"] for _, said in fake.accepted] == ["broadcast", "outbound", "weekly", "signups"]


def test_postmark_gets_batches_of_the_size_that_was_asked_for() -> None:
    with FakePostmark() as fake:
        carry(fake.url + "&batch=500", *readers(700))
        assert [len(request.json) for request in fake.requests if request.method == "POST"] == [500, 200]
        with pytest.raises(Unavailable, match="from 1 to 500"):
            transports.open_session(fake.url + "&batch=501", 3)


def test_postmark_answers_for_each_message_of_a_batch() -> None:
    with FakePostmark(
        refusals={
            "r1@example.com": (406, "inactive"),
            "r2@example.com": (300, "Invalid 'To' address: 'r2'."),
            "r3@example.com": (300, "Something else"),
            "r5@example.com": (412, "Your account is pending approval"),
        }
    ) as fake:
        load = load_of(*readers(7))
        with pytest.raises(Unavailable, match="waiting for approval"):
            transports.open_session(fake.url, 3).carry(load)
    assert load.accepted == ["r0@example.com", "r4@example.com", "r6@example.com"]
    assert load.said["r1@example.com"] == Refused("550 5.1.1 Postmark: inactive")
    assert load.said["r2@example.com"] == Refused("550 5.1.3 Postmark: Invalid 'To' address: 'r2'.")
    assert load.said["r3@example.com"] == Deferred("Postmark: 300 Something else")
    assert load.back == ["r5@example.com"]


@pytest.mark.parametrize("answer", [[], [{"ErrorCode": 0}], {"ErrorCode": 0}, "[", [None] * 3, [{}] * 3])
def test_postmark_must_answer_for_each_message_or_all_are_in_doubt(answer: object) -> None:
    with FakePostmark() as fake:
        fake.orders.append(Said(200, answer))
        load = load_of(*readers(3))
        session = transports.open_session(fake.url, 3)
        try:
            session.carry(load)
        except Unavailable:
            assert not session.is_open
        finally:
            session.close()
    assert load.is_settled
    assert load.in_doubt == readers(3)


def test_postmark_refuses_a_batch_for_one_message_and_the_others_leave() -> None:
    with FakePostmark() as fake:
        fake.orders.append(Said(422, {"ErrorCode": 403, "Message": "Incompatible JSON"}))
        fake.orders.extend([None, Said(422, {"ErrorCode": 403, "Message": "Incompatible JSON"})])
        fake.orders.extend([None, Said(422, {"ErrorCode": 403, "Message": "Incompatible JSON"})])
        load = carry(fake.url, *readers(4))
    assert load.accepted == ["r0@example.com", "r1@example.com", "r2@example.com"]
    assert load.said["r3@example.com"] == Deferred("Postmark: 403 Incompatible JSON")


def test_postmark_gets_attachments() -> None:
    with FakePostmark() as fake:
        carry(fake.url, "ada@example.com", content=with_attachment())
    [(_, said)] = fake.accepted
    assert said["TextBody"].strip() == "see below"
    assert said["HtmlBody"] == ""
    first, second = said["Attachments"]
    assert (first["Name"], base64.b64decode(first["Content"])) == ("a.pdf", b"%PDF-1.7")
    assert second["ContentType"] == "message/rfc822"
    assert b"not ours" in base64.b64decode(second["Content"])


# Mailgun


def test_mailgun_gets_the_message_as_it_is() -> None:
    with FakeMailgun() as fake:
        carry(fake.url, "ada@example.com", content=letter())
    [(recipient, form)] = fake.accepted
    assert recipient == "ada@example.com"
    assert form["message"] == letter()
    assert form["v:token"] == b"token0"
    assert form["o:tracking"] == b"no"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Said(404, {"message": "Domain not found"}), "region=eu"),
        (Said(403, {"message": "Domain is not allowed to send: unverified"}), "unverified"),
        (Said(402, {"message": "Payment required"}), "Payment required"),
    ],
)
def test_mailgun_about_the_account_keeps_everybody_waiting(answer: Said, words: str) -> None:
    with FakeMailgun() as fake:
        fake.orders.append(answer)
        load = load_of("ada@example.com")
        with pytest.raises(Unavailable, match=words):
            transports.open_session(fake.url, 3).carry(load)
    assert load.back == ["ada@example.com"]


def test_mailgun_is_asked_for_nothing_but_whether_the_key_may_send() -> None:
    with FakeMailgun() as fake:
        transports.open_session(fake.url, 3).close()
        assert [request.body for request in fake.requests] == [b"o:testmode=yes"]
        with pytest.raises(Unavailable, match="does not know other"):
            transports.open_session(fake.url.replace(fake.domain, "other.example.org"), 3)
    with pytest.raises(Unavailable, match="us or eu"):
        transports.open_session("mailgun://key@letters.example.org?region=mars", 3)


# Resend


def test_resend_gets_every_header_and_both_bodies() -> None:
    with FakeResend() as fake:
        carry(fake.url, "ada@example.com", content=letter())
    [(_, said)] = fake.accepted
    assert said["from"] == SENDER
    assert said["subject"] == SUBJECT
    assert said["reply_to"] == "reply@letters.example.org"
    assert said["text"].replace("\r\n", "\n") == TEXT
    assert said["html"].replace("\r\n", "\n") == HTML
    assert said["tags"] == [{"name": "token", "value": "token0"}]
    assert said["headers"].items() >= KEPT.items()


def test_resend_is_asked_again_with_the_same_key_when_the_answer_is_lost() -> None:
    with FakeResend() as fake:
        fake.orders.extend([CUT_AFTER, Said(500, "")])
        load = carry(fake.url, *readers(5))
        keys = [request.headers["idempotency-key"] for request in fake.requests if request.method == "POST"]
    assert load.accepted == readers(5)
    assert set(fake.copies.values()) == {1}
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_resend_knows_the_same_messages_again_in_another_process() -> None:
    """So that a message that is sent again by decision arrives once, if the first attempt had arrived."""
    with FakeResend() as fake:
        for _ in range(2):
            carry(fake.url, *readers(3))
        carry(fake.url, "other@example.com")
    assert set(fake.copies.values()) == {1}
    assert len(fake.keys) == 2


def test_resend_still_working_on_it_is_asked_again_and_then_in_doubt() -> None:
    busy = Said(409, {"name": "concurrent_idempotent_requests", "message": "in progress"})
    with FakeResend() as fake:
        fake.orders.extend([busy])
        assert carry(fake.url, "ada@example.com").accepted
        fake.orders.extend([busy] * 3)
        load = load_of("grace@example.com")
        with pytest.raises(Unavailable):
            transports.open_session(fake.url, 3).carry(load)
    assert isinstance(load.said["grace@example.com"], NoAnswer)


def test_a_no_after_a_lost_answer_does_not_take_the_doubt_away() -> None:
    with FakeResend() as fake:
        fake.orders.extend([CUT_AFTER, Said(429, {"name": "daily_quota_exceeded", "message": "quota"})])
        load = load_of(*readers(2))
        with pytest.raises(Unavailable, match="quota"):
            transports.open_session(fake.url, 3).carry(load)
    assert load.in_doubt == readers(2)


def test_a_fence_that_closes_after_a_lost_answer_leaves_the_doubt_and_asks_no_more() -> None:
    with FakeResend() as fake:
        fake.orders.extend([CUT_AFTER])
        load = load_of(*readers(2))
        calls: list[object] = []

        def closes(messages: object) -> None:
            calls.append(messages)
            if len(calls) > 1:
                raise LookupError

        load.fence = closes
        with pytest.raises(LookupError):
            transports.open_session(fake.url, 3).carry(load)
        assert len([request for request in fake.requests if request.method == "POST"]) == 1
    assert load.in_doubt == readers(2)


@pytest.mark.parametrize(
    ("status", "name", "words"),
    [
        (403, "validation_error", "does not let us send: The domain is not verified"),
        (422, "invalid_from_address", "sender"),
        (429, "daily_quota_exceeded", "today"),
        (429, "monthly_quota_exceeded", "month"),
    ],
)
def test_resend_about_the_account_keeps_everybody_waiting(status: int, name: str, words: str) -> None:
    with FakeResend() as fake:
        fake.orders.append(Said(status, {"name": name, "message": "The domain is not verified"}))
        load = load_of(*readers(3))
        with pytest.raises(Unavailable, match=words):
            transports.open_session(fake.url, 3).carry(load)
    assert sorted(load.back) == readers(3)


def test_resend_cannot_carry_attachments_and_the_others_leave() -> None:
    with FakeResend() as fake:
        load = load_of("ada@example.com", content=with_attachment())
        load.waiting += load_of("x@example.com", "grace@example.com").waiting[1:]
        with closing(transports.open_session(fake.url, 3)) as session:
            session.carry(load)
    assert isinstance(load.said["ada@example.com"], Refused)
    assert load.accepted == ["grace@example.com"]


# all


@pytest.mark.parametrize(
    "url",
    [
        "ses://key:with/slash@eu-west-1",
        "ses://key@eu-west-1",
        "postmark://",
        "mailgun://letters.example.org",
        "resend://",
        "resend://key%0Ahere@",
        "resend://key@?batch=many",
        "postmark://[broken",
    ],
)
def test_an_address_with_something_missing_is_said_plainly(url: str) -> None:
    with pytest.raises(Unavailable, match="MAIL_URL"):
        transports.open_session(url, 1)


def test_a_message_without_a_token_is_carried_as_well() -> None:
    for kind in (FakeSes, FakePostmark, FakeMailgun, FakeResend):
        with kind() as fake, closing(transports.open_session(fake.url, 3)) as session:
            load = load_of("ada@example.com", content=SIMPLE)
            load.waiting = [transports.Outgoing(1, "ken@letters.example.org", "ada@example.com", [SIMPLE], "")]
            session.carry(load)
            assert load.accepted
