"""Mail that comes to us: read, believed as far as its token goes, passed on to a person, and never answered."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import clock, config
from newsletter.db import db
from newsletter.links import Purpose, sign
from newsletter.sending import inbound, replies, tally
from newsletter.sending.inbound import Taken
from newsletter.sending.models import Bounce, BounceKind, Outcome, Reply
from newsletter.sending.tally import What
from newsletter.subscribers import erasure, leaving
from newsletter.subscribers.models import Subscriber, SubscriberState
from tests import cast, returned_mail
from tests.doubles import JobQueue, Outbox, text_of
from tests.sending import mailings
from tests.sending.mailings import is_suppressed, message_id, outcome_of, return_address

pytestmark = pytest.mark.usefixtures("bounce_domain")


def take(raw: bytes, recipient: str = "") -> Taken:
    taken = inbound.take(raw, recipient)
    db.session.commit()
    return taken


def counted(what: What) -> int:
    return tally.since(what, clock.now() - timedelta(hours=2))


def kept() -> list[Reply]:
    return list(db.session.scalars(select(Reply).order_by(Reply.id)))


def test_a_bounce_to_its_return_path_takes_the_reader_off(app: Flask) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = mailings.sent()
    came_back = returned_mail.dsn(about="somebody.else@example.com")

    assert take(came_back, return_address(mailing, ada)) is Taken.DONE

    assert is_suppressed(ada)
    assert not is_suppressed(grace)
    bounce = db.session.scalars(select(Bounce)).one()
    assert (bounce.kind, bounce.status, bounce.source) == (BounceKind.HARD, "5.1.1", "mail")
    assert "no such user" in bounce.words


def test_without_an_envelope_the_headers_or_the_returned_message_show_the_token(app: Flask) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = mailings.sent()
    complaint = returned_mail.complaint("fbl@letters.example.org").replace(
        b"Subject: On slow mail\r\n\r\nHello",
        f"Return-Path: <{return_address(mailing, grace)}>\r\n\r\nHello".encode(),
    )

    assert take(returned_mail.dsn(return_address(mailing, ada))) is Taken.DONE
    assert take(complaint) is Taken.DONE

    assert is_suppressed(ada)
    assert is_suppressed(grace)


def test_a_bounce_to_the_senders_mailbox_is_known_by_message_id_and_address(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent()

    assert take(returned_mail.dsn(message_id=message_id(mailing, ada))) is Taken.DONE

    assert is_suppressed(ada)


def test_the_bounce_of_another_persons_mail_is_none_of_our_business(app: Flask) -> None:
    ada = cast.ada()
    mailings.sent()

    assert take(returned_mail.dsn(message_id="abc@mail.example.com")) is Taken.NOT_OURS
    assert take(returned_mail.dsn()) is Taken.NOT_OURS

    assert not is_suppressed(ada)
    assert counted(What.NOT_OURS) == 2


def test_a_delayed_message_takes_nobody_off_and_settles_a_doubt(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent((Outcome.UNCONFIRMED, "no answer"))
    delayed = returned_mail.dsn(action="delayed", status="4.4.1", words="451 4.4.1 timed out")

    assert take(delayed, return_address(mailing, ada)) is Taken.DONE

    assert outcome_of(mailing, ada) is Outcome.ACCEPTED
    assert not db.session.scalars(select(Bounce)).all()


def test_one_message_by_two_ways_counts_once(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()
    answer = returned_mail.letter(return_address(mailing, ada), "Thank you.")

    assert take(answer, return_address(mailing, ada)) is Taken.DONE
    assert take(b"Received: from elsewhere\r\n" + answer) is Taken.DONE
    jobs_queue.run()

    assert len(kept()) == 1
    assert len(outbox) == 1


def test_what_a_person_answers_is_passed_on_and_kept_with_the_mailing(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()
    words = "Dear Ken,\n\nI read it __UNSUBSCRIBE_URL__ twice.\n\nAda\n\n> Hello Ada\n"

    take(returned_mail.letter("ken@letters.example.org", words, In_Reply_To=f"<{message_id(mailing, ada)}>"))
    jobs_queue.run()

    (reply,) = kept()
    assert (reply.mailing_id, reply.subscriber_id, reply.sender) == (mailing.id, ada.id, "ada@example.com")
    assert "twice" in reply.words
    (passed_on,) = outbox.to("ken@letters.example.org")
    assert passed_on["Reply-To"] == "ada@example.com"
    assert passed_on["From"].addresses[0].addr_spec == "ken@letters.example.org"
    assert passed_on["Auto-Submitted"] == "auto-generated"
    assert passed_on["Subject"] == "ada@example.com wrote: Re: On slow mail"
    assert "I read it __UNSUBSCRIBE_URL__ twice." in text_of(passed_on)
    assert "On slow mail" in text_of(passed_on)


def test_the_author_may_have_another_address_for_answers(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    ada.newsletters[0].reply_to = "desk@example.net"
    db.session.commit()
    jobs_queue.waiting.clear()

    take(returned_mail.letter("", "Hello."), return_address(mailing, ada))
    jobs_queue.run()

    assert outbox.addresses == ["desk@example.net"]


def test_an_answer_from_another_address_is_kept_without_a_reader(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()
    answer = returned_mail.letter(
        "ken@letters.example.org", "Hi.", sender="ada@work.example", In_Reply_To=f"<{message_id(mailing, ada)}>"
    )

    assert take(answer) is Taken.DONE

    assert [(reply.mailing_id, reply.subscriber_id) for reply in kept()] == [(mailing.id, None)]


def test_a_strangers_mail_is_left_alone(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada = cast.ada()
    mailings.sent()
    jobs_queue.waiting.clear()

    for sender in (ada.email or "", "stranger@example.com"):
        assert take(returned_mail.letter("ken@letters.example.org", "Buy this.", sender=sender)) is Taken.NOT_OURS
    forged = returned_mail.letter("ken@letters.example.org", "Buy.", In_Reply_To=f"<m99.{'0' * 32}@example.org>")
    assert take(forged) is Taken.NOT_OURS
    jobs_queue.run()

    assert kept() == []
    assert len(outbox) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"Return_Path": ""},
        {"Subject": "Out of office: On slow mail"},
    ],
)
def test_the_answer_of_a_program_is_counted_and_never_passed_on(
    jobs_queue: JobQueue, outbox: Outbox, headers: dict[str, str]
) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()

    answer = returned_mail.letter("", "I am away.", **headers)
    assert take(answer, return_address(mailing, ada)) is Taken.DONE
    jobs_queue.run()

    assert kept() == []
    assert len(outbox) == 0
    assert counted(What.AUTO_REPLY) == 1
    assert not is_suppressed(ada)


def test_what_we_passed_on_is_never_passed_on_again(jobs_queue: JobQueue, outbox: Outbox) -> None:
    """The author's own mailbox is the one that is fetched, and forwards to itself."""
    ada = cast.ada()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()
    take(returned_mail.letter("", "Hello."), return_address(mailing, ada))
    jobs_queue.run()
    assert len(outbox) == 1

    for recipient in ("", return_address(mailing, ada)):
        take(outbox.received[0][1], recipient)
        jobs_queue.run()

    assert len(outbox) == 1


