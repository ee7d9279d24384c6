"""Our own Postfix, whose log tells what became of messages whose answer was lost: real workers, killed at random."""

import random
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from flask import Flask
from sqlalchemy import insert, text

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending import letters, queries
from newsletter.sending.models import Mailing
from newsletter.subscribers.models import Subscriber, Subscription
from tests import factories, postfix
from tests.journeys.processes import Process, wait_for
from tests.postfix import Postfix

pytestmark = [pytest.mark.journey, pytest.mark.skipif(not postfix.is_here(), reason="needs Postfix, and root")]

READERS = 4000
KILLS = 8
SETTLE = 4  # seconds: no connection of a killed worker is open for longer here


@pytest.fixture
def readers(app: Flask, settings: Settings) -> list[int]:
    """Their ids; and a post due now."""
    redis.Redis.from_url(settings.redis_url).flushall()
    weekly = factories.newsletter()
    values = [
        {
            "publication_id": weekly.publication_id,
            "email": f"reader{number}@example.com",
            "email_key": f"reader{number}@example.com",
            "confirmed_at": clock.now(),
        }
        for number in range(READERS)
    ]
    ids = list(db.session.scalars(insert(Subscriber).returning(Subscriber.id), values))
    db.session.execute(insert(Subscription), [{"subscriber_id": each, "newsletter_id": weekly.id} for each in ids])
    publishing.schedule(factories.post(), clock.now() - timedelta(seconds=1), "UTC")
    db.session.commit()
    return ids


def worker(settings: Settings, relay: Postfix, log: Path) -> Process:
    return Process(
        settings,
        relay.url,
        "worker",
        LEASE_SECONDS="4",
        POSTFIX_LOG=str(log),
        SETTLE_SECONDS=str(SETTLE),
    )


def recorded() -> int:
    db.session.rollback()
    return queries.progress(1).recorded if db.session.get(Mailing, 1) else 0


def is_settled() -> bool:
    db.session.rollback()
    mailing = db.session.get(Mailing, 1)
    return mailing is not None and mailing.finished_at is not None and queries.progress(1).unconfirmed == 0


def test_after_the_judge_has_spoken_nobody_is_in_doubt_nobody_missed_nobody_mailed_twice(
    settings: Settings, readers: list[int]
) -> None:
    seed = time.time_ns() % 100_000
    chance = random.Random(seed)
    with Postfix() as relay:
        time.sleep(2)  # the log counts whole seconds: it has to begin before the mailing
        for number in range(1, KILLS + 1):
            with worker(settings, relay, relay.log) as process:
                goal = number * READERS // (KILLS + 1)
                wait_for(lambda goal=goal: recorded() >= goal, 60, f"{goal} are recorded", process)  # type: ignore[misc]
                time.sleep(chance.uniform(0, 0.05))
            if number == KILLS // 2:
                relay.rotate()
        with worker(settings, relay, relay.log) as process:
            wait_for(is_settled, 150, "the judge has spoken", process)
            doubts = _doubts()
            wait_for(lambda: relay.queued() == 0, 60, f"the queue is empty\n{relay.troubles()}")
        arrived = relay.arrived()

    told = queries.progress(1)
    ours = Counter({letters.message_id(1, each): 1 for each in readers})
    print(f"seed {seed}: {doubts} in doubt, lost {len(ours - arrived)}, twice {sum((arrived - ours).values())}")
    assert doubts > 0, "no kill left a doubt: this proves nothing"
    assert arrived == ours
    assert (told.accepted, told.unconfirmed) == (READERS, 0)


def _doubts() -> int:
    return int(db.session.scalar(text("SELECT count(*) FROM doubt")) or 0)
