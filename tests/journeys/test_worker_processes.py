"""Real workers, a real Valkey, a real mail server, and what may befall them while a mailing is under way."""

import os
import signal
from datetime import timedelta

import pytest
import redis
from flask import Flask
from sqlalchemy import insert

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.relays import CONNECTIONS
from newsletter.sending import control, queries
from newsletter.sending.models import Mailing, Outcome
from newsletter.subscribers.models import Subscriber, Subscription
from tests import factories
from tests.journeys.processes import Process, wait_for, worker
from tests.smtp_sink import Orders, SmtpSink

pytestmark = pytest.mark.journey

READERS = 600
QUICK = 6  # seconds of a lease


@pytest.fixture
def readers(app: Flask, settings: Settings) -> list[str]:
    """Some hundred readers, a post due now, and an empty Redis."""
    redis.Redis.from_url(settings.redis_url).flushall()
    weekly = factories.newsletter()
    now = clock.now()
    ids = db.session.scalars(
        insert(Subscriber).returning(Subscriber.id),
        [
            {
                "publication_id": weekly.publication_id,
                "email": f"reader{number}@example.com",
                "email_key": f"reader{number}@example.com",
                "confirmed_at": now,
            }
            for number in range(READERS)
        ],
    ).all()
    db.session.execute(
        insert(Subscription), [{"subscriber_id": reader_id, "newsletter_id": weekly.id} for reader_id in ids]
    )
    publishing.schedule(factories.post(), now - timedelta(seconds=1), "UTC")
    db.session.commit()
    return [f"reader{number}@example.com" for number in range(READERS)]


def progress() -> queries.Progress:
    db.session.rollback()
    return queries.progress(1)


def is_over() -> bool:
    db.session.rollback()
    mailing = db.session.get(Mailing, 1)
    return mailing is not None and mailing.finished_at is not None


def finish(process: Process, seconds: float = 60) -> None:
    wait_for(is_over, seconds, "the mailing is finished", process)


def assert_nobody_missed_nobody_twice(sink: SmtpSink, readers: list[str], *, doubts: int) -> None:
    told = progress()
    print(
        f"missed {told.due - told.recorded}, twice {sum(n > 1 for n in sink.copies.values())}, "
        f"unconfirmed {told.unconfirmed}"
    )
    assert told.recorded == told.due == len(readers)
    assert told.unconfirmed <= doubts
    assert max(sink.copies.values()) == 1
    unconfirmed = {reader.address for reader in queries.troubled(1, Outcome.UNCONFIRMED, limit=1000)}
    assert set(readers) - set(sink.copies) <= unconfirmed
    assert told.accepted >= len(readers) - told.unconfirmed


def test_a_mailing_goes_out_to_everyone_once(settings: Settings, readers: list[str]) -> None:
    with SmtpSink() as sink, worker(settings, sink.url) as process:
        finish(process)
        assert_nobody_missed_nobody_twice(sink, readers, doubts=0)


def test_kill_9_of_the_whole_worker_five_times(settings: Settings, readers: list[str]) -> None:
    with SmtpSink(delay=0.004) as sink:
        for round_ in range(1, 6):
            with worker(settings, sink.url, lease=QUICK) as process:
                wait_for(lambda r=round_: len(sink.accepted) >= 90 * r, 40, "some are sent", process)  # type: ignore[misc]
        with worker(settings, sink.url, lease=QUICK) as process:
            finish(process)
        assert_nobody_missed_nobody_twice(sink, readers, doubts=5 * 2 * CONNECTIONS)


def test_kill_9_of_a_pool_child(settings: Settings, readers: list[str]) -> None:
    with SmtpSink(delay=0.004) as sink, worker(settings, sink.url, lease=QUICK) as process:
        wait_for(lambda: len(sink.accepted) >= 100, 40, "some are sent", process)
        for pid in process.children():
            os.kill(pid, signal.SIGKILL)
        finish(process)
        assert_nobody_missed_nobody_twice(sink, readers, doubts=2 * CONNECTIONS)


def test_a_deploy_leaves_no_doubt(settings: Settings, readers: list[str]) -> None:
    with SmtpSink(delay=0.004) as sink:
        with worker(settings, sink.url, lease=QUICK) as process:
            wait_for(lambda: len(sink.accepted) >= 100, 40, "some are sent", process)
            process.stop()
        assert len(sink.accepted) < len(readers)
        with worker(settings, sink.url, lease=QUICK) as process:
            finish(process)
        assert_nobody_missed_nobody_twice(sink, readers, doubts=0)


def test_a_worker_frozen_for_longer_than_its_lease_sends_nothing_when_it_wakes(
    settings: Settings, readers: list[str]
) -> None:
    with SmtpSink(delay=0.004) as sink, worker(settings, sink.url, processes=1, lease=4) as frozen:
        wait_for(lambda: len(sink.accepted) >= 100, 40, "some are sent", frozen)
        for pid in [*frozen.children(), frozen.popen.pid if frozen.popen else 0]:
            os.kill(pid, signal.SIGSTOP)
        with worker(settings, sink.url, processes=1, lease=4) as other:
            finish(other)
            assert frozen.popen is not None
            os.killpg(frozen.popen.pid, signal.SIGCONT)
            wait_for(lambda: "lease lost" in frozen.output, 20, "the frozen worker noticed", frozen)
        assert_nobody_missed_nobody_twice(sink, readers, doubts=CONNECTIONS)


def test_redis_may_forget_everything(settings: Settings, readers: list[str]) -> None:
    with SmtpSink(delay=0.004) as sink, worker(settings, sink.url, lease=QUICK) as process:
        wait_for(lambda: len(sink.accepted) >= 100, 40, "some are sent", process)
        redis.Redis.from_url(settings.redis_url).flushall()
        finish(process)
        assert_nobody_missed_nobody_twice(sink, readers, doubts=0)


def test_without_redis_mail_goes_out_all_the_same(settings: Settings, readers: list[str]) -> None:
    with SmtpSink() as sink, worker(settings, sink.url, redis_url="redis://127.0.0.1:1/0") as process:
        finish(process)
        assert_nobody_missed_nobody_twice(sink, readers, doubts=0)


def test_a_mail_server_that_is_down_at_the_start_and_dies_in_the_middle(settings: Settings, readers: list[str]) -> None:
    orders = {
        "reader7@example.com": Orders(at_rcpt="550 5.1.1 no such mailbox"),
        "reader8@example.com": Orders(at_dot="451 4.7.1 greylisted", times=1),
        "reader90@example.com": Orders(cut="at_data", times=1),
        "reader95@example.com": Orders(cut="after_dot", times=1),
    }
    with SmtpSink(orders=orders, greeting="421 4.3.2 starting up") as sink, worker(settings, sink.url) as process:
        wait_for(lambda: _trouble() == "421 4.3.2 starting up", 40, "the desk shows the server's words", process)
        sink.greeting = "220 sink.example"
        wait_for(lambda: progress().waiting >= 1 and progress().remaining == 0, 60, "all are tried", process)
        told = progress()
        assert (told.refused, told.unconfirmed) == (1, 1)
        assert told.waiting in (1, 2)  # reader 90 too, if the server had taken the envelope when it broke off
        assert told.accepted == len(readers) - 2 - told.waiting
        assert max(sink.copies.values()) == 1
        control.stop(db.session.get_one(Mailing, 1))
        db.session.commit()
        finish(process)
        assert progress().skipped == told.waiting


def _trouble() -> str:
    db.session.rollback()
    mailing = db.session.get(Mailing, 1)
    return mailing.trouble if mailing else ""
