"""A mailing that comes back, or is complained about, too often is held, once, and its author decides."""

import threading

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.accounts.models import Role, User
from newsletter.db import db
from newsletter.sending import breaker, control, queries
from newsletter.sending.breaker import Tally
from newsletter.sending.models import Bounce, BounceKind, Mailing, MailingState, Outcome
from newsletter.sending.reports import ReportKind
from newsletter.subscribers.models import Notice, NoticeKind, Subscriber
from tests import factories
from tests.doubles import JobQueue, Outbox, text_of
from tests.sending import mailings
from tests.sending.mailings import state_of
from tests.sending.test_bounces import told


@pytest.fixture
def staff(app: Flask) -> list[User]:
    people = [
        User(email="ken@example.com", name="Ken", password_hash="", role=Role.OWNER),
        User(email="gone@example.com", name="Gone", password_hash="", role=Role.EDITOR),
    ]
    db.session.add_all(people)
    db.session.flush()
    people[1].disabled_at = people[0].created_at
    db.session.commit()
    return people


def under_way(count: int, *outcomes: tuple[Outcome, str]) -> tuple[Mailing, list[Subscriber]]:
    readers = [factories.subscriber(f"reader{number}@example.com") for number in range(count)]
    return mailings.sent(*outcomes), readers


def bounced(mailing: Mailing, readers: list[Subscriber], kind: BounceKind = BounceKind.HARD) -> None:
    """As if told before; nothing has looked at them yet."""
    db.session.add_all(
        Bounce(mailing_id=mailing.id, subscriber_id=reader.id, kind=kind, source="mail") for reader in readers
    )
    db.session.commit()


def has_tripped(mailing: Mailing) -> bool:
    tripped = breaker.check(mailing.id)
    db.session.commit()
    return tripped


@pytest.mark.parametrize(
    ("numbers", "is_too_much"),
    [
        (Tally(accepted=20, refused=1, hard=1, complaints=0, complaints_since=0, is_off=False), False),
        (Tally(accepted=20, refused=9, hard=9, complaints=0, complaints_since=0, is_off=False), False),
        (Tally(accepted=0, refused=10, hard=10, complaints=0, complaints_since=0, is_off=False), True),
        (Tally(accepted=1000, refused=0, hard=29, complaints=0, complaints_since=0, is_off=False), False),
        (Tally(accepted=1000, refused=0, hard=30, complaints=0, complaints_since=0, is_off=False), True),
        (Tally(accepted=970, refused=30, hard=30, complaints=0, complaints_since=0, is_off=False), True),
        (Tally(accepted=1000, refused=0, hard=300, complaints=0, complaints_since=0, is_off=True), False),
        (Tally(accepted=20, refused=0, hard=0, complaints=2, complaints_since=0, is_off=False), False),
        (Tally(accepted=3000, refused=0, hard=0, complaints=2, complaints_since=0, is_off=False), False),
        (Tally(accepted=3000, refused=0, hard=0, complaints=3, complaints_since=0, is_off=False), True),
        (Tally(accepted=5000, refused=0, hard=0, complaints=4, complaints_since=0, is_off=False), False),
        (Tally(accepted=3000, refused=0, hard=0, complaints=11, complaints_since=8, is_off=True), False),
        (Tally(accepted=3000, refused=0, hard=0, complaints=12, complaints_since=9, is_off=True), True),
    ],
)
def test_the_numbers_at_which_it_is_too_much(numbers: Tally, is_too_much: bool) -> None:
    assert bool(numbers.verdict()) is is_too_much


