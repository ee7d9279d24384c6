"""Limits that several worker processes hold together, with Redis and without."""

import socket
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from newsletter import config
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import queries, start
from tests.journeys.processes import wait_for, worker
from tests.smtp_sink import SmtpSink
from tests.worker.lane_house import readers
from tests.worker.test_deliver import send_now
from worker import tasks

pytestmark = [pytest.mark.journey, pytest.mark.slow]


class Timed(list[tuple[str, bytes]]):
    """Keeps when each message was accepted."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float]] = []

    def append(self, item: tuple[str, bytes]) -> None:
        super().append(item)
        self.times.append((item[0].partition("@")[2], time.monotonic()))

    def of(self, domain: str) -> list[float]:
        return [at for whose, at in self.times if whose == domain]


def most_in(seconds: float, times: list[float]) -> int:
    """The largest number within any such time."""
    return max(sum(begin <= each < begin + seconds for each in times) for begin in times)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        server.accepted = Timed()
        yield server


@pytest.mark.parametrize("has_redis", [True, False])
def test_two_processes_hold_a_limit_together(
    app: Flask, settings: config.Settings, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, has_redis: bool
) -> None:
    monkeypatch.setattr(start, "CHUNK", 50)
    readers("gmail.com", "example.com", each=150)
    send_now()
    tasks.run(Job.START_DUE_MAILINGS)
    limits = "google: 10/s 1000/h"  # for longer than one process alone needs to look at every chunk
    urls = [settings.redis_url] * 2 if has_redis else [_away()] * 2

    with (
        worker(settings, sink.url, processes=1, redis_url=urls[0], DESTINATION_LIMITS=limits) as first,
        worker(settings, sink.url, processes=1, redis_url=urls[1], DESTINATION_LIMITS=limits),
    ):
        wait_for(_is_over, 120, "finished", first)

    timed = sink.accepted
    assert isinstance(timed, Timed)
    progress = queries.progress(1)
    assert (progress.accepted, progress.unconfirmed) == (300, 0)
    assert set(sink.copies.values()) == {1}
    assert most_in(5.0, timed.of("gmail.com")) <= 10 * 5 + 10  # and what two buckets may hold
    assert max(timed.of("example.com")) < max(timed.of("gmail.com")) - 2, "the others did not wait"


def _is_over() -> bool:
    db.session.rollback()
    return queries.progress(1).is_over


def _away() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
