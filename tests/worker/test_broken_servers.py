"""A mail server that behaves badly towards one reader, or towards all, harms nobody else and lies to nobody."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask, current_app
from sqlalchemy import select, update

from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import control, queries
from newsletter.sending.models import Chunk, Outcome
from tests import cast, factories
from tests.doubles import JobQueue, Outbox
from tests.smtp_sink import Orders, SmtpSink
from tests.worker.test_deliver import chunk_is_due_now, outcomes, send_now, the_mailing
from worker import deliver, transports
from worker.transports import Unavailable, smtp


@pytest.fixture
def sink(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        monkeypatch.setattr(transports, "open_session", lambda url, timeout: smtp.connect(server.url, timeout))
        yield server


def work_off(jobs_queue: JobQueue, rounds: int) -> None:
    for _ in range(rounds):
        jobs_queue.run()
        db.session.execute(update(Chunk).values(send_after=Chunk.send_after - timedelta(minutes=5)))
        db.session.commit()
        jobs_queue.ring(Job.SWEEP)
    jobs_queue.run()


@pytest.mark.parametrize("broken", [Orders(cut="at_data"), Orders(at_rcpt="421 4.7.0 no")])
def test_a_reader_at_whom_the_server_always_breaks_off_keeps_nobody_else_waiting(
    jobs_queue: JobQueue, sink: SmtpSink, broken: Orders
) -> None:
    cast.ada(), cast.grace()
    sink.orders["ada@example.com"] = broken
    send_now()

    work_off(jobs_queue, rounds=2)

    assert list(sink.copies) == ["grace@example.com"]
    progress = queries.progress(1)
    assert (progress.accepted, progress.waiting, progress.remaining) == (1, 1, 0)


def test_an_answer_with_a_nul_in_it_is_written_down_all_the_same(jobs_queue: JobQueue, sink: SmtpSink) -> None:
    cast.ada(), cast.grace()
    sink.orders["ada@example.com"] = Orders(at_rcpt="550 5.1.1 no\x00such \x1b[31muser")
    send_now()

    jobs_queue.run()

    assert outcomes() == {"accepted": 1, "refused": 1}
    assert queries.troubled(1, Outcome.REFUSED)[0].reply == "550 5.1.1 no such [31muser"


def test_an_answer_that_is_none_is_no_refusal(jobs_queue: JobQueue, sink: SmtpSink) -> None:
    cast.ada(), cast.grace()
    sink.orders["ada@example.com"] = Orders(at_dot="what was the question?")
    send_now()

    work_off(jobs_queue, rounds=1)

    assert outcomes() == {"accepted": 1, "unconfirmed": 1}


def test_pause_takes_effect_at_once_however_slow_the_server_is(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        factories.subscriber(f"r{number}@example.com")
    send_now()
    monkeypatch.setattr(deliver, "LOOK_EVERY", 0.02)
    outbox.delay = 0.2
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # another thread needs the app itself

    def the_author_pauses() -> None:
        with app.app_context():
            control.pause(the_mailing())
            db.session.commit()

    outbox.after_first = lambda: threading.Thread(target=the_author_pauses).start()
    jobs_queue.run()

    assert 1 <= len(outbox) <= 3
    assert outcomes() == {"accepted": len(outbox)}


def test_a_server_that_takes_a_few_messages_at_a_time_is_not_left_alone_longer_and_longer(
    jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.ada(), cast.grace()
    outbox.answers["ada@example.com"] = [Unavailable("421 later")] * 2
    outbox.answers["grace@example.com"] = [Unavailable("421 later")] * 2  # the second one on the fresh connection
    send_now()

    attempts = []
    for _ in range(3):
        jobs_queue.run()
        attempts.append(db.session.scalar(select(Chunk.attempts)))
        chunk_is_due_now()
        jobs_queue.ring(Job.SWEEP)

    assert outbox.addresses == ["ada@example.com"]
    assert attempts == [1, 2, 1]