@pytest.mark.parametrize(
    "address",
    ["inbox@bounces.example.org", "b+abc@letters.example.org", "leave+abc@letters.example.org", "me@imap.org"],
)
def test_an_answer_is_never_passed_on_to_where_our_mail_comes_in(
    jobs_queue: JobQueue, outbox: Outbox, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAP_URL", "imaps://me%40imap.org:secret@imap.org/INBOX")
    config.settings.cache_clear()
    ada = cast.ada()
    mailing = mailings.sent()
    ada.newsletters[0].reply_to = address
    db.session.commit()
    jobs_queue.waiting.clear()

    take(returned_mail.letter("", "Hello."), return_address(mailing, ada))
    jobs_queue.run()

    assert len(kept()) == 1  # it is not lost: the desk shows it
    assert len(outbox) == 0


def test_the_authors_own_answer_is_not_sent_back_to_them(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()

    take(returned_mail.letter("", "Hello.", sender="Ken@letters.example.org"), return_address(mailing, ada))
    jobs_queue.run()

    assert len(outbox) == 0


def test_only_so_many_answers_an_hour_are_passed_on(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "FORWARDED_AN_HOUR", 2)
    ada = cast.ada()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()

    for number in range(4):
        take(returned_mail.letter("", f"Answer {number}"), return_address(mailing, ada))
    jobs_queue.run()

    assert len(kept()) == 4
    assert len(outbox) == 2


def test_erasing_a_reader_takes_what_they_wrote_with_them(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()
    take(returned_mail.letter("", "My secret."), return_address(mailing, ada))

    erasure.forget(leaving.locked(ada.id) or ada)
    db.session.commit()
    jobs_queue.run()

    assert kept() == []
    assert len(outbox) == 0


def test_a_hostile_letter_is_kept_as_harmless_words(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()
    hostile = (
        b'From: "x\r\n Bcc: victim@example.com" <ada@example.com>\r\nSubject: =?utf-8?q?a=0D=0ABcc:_v@example.com?=\r\n'
        b"Reply-To: victim@example.com\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        b"\x00<script>alert(1)</script> \xff\xfe\r\n" + b"long " * 500_000
    )

    assert take(hostile, return_address(mailing, ada)) is Taken.DONE
    jobs_queue.run()

    (passed_on,) = [outbox[number] for number in range(len(outbox))]
    assert passed_on["Bcc"] is None
    assert passed_on["Reply-To"] == "ada@example.com"
    assert "\0" not in kept()[0].words
    assert len(kept()[0].words) <= replies.LONGEST_WORDS
    assert len(outbox.received[0][1]) < 60_000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"\0" * 1000,
        b"\xff\xfe" * 5000,
        b"From: a\r\n" * 20_000,
        b"Content-Type: multipart/report;\r\n\r\n",
    ],
)
def test_rubbish_is_survived(app: Flask, raw: bytes) -> None:
    ada = cast.ada()
    mailing = mailings.sent()

    take(raw)
    take(raw, return_address(mailing, ada))

    assert not is_suppressed(ada)


def test_a_leave_address_in_the_headers_or_the_envelope_takes_its_reader_off(app: Flask) -> None:
    ada, grace = cast.ada(), cast.grace()
    db.session.commit()
    of = {reader: sign(Purpose.LEAVE, reader.id, reader.newsletters[0].id, 0) for reader in (ada, grace)}

    assert take(b"Subject: leave\r\n\r\n", f"leave+{of[ada]}@letters.example.org") is Taken.DONE
    assert take(f"To: <leave+{of[grace]}@letters.example.org>\r\n\r\nstop\r\n".encode()) is Taken.DONE

    db.session.expire_all()
    for reader in (ada, grace):
        assert db.session.get_one(Subscriber, reader.id).state is SubscriberState.LEFT


def test_a_token_does_nothing_but_what_it_was_made_for(app: Flask) -> None:
    """A leave token as a return path, and a return path as a leave address."""
    ada = cast.ada()
    mailing = mailings.sent()
    leave = sign(Purpose.LEAVE, ada.id, ada.newsletters[0].id, 0)
    bounce = mailings.token(mailing, ada)

    take(returned_mail.dsn(), f"b+{leave}@bounces.example.org")
    take(returned_mail.dsn(), f"leave+{bounce}@letters.example.org")

    db.session.expire_all()
    assert db.session.get_one(Subscriber, ada.id).state is SubscriberState.ACTIVE


def test_every_flipped_letter_of_a_token_makes_it_worthless(app: Flask) -> None:
    ada = cast.ada()
    address = return_address(mailings.sent(), ada)
    assert inbound.is_ours(address)

    for place in range(len("b+"), address.index("@")):
        flipped = address[:place] + ("a" if address[place] != "a" else "b") + address[place + 1 :]
        taken = take(returned_mail.dsn(), flipped)
        assert taken is Taken.NOT_OURS or flipped.lower() == address, flipped

    assert not is_suppressed(ada)


def test_whom_we_take_mail_for(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    leave = sign(Purpose.LEAVE, ada.id, ada.newsletters[0].id, 0)

    for address in (
        return_address(mailing, ada),
        f"<{return_address(mailing, ada).upper()}>",
        f"leave+{leave}@letters.example.org",
        "complaints@bounces.example.org",
        "Postmaster@Bounces.example.org",
    ):
        assert inbound.is_ours(address), address
    for address in ("", "@", "ken@letters.example.org", "b+abc@bounces.example.org", "abuse@other.example", "b+@x"):
        assert not inbound.is_ours(address), address
