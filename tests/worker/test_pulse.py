"""A pool that hangs is noticed, and the main process does its work."""

import pytest
import redis
from flask import Flask
from sqlalchemy import select, text

from newsletter import clock, jobs
from newsletter.config import Settings
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending.models import Heartbeat, Mailing
from newsletter.watch import metrics, work
from tests import cast, factories
from tests.doubles import JobQueue, Outbox
from worker import lookout, pulse


@pytest.fixture
def queue(app: Flask, settings: Settings) -> redis.Redis:
    client = redis.Redis.from_url(settings.redis_url)
    client.flushall()
    return client


def test_an_idle_pool_is_well(queue: redis.Redis) -> None:
    assert pulse.is_well()


def test_jobs_that_nobody_takes_make_it_ill_until_one_is_taken(
    queue: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.beat()
    queue.lpush(jobs.MAILINGS, "a job")
    assert pulse.is_well()

    monkeypatch.setattr(pulse, "PATIENCE", 0.0)
    assert not pulse.is_well()

    queue.flushall()
    monkeypatch.undo()
    assert pulse.is_well()


def test_the_main_process_works_for_a_pool_that_hangs(
    queue: redis.Redis, outbox: Outbox, jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.ada()
    publishing.schedule(factories.post(), clock.now(), "UTC")
    db.session.commit()
    queue.lpush(jobs.MAILINGS, "a job")
    monkeypatch.setattr(pulse, "PATIENCE", 0.0)

    for _ in range(3):
        lookout.look()

    assert outbox.addresses == ["ada@example.com"]
    assert db.session.scalars(select(Mailing.finished_at)).one() is not None


def test_it_shows_among_the_processes(
    queue: redis.Redis, outbox: Outbox, jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout.look()
    well = metrics.stuck(work.processes())
    db.session.execute(text("UPDATE heartbeat SET seen_at = now() - interval '3 minutes' WHERE process LIKE 'pool:%'"))
    queue.lpush(jobs.MAILINGS, "a job")
    monkeypatch.setattr(pulse, "PATIENCE", 0.0)
    lookout.look()

    assert well == []
    assert len(metrics.stuck(work.processes())) == 1
    assert len(db.session.scalars(select(Heartbeat.process)).all()) == 2
