"""A worker whose settings a test chooses, as if it had just been started with them."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import func, update

from newsletter import config
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.publication.models import Newsletter
from newsletter.sending.models import Chunk, Waiting
from newsletter.subscribers.models import Subscriber, Subscription
from tests import factories
from tests.doubles import JobQueue
from worker import lanes, relays
from worker.fleet import fleet

Configure = Callable[..., None]


@pytest.fixture
def configure(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    def set_up(**environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name.upper(), value)
        begin_anew()

    fleet.close()
    yield set_up
    monkeypatch.undo()
    fleet.close()
    begin_anew()


def begin_anew() -> None:
    config.settings.cache_clear()
    relays.relays.cache_clear()
    lanes.forget()
    relays.down.forget()


def readers(*domains: str, each: int) -> Newsletter:
    """So many readers at each domain, domain after domain in turn."""
    weekly = factories.newsletter()
    for number in range(each):
        for domain in domains:
            address = f"r{number}@{domain}"
            db.session.add(
                Subscriber(
                    publication_id=weekly.publication_id,
                    email=address,
                    email_key=address,
                    confirmed_at=func.now(),
                    subscriptions=[Subscription(newsletter=weekly)],
                )
            )
    db.session.flush()
    return weekly


def all_are_due() -> None:
    db.session.execute(update(Chunk).where(Chunk.state == "free").values(send_after=func.now()))
    db.session.execute(update(Waiting).values(send_after=func.now()))
    db.session.commit()


def go_on(jobs_queue: JobQueue) -> None:
    """As when the time of every chunk has come."""
    all_are_due()
    jobs_queue.ring(Job.SWEEP)
    jobs_queue.run()


class Watched(list[tuple[str, bytes]]):
    """What a server has accepted; something happens at the very moment when it is so much."""

    def __init__(self, length: int, act: Callable[[], object]) -> None:
        self._length, self._act = length, act

    def append(self, item: tuple[str, bytes]) -> None:
        super().append(item)
        if len(self) == self._length:
            self._act()