def test_too_many_hard_bounces_hold_the_mailing_and_the_staff_are_told(
    jobs_queue: JobQueue, outbox: Outbox, staff: list[User]
) -> None:
    mailing, readers = under_way(100)

    for reader in readers[:9]:
        told(mailing, reader)
    assert state_of(mailing) is MailingState.SENDING
    told(mailing, readers[9])

    assert state_of(mailing) is MailingState.HELD
    assert "10 of 100" in queries.progress(mailing.id).held_because
    jobs_queue.run()
    (notice,) = outbox.to("ken@example.com")
    assert notice["Subject"] == "“On slow mail” is held"
    assert "10 of 100" in text_of(notice)
    assert f"http://letters.example.org/desk/sends/{mailing.id}" in text_of(notice)
    assert outbox.to("gone@example.com") == []


def test_too_many_complaints_hold_the_mailing(app: Flask, staff: list[User]) -> None:
    mailing, readers = under_way(30)

    for reader in readers[:3]:
        told(mailing, reader, kind=ReportKind.COMPLAINED, status="", words="")

    assert state_of(mailing) is MailingState.HELD
    assert "3 of the 30 reached so far" in queries.progress(mailing.id).held_because


def test_what_is_blocked_or_soft_holds_nothing(app: Flask) -> None:
    mailing, readers = under_way(40)
    bounced(mailing, readers[:20], BounceKind.SOFT)
    bounced(mailing, readers[20:], BounceKind.BLOCKED)

    assert not has_tripped(mailing)


def test_held_twice_at_once_is_held_once(app: Flask, staff: list[User]) -> None:
    mailing, readers = under_way(30)
    bounced(mailing, readers[:10])
    mailing_id, start, results = mailing.id, threading.Barrier(6), []

    def hold() -> None:
        with app.app_context():
            start.wait(10)
            tripped = breaker.check(mailing_id)
            db.session.commit()
            results.append(tripped)

    threads = [threading.Thread(target=hold) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [False] * 5 + [True]
    assert [notice.kind for notice in db.session.scalars(select(Notice))] == [NoticeKind.HELD]


def test_when_the_author_says_go_on_hard_bounces_hold_it_no_more(jobs_queue: JobQueue, staff: list[User]) -> None:
    mailing, readers = under_way(40)
    bounced(mailing, readers[:10])
    assert has_tripped(mailing)

    control.go_on(mailing)
    db.session.commit()
    for reader in readers[10:20]:
        told(mailing, reader)

    assert state_of(mailing) is MailingState.SENDING


def test_after_go_on_only_new_complaints_count_and_it_can_be_told_to_go_on_again(
    jobs_queue: JobQueue, staff: list[User]
) -> None:
    mailing, readers = under_way(40)
    bounced(mailing, readers[:3], BounceKind.COMPLAINT)
    assert has_tripped(mailing)
    control.go_on(mailing)
    db.session.commit()
    assert not has_tripped(mailing)

    bounced(mailing, readers[3:6], BounceKind.COMPLAINT)
    assert has_tripped(mailing)
    control.go_on(mailing)
    db.session.commit()

    assert not has_tripped(mailing)
    assert state_of(mailing) is MailingState.SENDING


def test_going_on_from_another_hold_leaves_the_breaker_armed(jobs_queue: JobQueue, staff: list[User]) -> None:
    mailing, readers = under_way(30)
    mailing.state, mailing.held_because = MailingState.HELD, "This database was restored or copied."
    db.session.commit()
    control.go_on(mailing)
    db.session.commit()

    bounced(mailing, readers[:10])

    assert has_tripped(mailing)


def test_a_paused_mailing_is_looked_at_when_it_goes_on(jobs_queue: JobQueue, staff: list[User]) -> None:
    from worker import sweep

    mailing, readers = under_way(30)
    control.pause(mailing)
    bounced(mailing, readers[:10])
    assert not has_tripped(mailing)

    control.go_on(mailing)
    db.session.commit()
    sweep.find()

    assert state_of(mailing) is MailingState.HELD


def test_a_mailing_that_is_over_is_not_held(app: Flask, staff: list[User]) -> None:
    mailing, readers = under_way(30)
    mailing.state = MailingState.FINISHED
    bounced(mailing, readers[:30])

    assert not has_tripped(mailing)
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 0
