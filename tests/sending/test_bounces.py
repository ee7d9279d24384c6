"""What others tell about our messages: whom it takes off the list, whom it does not, and what it settles."""

import threading
from datetime import datetime, timedelta
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter import clock
from newsletter.db import db
from newsletter.sending import bounces, control, queries, returned, tally
from newsletter.sending.models import Bounce, BounceKind, Delivery, InboundEvent, Mailing, MailingState, Outcome
from newsletter.sending.reports import Report, ReportKind
from newsletter.sending.tally import What
from newsletter.subscribers import erasure, leaving, notices, return_path, suppression
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Notice,
    NoticeKind,
    NoticeState,
    Subscriber,
    SubscriberState,
    SuppressionReason,
)
from tests import cast, factories
from tests.sending import mailings
from tests.sending.mailings import is_suppressed, outcome_of
from worker import sweep

_numbers = count(1)


def report(mailing: Mailing | None = None, reader: Subscriber | None = None, **given: object) -> Report:
    token = mailings.token(mailing, reader) if mailing and reader else ""
    defaults = {
        "source": "mail",
        "event_id": f"event {next(_numbers)}",
        "kind": ReportKind.BOUNCED,
        "token": token,
        "status": "5.1.1",
        "words": "550 5.1.1 no such user",
    }
    return Report(**{**defaults, **given})  # type: ignore[arg-type]  # a test states only what it is about


def told(*args: object, **given: object) -> bool:
    """Take a report in as every way in does: record, then commit."""
    is_news = bounces.record(report(*args, **given))  # type: ignore[arg-type]
    db.session.commit()
    return is_news


def kinds_of(reader: Subscriber) -> list[BounceKind]:
    return list(db.session.scalars(select(Bounce.kind).where(Bounce.subscriber_id == reader.id).order_by(Bounce.id)))


def events_of(reader: Subscriber) -> list[ConsentEvent]:
    return list(db.session.scalars(select(ConsentEvent).where(ConsentEvent.subscriber_id == reader.id)))


def test_a_hard_bounce_takes_its_reader_off_at_once_and_for_good(app: Flask) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = mailings.sent()

    assert told(mailing, ada)

    assert is_suppressed(ada)
    assert suppression.known(["ada@example.com"])["ada@example.com"].reason is SuppressionReason.BOUNCED
    assert not is_suppressed(grace)
    (event,) = events_of(ada)
    assert (event.kind, event.detail["mailing_id"], event.detail["way"]) == (ConsentKind.BOUNCED, mailing.id, "mail")
    assert outcome_of(mailing, ada) is Outcome.ACCEPTED  # what the mail server said stays as it was


def test_a_complaint_takes_its_reader_off_at_once(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent()

    assert told(mailing, ada, kind=ReportKind.COMPLAINED, status="", words="")

    assert is_suppressed(ada)
    assert suppression.known(["ada@example.com"])["ada@example.com"].reason is SuppressionReason.COMPLAINED
    assert [event.kind for event in events_of(ada)] == [ConsentKind.COMPLAINED]


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.7.1", "550 5.7.1 blocked by policy", BounceKind.BLOCKED),
        ("5.7.515", "550 5.7.515 sender not authenticated", BounceKind.BLOCKED),
        ("5.2.2", "552 5.2.2 mailbox full", BounceKind.SOFT),
        ("4.4.7", "delivery time expired", BounceKind.SOFT),
    ],
)
def test_what_is_no_fault_of_the_mailbox_takes_nobody_off(
    app: Flask, status: str, words: str, kind: BounceKind
) -> None:
    ada = cast.ada()
    mailing = mailings.sent()

    assert told(mailing, ada, status=status, words=words)

    assert kinds_of(ada) == [kind]
    assert not is_suppressed(ada)


