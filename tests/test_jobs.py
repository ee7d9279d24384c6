"""The bell rings after the commit, once, and never for what was rolled back."""

import pytest
from flask import Flask

from newsletter import config, jobs
from newsletter.db import db
from newsletter.jobs import Job, enqueue
from tests.doubles import JobQueue


def test_a_job_is_published_after_the_commit_and_once(jobs_queue: JobQueue) -> None:
    enqueue(Job.DELIVER, 7)
    enqueue(Job.DELIVER, 7)
    assert not jobs_queue.waiting

    db.session.commit()

    assert list(jobs_queue.waiting) == [(Job.DELIVER, (7,))]


def test_a_rollback_forgets_it(jobs_queue: JobQueue) -> None:
    enqueue(Job.DELIVER, 7)
    db.session.rollback()
    db.session.commit()
    assert not jobs_queue.waiting


def test_a_savepoint_neither_publishes_nor_forgets(jobs_queue: JobQueue) -> None:
    enqueue(Job.DELIVER, 7)
    with db.session.begin_nested():
        pass
    assert not jobs_queue.waiting
    inner = db.session.begin_nested()
    inner.rollback()

    db.session.commit()

    assert list(jobs_queue.waiting) == [(Job.DELIVER, (7,))]


def test_with_redis_away_the_caller_goes_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    away = config.read_settings(redis_url="redis://127.0.0.1:1/0")
    jobs.configure(away)
    forget_connections()  # of earlier tests
    try:
        assert jobs.ring(Job.SWEEP) is False
    finally:
        jobs.configure(config.settings())
        forget_connections()


def forget_connections() -> None:
    """As Celery does in a new process: a connection that is open outlives a change of its address."""
    jobs.celery._after_fork()  # type: ignore[attr-defined]  # celery-types knows public names only
