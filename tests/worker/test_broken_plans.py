"""Posts and notices that cannot go out keep nothing else from going out, and time that passes loses nobody."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

import emails
from newsletter import clock, jobs
from newsletter.db import db
from newsletter.posts.models import Post, PostStatus
from newsletter.publication.models import Newsletter, Publication
from newsletter.sending import control
from newsletter.subscribers import letters, notices
from newsletter.subscribers.models import Notice, NoticeKind, NoticeState
from tests import cast, factories
from tests.doubles import JobQueue, Outbox
from tests.worker.test_deliver import outcomes, send_now, the_mailing
from worker import lookout, tasks


def test_a_mailing_paused_for_a_week_still_reaches_everyone(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    send_now()
    start = jobs_queue.waiting.popleft()
    tasks.run(start[0], *start[1])
    control.pause(the_mailing())
    db.session.commit()

    with time_machine.travel(clock.now() + timedelta(days=7), tick=True):
        control.go_on(the_mailing())
        db.session.commit()
        jobs_queue.run()

    assert outbox.addresses == ["ada@example.com"]
    assert outcomes() == {"accepted": 1}


def test_a_post_that_is_not_ready_any_more_becomes_a_draft_with_the_reason(
    jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.ada()
    send_now()
    db.session.execute(update(Publication).values(postal_address=""))
    db.session.commit()

    jobs_queue.run()

    post = db.session.scalars(select(Post)).one()
    assert post.status is PostStatus.DRAFT
    assert "postal address" in post.trouble
    assert outbox.addresses == []


def test_a_notice_that_cannot_be_written_ends_refused_instead_of_being_tried_for_hours(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    weekly = factories.newsletter()
    owed = notices.owe(NoticeKind.WELCOME, address="ada@example.com", newsletter=weekly, subscriber=cast.ada())
    db.session.commit()

    def cannot(notice: Notice, newsletter: Newsletter) -> bytes:
        raise emails.LetterError("No letter can carry this.")

    monkeypatch.setattr(letters, "compose", cannot)
    jobs_queue.run()

    db.session.refresh(owed)
    assert (owed.state, owed.reply) == (NoticeState.REFUSED, "No letter can carry this.")
    assert not notices.is_any_due()


def test_without_redis_one_job_with_a_bug_keeps_no_other_from_being_done(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = cast.ada()
    weekly = db.session.scalars(select(Newsletter)).one()
    notices.owe(NoticeKind.WELCOME, address="ada@example.com", newsletter=weekly, subscriber=ada)
    send_now()
    monkeypatch.setattr(letters, "compose", lambda *_: 1 / 0)
    monkeypatch.setattr(jobs, "ring", lambda *_: False)

    lookout.look()  # starts the mailing
    lookout.look()  # delivers it

    assert outbox.addresses == ["ada@example.com"]


def test_a_code_that_came_too_late_is_not_kept(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada = cast.ada()
    weekly = db.session.scalars(select(Newsletter)).one()
    owed = notices.owe(
        NoticeKind.ERASE_CODE, address="ada@example.com", newsletter=weekly, subscriber=ada, values={"code": "123456"}
    )
    owed.expires_at = clock.now()
    db.session.commit()

    jobs_queue.run()

    db.session.refresh(owed)
    assert (owed.state, owed.values) == (NoticeState.EXPIRED, {})