def test_the_same_event_counts_once_and_the_same_bounce_by_two_ways_is_one(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    twice = report(mailing, ada)

    assert [bounces.record(twice), bounces.record(twice)] == [True, False]
    db.session.commit()
    assert told(mailing, ada, source="postmark")

    assert kinds_of(ada) == [BounceKind.HARD]
    assert len(events_of(ada)) == 1


def test_events_that_come_late_and_in_the_wrong_order_end_the_same(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent()

    for kind in (ReportKind.COMPLAINED, ReportKind.DELIVERED, ReportKind.DELAYED, ReportKind.BOUNCED):
        assert told(mailing, ada, kind=kind, source="ses")

    assert sorted(kinds_of(ada)) == [BounceKind.COMPLAINT, BounceKind.HARD]
    assert suppression.known(["ada@example.com"])["ada@example.com"].reason is SuppressionReason.COMPLAINED
    assert is_suppressed(ada)


def test_an_address_alone_or_a_message_id_alone_names_nobody(app: Flask) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = mailings.sent()
    of_ada = mailings.message_id(mailing, ada)

    for claim in (
        {"address": "ada@example.com"},
        {"message_id": of_ada},
        {"message_id": of_ada, "address": "grace@example.com"},
        {"message_id": f"m{mailing.id}.{'0' * 32}@letters.example.org", "address": "ada@example.com"},
        {"token": mailings.token(mailing, ada)[:-1] + "a", "address": "ada@example.com"},
        {"token": "", "message_id": "", "address": ""},
    ):
        assert not told(**claim)

    assert not is_suppressed(ada)
    assert not is_suppressed(grace)
    assert tally.since(What.NOT_OURS, clock.now() - timedelta(hours=2)) == 6
    assert db.session.scalar(select(func.count()).select_from(InboundEvent)) == 0


def test_message_id_and_address_together_name_the_reader(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent()

    assert told(message_id=f"<{mailings.message_id(mailing, ada)}>", address="Ada@Example.com")

    assert is_suppressed(ada)


def test_without_a_token_only_the_last_sixty_days_are_believed(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent(at=clock.now() - timedelta(days=61))

    assert not told(message_id=mailings.message_id(mailing, ada), address="ada@example.com")
    assert not told(mailing, ada)  # nothing bounces after two months: that token was found somewhere
    assert not is_suppressed(ada)
    assert told(mailing, ada, kind=ReportKind.COMPLAINED)  # a person may well complain about an old message
    assert is_suppressed(ada)


def test_a_token_for_what_is_gone_does_nothing(app: Flask) -> None:
    ada = cast.ada()
    db.session.commit()

    assert not told(token=return_path.token(mailing_id=77, subscriber_id=ada.id))
    assert not told(token=return_path.token(notice_id=77))

    assert not is_suppressed(ada)


@pytest.mark.slow
def test_ten_thousand_false_bounces_suppress_nobody(app: Flask) -> None:
    readers = [factories.subscriber(f"reader{number}@example.com") for number in range(50)]
    mailing = mailings.sent()

    for number in range(10_000):
        reader = readers[number % 50]
        bounces.record(
            report(
                event_id=f"forged {number}",
                token="" if number % 2 else f"{number:050d}",
                message_id=f"m{mailing.id}.{number:032x}@letters.example.org",
                address=reader.email,
            )
        )
    db.session.commit()

    assert not any(is_suppressed(reader) for reader in readers)
    assert tally.since(What.NOT_OURS, clock.now() - timedelta(hours=2)) == 10_000


def test_returned_mail_without_a_token_takes_off_only_so_many_an_hour(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has stolen every Message-ID we ever wrote."""
    monkeypatch.setattr(bounces, "UNPROVEN_AN_HOUR", 5)
    readers = [factories.subscriber(f"reader{number}@example.com") for number in range(8)]
    mailing = mailings.sent()

    for reader in readers:
        assert told(message_id=mailings.message_id(mailing, reader), address=reader.email)

    assert sum(is_suppressed(reader) for reader in readers) == 5
    assert told(mailing, readers[7], kind=ReportKind.COMPLAINED)  # a token is not held up by the cap
    assert is_suppressed(readers[7])


def test_a_full_mailbox_is_borne_until_five_in_a_row_over_two_weeks(app: Flask) -> None:
    ada = cast.ada()
    for days_ago in (18, 14, 10, 6):
        full(mailings.sent(at=days(days_ago), title=f"Issue of day {days_ago}"), ada)
    assert not is_suppressed(ada)

    full(mailings.sent(at=days(1), title="The last"), ada)

    assert is_suppressed(ada)
    assert "in a row" in events_of(ada)[0].detail["reason"]


def test_five_full_mailboxes_within_a_week_are_borne(app: Flask) -> None:
    ada = cast.ada()
    for days_ago in (7, 6, 5, 4, 3, 2, 1):
        full(mailings.sent(at=days(days_ago), title=f"Issue of day {days_ago}"), ada)

    assert not is_suppressed(ada)


def test_one_message_that_arrived_ends_the_row(app: Flask) -> None:
    ada = cast.ada()
    for days_ago in (30, 26, 22, 18, 10, 6, 1):
        mailing = mailings.sent(at=days(days_ago), title=f"Issue of day {days_ago}")
        if days_ago != 18:
            full(mailing, ada)

    assert not is_suppressed(ada)


def test_a_message_that_may_still_come_back_does_not_end_the_row(app: Flask) -> None:
    ada = cast.ada()
    bounced = [mailings.sent(at=days(days_ago), title=f"Issue of day {days_ago}") for days_ago in (20, 15, 10, 6, 4)]
    mailings.sent(at=days(1), title="Of yesterday, not heard of yet")

    for mailing in reversed(bounced):  # told in whatever order
        full(mailing, ada)

    assert is_suppressed(ada)


def test_what_was_blocked_because_of_us_counts_neither_way(app: Flask) -> None:
    ada = cast.ada()
    for days_ago in (20, 16, 12, 8, 4):
        mailing = mailings.sent(at=days(days_ago), title=f"Issue of day {days_ago}")
        told(mailing, ada, status="5.7.1", words="550 5.7.1 blocked")
    assert not is_suppressed(ada)

    for days_ago in (19, 15, 11, 7, 3):
        full(mailings.sent(at=days(days_ago), title=f"Other of day {days_ago}"), ada)

    assert is_suppressed(ada)


@pytest.mark.parametrize("kind", list(ReportKind))
def test_whatever_is_told_of_a_message_proves_that_it_had_left(app: Flask, kind: ReportKind) -> None:
    ada = cast.ada()
    cast.grace()
    mailing = mailings.sent((Outcome.UNCONFIRMED, "no answer"), (Outcome.UNCONFIRMED, "no answer"))

    assert told(mailing, ada, kind=kind, status="4.4.1", words="")

    assert outcome_of(mailing, ada) is Outcome.ACCEPTED
    progress = queries.progress(mailing.id)
    assert (progress.accepted, progress.unconfirmed, progress.recorded) == (1, 1, 2)


def test_a_proof_that_comes_before_the_doubt_settles_it_when_it_comes_up(app: Flask) -> None:
    """The provider tells that a message arrived; the worker that sent it is dead and has recorded nothing."""
    ada = cast.ada()
    mailing = mailings.sent((Outcome.UNCONFIRMED, "no answer"))
    db.session.delete(db.session.get_one(Delivery, (mailing.id, ada.id)))
    db.session.commit()
    assert told(mailing, ada, kind=ReportKind.DELIVERED, source="postmark")
    db.session.add(Delivery(mailing_id=mailing.id, subscriber_id=ada.id, outcome=Outcome.UNCONFIRMED))
    db.session.commit()

    sweep.find(), sweep.find()

    assert outcome_of(mailing, ada) is Outcome.ACCEPTED
    progress = queries.progress(mailing.id)
    assert (progress.accepted, progress.unconfirmed) == (1, 0)


def test_what_is_known_already_is_not_changed_by_a_report(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent((Outcome.REFUSED, "550 5.7.1 not you"))

    told(mailing, ada, kind=ReportKind.DELIVERED)

    assert outcome_of(mailing, ada) is Outcome.REFUSED


def test_a_bounce_of_the_old_address_does_not_bar_the_new_one(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent(at=clock.now() - timedelta(hours=1))
    ada.email = ada.email_key = "ada@new.example.com"
    db.session.add(ConsentEvent(subscriber_id=ada.id, kind=ConsentKind.CHANGED, detail={"what": "address"}))
    db.session.commit()

    assert told(mailing, ada)

    assert kinds_of(ada) == [BounceKind.HARD]
    assert not is_suppressed(ada)
    assert not suppression.is_suppressed("ada@new.example.com")


def test_a_message_sent_again_is_found_by_its_message_id(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent((Outcome.UNCONFIRMED, "no answer"))
    mailing.state, mailing.finished_at = MailingState.FINISHED, clock.now()
    again = control.send_doubtful_again(mailing)
    db.session.add(Delivery(mailing_id=again.id, subscriber_id=ada.id, outcome=Outcome.ACCEPTED))
    db.session.commit()

    assert told(message_id=mailings.message_id(again, ada), address="ada@example.com")

    assert [line.mailing_id for line in returned.of_reader(ada.id)] == [again.id]


def test_a_confirmation_that_bounces_is_never_sent_to_that_address_again(app: Flask) -> None:
    weekly = factories.newsletter()
    notice = notices.owe(NoticeKind.CONFIRM, address="typo@example.com", newsletter=weekly, values={})
    notice.state = NoticeState.UNCONFIRMED
    db.session.commit()
    token = return_path.token(notice_id=notice.id)

    assert told(token=token)
    assert told(token=token, event_id="once more")

    assert suppression.is_suppressed("typo@example.com")
    assert db.session.scalars(select(Bounce)).one().notice_id == notice.id
    assert db.session.get_one(Notice, notice.id).state is NoticeState.ACCEPTED


def test_a_notice_is_known_by_its_message_id_and_address_too(app: Flask) -> None:
    weekly = factories.newsletter()
    notice = notices.owe(NoticeKind.CONFIRM, address="typo@example.com", newsletter=weekly, values={})
    db.session.commit()

    assert not told(message_id=notice.message_id, address="ada@example.com")
    assert told(message_id=f"<{notice.message_id}@letters.example.org>", address="typo@example.com")

    assert suppression.is_suppressed("typo@example.com")


def test_what_staff_do_not_get_suppresses_nobody(app: Flask) -> None:
    ada = cast.ada()
    notice = notices.owe(NoticeKind.TEST, address="ada@example.com", newsletter=ada.newsletters[0], values={})
    db.session.commit()

    assert told(token=return_path.token(notice_id=notice.id))

    assert not is_suppressed(ada)


def test_an_erased_reader_stays_erased_whatever_comes_back(app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    told(mailing, ada, status="5.2.2", words="mailbox of ada@example.com is full")
    erasure.forget(leaving.locked(ada.id) or ada)
    db.session.commit()

    assert told(mailing, ada)

    db.session.expire_all()
    assert db.session.get_one(Subscriber, ada.id).state is SubscriberState.ERASED
    assert "ada" not in " ".join(db.session.scalars(select(Bounce.words)))


def test_who_was_taken_off_can_only_come_back_by_themselves(app: Flask) -> None:
    from newsletter.subscribers import by_hand

    ada = cast.ada()
    told(mailings.sent(), ada)

    with pytest.raises(by_hand.MayNotBeAdded):
        by_hand.vouch(Address("ada@example.com"), ada.newsletters, source="a paper list", staff_id=1)


def test_hostile_words_are_kept_as_harmless_ones(app: Flask) -> None:
    ada = cast.ada()

    assert told(mailings.sent(), ada, words="550 5.1.1 \0<script>\r\nX: y" + "ä" * 5000)

    (line,) = returned.of_reader(ada.id)
    assert line.words.startswith("550 5.1.1 <script> X: yää")
    assert len(line.words) == bounces.LONGEST_WORDS


def test_batches_of_a_provider_that_hold_much_that_is_not_ours_never_wait_for_each_other(app: Flask) -> None:
    """An unknown event and a known one, in both orders, at the same moment."""
    ada = cast.ada()
    token = mailings.token(mailings.sent(), ada)
    middle, failed = threading.Barrier(2), []

    def batch(is_unknown_first: bool) -> None:
        halves = [report(source="ses", token=token), report(source="ses", address="who@example.net")]
        with app.app_context():
            try:
                for number, event in enumerate(reversed(halves) if is_unknown_first else halves):
                    bounces.record(event)
                    if number == 0:
                        middle.wait(10)
                db.session.commit()
            except Exception as error:
                failed.append(error)

    threads = [
        threading.Thread(target=batch, args=(True,)),
        threading.Thread(target=batch, args=(False,)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failed == []
    assert is_suppressed(ada)
    assert tally.since(What.NOT_OURS, clock.now() - timedelta(hours=2)) == 2


def full(mailing: Mailing, reader: Subscriber) -> None:
    assert told(mailing, reader, status="5.2.2", words="552 5.2.2 mailbox full")


def days(ago: float) -> datetime:
    return clock.now() - timedelta(days=ago)
