"""Mail owed to one person is sent once, or said to be in doubt; never twice, never forgotten."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from newsletter import clock
from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.subscribers import notices, suppression
from newsletter.subscribers.models import Notice, NoticeKind, NoticeState, SuppressionReason
from newsletter.subscribers.notices import ClaimedNotice
from tests import cast
from tests.doubles import JobQueue


@pytest.fixture
def owed(weekly: Newsletter, jobs_queue: JobQueue) -> int:
    ada = cast.ada()
    notice = notices.owe(
        NoticeKind.WELCOME,
        address="ada@example.com",
        newsletter=weekly,
        subscriber=ada,
        values={"newsletters": [weekly.id]},
    )
    db.session.commit()
    return notice.id


def claimed(notice_id: int) -> ClaimedNotice:
    (claim,) = notices.claim(secrets.token_hex())
    assert claim.id == notice_id
    return claim


def kept(notice_id: int) -> Notice:
    db.session.rollback()
    return db.session.get_one(Notice, notice_id, populate_existing=True)


def make_due(notice_id: int) -> None:
    db.session.execute(update(Notice).where(Notice.id == notice_id).values(send_after=clock.now()))
    db.session.commit()


def test_the_bell_rings_after_the_commit(owed: int, jobs_queue: JobQueue) -> None:
    assert list(jobs_queue.waiting) == [("send_notices", ())]
    assert notices.is_any_due()


def test_a_notice_is_claimed_once(app: Flask, owed: int) -> None:
    def claim(_: int) -> list[ClaimedNotice]:
        with app.app_context():
            return notices.claim("token")

    with ThreadPoolExecutor(4) as workers:
        claims = [each for claimed in workers.map(claim, range(8)) for each in claimed]

    assert len(claims) == 1
    assert (claims[0].sender, claims[0].address) == ("ken@letters.example.org", "ada@example.com")
    assert not notices.is_any_due()


def test_what_was_accepted_is_recorded_and_its_text_forgotten(owed: int) -> None:
    claim = claimed(owed)

    assert notices.accepted(claim, "250 ok")
    db.session.commit()

    notice = kept(owed)
    assert (notice.state, notice.reply, notice.message, notice.token) == (NoticeState.ACCEPTED, "250 ok", None, None)
    assert notice.ended_at
    assert notices.claim("token") == []


def test_a_second_attempt_is_the_same_message_byte_for_byte(owed: int) -> None:
    first = claimed(owed)
    notices.put_off(first, "451 later")
    assert notices.claim("token") == []  # not before its time

    make_due(owed)
    assert claimed(owed).message == first.message


def test_attempts_come_after_one_two_four_minutes_until_it_is_too_late(owed: int) -> None:
    waits = []
    for _ in range(20):
        claims = notices.claim("token")
        if not claims:
            break
        notices.put_off(claims[0], "451 later")
        db.session.commit()
        waits.append(round((kept(owed).send_after - clock.now()).total_seconds() / 60))
        if kept(owed).state is NoticeState.EXPIRED:
            break
        db.session.execute(
            update(Notice).values(send_after=clock.now(), expires_at=Notice.expires_at - timedelta(minutes=waits[-1]))
        )
        db.session.commit()

    assert waits[:7] == [1, 2, 4, 8, 16, 32, 64]
    assert kept(owed).state is NoticeState.EXPIRED


def test_who_lost_the_claim_writes_nothing(owed: int) -> None:
    late = claimed(owed)
    notices.put_off(late, "451 later")
    make_due(owed)
    current = claimed(owed)

    assert not notices.accepted(late, "250 late")
    assert not notices.refused(late, "550 late")
    assert not notices.put_off(late, "451 late")
    assert kept(owed).state is NoticeState.SENDING
    assert notices.accepted(current, "250 ok")


def test_a_worker_that_never_came_back_leaves_a_doubt_and_no_second_message(owed: int) -> None:
    claim = claimed(owed)
    db.session.execute(update(Notice).values(lease_until=clock.now() - timedelta(seconds=1)))
    db.session.commit()

    assert not notices.is_any_due()
    assert kept(owed).state is NoticeState.UNCONFIRMED
    assert notices.claim("token") == []
    assert not notices.accepted(claim, "250 too late")


def test_a_worker_may_not_hand_over_past_its_lease(owed: int) -> None:
    before = clock.seconds_awake_or_asleep()

    assert claimed(owed).deadline <= before + notices.LEASE.total_seconds()


def test_a_notice_that_would_come_too_late_is_not_sent(owed: int) -> None:
    db.session.execute(update(Notice).values(expires_at=clock.now()))
    db.session.commit()

    assert notices.claim("token") == []
    assert kept(owed).state is NoticeState.EXPIRED


def test_who_was_suppressed_meanwhile_gets_nothing(owed: int) -> None:
    suppression.suppress("ada@example.com", SuppressionReason.COMPLAINED)
    db.session.commit()

    assert notices.claim("token") == []
    assert kept(owed).state is NoticeState.SKIPPED


def test_a_test_to_its_author_goes_out_as_composed(weekly: Newsletter, jobs_queue: JobQueue) -> None:
    suppression.suppress("ken@example.com", SuppressionReason.STAFF, weekly.publication_id)
    notice = notices.owe(
        NoticeKind.TEST,
        address="ken@example.com",
        newsletter=weekly,
        compose=lambda message_id: f"Message-ID: <{message_id}@x>\r\n\r\n".encode(),
    )
    db.session.commit()

    assert claimed(notice.id).message == f"Message-ID: <{notice.message_id}@x>\r\n\r\n".encode()


def test_a_code_is_forgotten_once_it_has_left(weekly: Newsletter, jobs_queue: JobQueue) -> None:
    ada = cast.ada()
    notices.owe(
        NoticeKind.ERASE_CODE, address="ada@example.com", newsletter=weekly, subscriber=ada, values={"code": "123456"}
    )
    db.session.commit()
    (claim,) = notices.claim("token")
    assert b"123456" in claim.message

    notices.accepted(claim, "250 ok")

    assert db.session.scalars(select(Notice.values)).one() == {}
