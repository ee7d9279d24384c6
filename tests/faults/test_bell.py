"""Redis carries only the bell: it may be gone, forget everything, or ring far too often."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from newsletter.bells import HEARD_AGAIN_AFTER, Job
from newsletter.relays import CONNECTIONS
from newsletter.sending.start import SMALLEST_CHUNK
from tests.faults.conftest import LONG, Check
from tests.faults.house import House, sent
from tests.faults.sink import Sink
from tests.journeys.processes import Process

pytestmark = pytest.mark.faults

AWAY = 120 if LONG else 12  # seconds, in which a worker looks by itself as often as otherwise in three minutes
BEATEN = 35  # seconds: each beat has rung once for what is due, and once with a sign of life


def test_redis_is_killed_and_comes_back(house: House, sink: Sink, check: Check, dice: random.Random) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.004)
    with house.worker(sink.url()) as worker:
        for kill in range(3):
            sent(sink, 300 * kill + dice.randrange(50, 200), worker)
            _kill(house)
            time.sleep(dice.random())
            house.bell.start(house.bell.port)
        house.finish(worker)
    check(unconfirmed=0)


def test_redis_forgets_everything(house: House, sink: Sink, check: Check, dice: random.Random) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.004)
    with house.worker(sink.url()) as worker:
        for flush in range(5):
            sent(sink, 200 * flush + dice.randrange(50, 150), worker)
            redis.Redis.from_url(house.bell.url).flushall()
        house.finish(worker)
    check(unconfirmed=0)


def test_without_redis_the_mailing_goes_on_and_the_worker_hears_the_bell_again(
    house: House, sink: Sink, check: Check, dice: random.Random
) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(delay=0.02)
    with house.worker(sink.url(connections=1)) as worker:
        sent(sink, 50 + dice.randrange(50), worker)
        _kill(house)
        before, away_since = len(sink), time.monotonic()
        sent(sink, before + 150, worker)
        time.sleep(max(0.0, AWAY - (time.monotonic() - away_since)))
        house.bell.start(house.bell.port)
        time.sleep(HEARD_AGAIN_AFTER)
        sink.behave(delay=0.0)
        house.finish(worker)
        house.readers_see_another_post()
        house.finish(worker, 10, mailing_id=2)  # every process of the pool has heard it
    check(unconfirmed=0)
    check(unconfirmed=0, mailing_id=2)


def test_two_beats_two_sweeps_and_five_bells_for_every_job(
    house: House, sink: Sink, check: Check, tmp_path: Path
) -> None:
    house.readers(600)
    house.schedule()
    # Each chunk has four connections, and so takes as long as two beats need to be heard.
    sink.behave(delay=BEATEN * CONNECTIONS / SMALLEST_CHUNK)
    beats = [
        Process(
            house.settings,
            sink.url(),
            *("worker.beat", "--schedule", str(tmp_path / f"beat-{number}")),
        )
        for number in (1, 2)
    ]
    with beats[0], beats[1], house.worker(sink.url()) as worker, house.worker(sink.url()) as other:
        with ThreadPoolExecutor(10) as many:
            list(many.map(lambda _: house.ring(Job.START_DUE_MAILINGS), range(5)))
            sent(sink, 1, worker)
            list(many.map(lambda _: house.ring(Job.DELIVER, 1), range(5)))
            list(many.map(lambda _: house.ring(Job.SWEEP), range(2)))
        house.finish(other, 120)
    assert house.asked("SELECT count(*) FROM mailing") == 1
    assert house.asked("SELECT count(*) FROM heartbeat WHERE process = 'beat'") == 1
    check(unconfirmed=0)


def _kill(house: House) -> None:
    assert house.bell.process is not None
    house.bell.process.kill()
    house.bell.process.wait(10)
