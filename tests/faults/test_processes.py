"""Worker processes that die, freeze, or make room for new ones in the middle of a mailing."""

import os
import random
import shutil
import signal
import time
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.db import db
from newsletter.sending import ledger, letters
from newsletter.sending.models import Variant
from tests.faults.conftest import LONG, Check
from tests.faults.house import House, sent
from tests.faults.sink import Sink

pytestmark = pytest.mark.faults

CONNECTIONS = 2  # of each process
KILLS = 60 if LONG else 20
ROOT = Path(__file__).parents[2]


def test_a_pool_child_is_killed(house: House, sink: Sink, check: Check, dice: random.Random) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.002)
    with house.worker(sink.url(CONNECTIONS)) as worker:
        for killed in range(3):
            sent(sink, 300 * killed + dice.randrange(50, 250), worker)
            os.kill(dice.choice(worker.children()), signal.SIGKILL)
        house.finish(worker)
    check(unconfirmed=3 * CONNECTIONS)


def test_a_whole_worker_is_killed_and_another_goes_on(
    house: House, sink: Sink, check: Check, dice: random.Random
) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.004)
    with house.worker(sink.url(CONNECTIONS)) as dying, house.worker(sink.url(CONNECTIONS)) as other:
        sent(sink, 100 + dice.randrange(400), dying)
        dying.kill()
        house.finish(other)
    check(unconfirmed=2 * CONNECTIONS)


def test_all_workers_are_killed_at_once_time_after_time(
    house: House, sink: Sink, check: Check, dice: random.Random
) -> None:
    readers = house.readers(20_000)
    house.begin(chunk=250)
    sink.behave(delay=0.002)
    for kill in range(KILLS):
        with ExitStack() as workers:
            both = [workers.enter_context(house.worker(sink.url(CONNECTIONS), processes=1)) for _ in range(2)]
            moment = (kill * len(readers) + dice.randrange(len(readers))) // (KILLS + 1)
            sent(sink, max(moment, len(sink) + 20), both[0])
            assert not house.is_over()
            for worker in both:
                assert worker.popen is not None
                os.killpg(worker.popen.pid, signal.SIGKILL)
    with house.worker(sink.url(CONNECTIONS)) as worker:
        house.finish(worker, 120)
    check(unconfirmed=KILLS * 2 * CONNECTIONS)


def test_an_orderly_stop_leaves_no_doubt(house: House, sink: Sink, check: Check, dice: random.Random) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.004)
    for stop in range(3):
        with house.worker(sink.url(CONNECTIONS)) as worker:
            sent(sink, 400 * stop + dice.randrange(50, 300), worker)
            worker.stop()
            assert not house.is_over()
    assert house.recorded() == len(sink)
    with house.worker(sink.url(CONNECTIONS)) as worker:
        house.finish(worker)
    check(unconfirmed=0)


def test_a_worker_frozen_for_twice_its_lease_sends_nothing_when_it_wakes(
    house: House, sink: Sink, check: Check, dice: random.Random
) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(delay=0.004)
    with (
        house.worker(sink.url(CONNECTIONS), processes=1) as frozen,
        house.worker(sink.url(CONNECTIONS), processes=1) as other,
    ):
        sent(sink, 100 + dice.randrange(300), frozen)
        assert frozen.popen is not None
        os.killpg(frozen.popen.pid, signal.SIGSTOP)
        time.sleep(2 * house.settings.lease_seconds)
        os.killpg(frozen.popen.pid, signal.SIGCONT)
        house.finish(other)
    check(unconfirmed=CONNECTIONS)


def test_a_deploy_of_other_code_changes_no_byte(
    house: House, sink: Sink, check: Check, dice: random.Random, tmp_path: Path
) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(delay=0.004)
    with house.worker(sink.url(CONNECTIONS)) as old:
        sent(sink, 100 + dice.randrange(400), old)
        old.stop()
    assert not house.is_over()

    with house.worker(sink.url(CONNECTIONS), code=_other_code(tmp_path / "deploy")) as new:
        house.finish(new)
        house.readers_see_another_post()
        house.finish(new, mailing_id=2)

    check(unconfirmed=0)
    approved = letters.load(1)
    readers = ledger.readers(range(1, 1001), 1)
    expected = {reader.email: sha256(approved.message_for(reader).content).hexdigest() for reader in readers}
    assert {kept.recipient: kept.digest for kept in sink.messages()[:1000]} == expected
    assert all(b"the next release" in letter for letter in _letters(2))
    assert not any(b"the next release" in letter for letter in _letters(1))


def _letters(mailing_id: int) -> list[bytes]:
    return list(db.session.scalars(select(Variant.letter).where(Variant.mailing_id == mailing_id)))


def _other_code(folder: Path) -> Path:
    """The program as it might be after the next release: it writes its messages differently."""
    for package in ("newsletter", "emails", "worker"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    mime = folder / "emails" / "mime.py"
    before = '_text("MIME-Version: 1.0\\r\\n")'
    source = mime.read_text()
    assert before in source
    mime.write_text(source.replace(before, f'{before}, _text("X-Made-By: the next release\\r\\n")'))
    return folder
