"""A database that restarts, dies, loses its answers, or has no room: and a disk without room for the journal."""

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from newsletter.db import db
from tests.faults.conftest import LONG, Check
from tests.faults.house import House, sent
from tests.faults.proxy import Proxy
from tests.faults.sink import Sink
from tests.journeys.processes import wait_for

pytestmark = pytest.mark.faults

ROUNDS = 10 if LONG else 3
CONNECTIONS = 2
PROCESSES, CHUNK = 2, 100  # of a worker; readers that one of them has in hand


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restarts", "is killed"])
def test_the_database(house: House, sink: Sink, check: Check, dice: random.Random, how: signal.Signals) -> None:
    readers = house.readers(1500)
    house.begin()
    sink.behave(delay=0.004)
    with house.worker(sink.url(CONNECTIONS)) as worker:
        for fault in range(ROUNDS):
            sent(sink, fault * len(readers) // (ROUNDS + 1) + dice.randrange(50, 200), worker)
            _restart(house, how)
        house.finish(worker)
    check(unconfirmed=0)


def test_the_answers_to_some_commits_are_lost(house: House, sink: Sink, check: Check, dice: random.Random) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.002)
    with (
        Proxy(house.database.port).seeded(dice) as proxy,
        house.worker(sink.url(CONNECTIONS), DATABASE_URL=_through(proxy, house)) as worker,
    ):
        sent(sink, 1, worker)
        proxy.lose_answers = 0.1
        wait_for(lambda: proxy.lost >= ROUNDS or house.is_over(), 60, "answers are lost", worker)
        house.finish(worker, 120)
    assert proxy.lost
    check(unconfirmed=0)


def test_the_connection_to_the_database_is_slow_cut_and_half_closed(
    house: House, sink: Sink, check: Check, dice: random.Random
) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.004)
    with (
        Proxy(house.database.port) as proxy,
        house.worker(sink.url(CONNECTIONS), DATABASE_URL=_through(proxy, house)) as worker,
    ):
        sent(sink, 50, worker)
        proxy.delay = 0.02
        for fault in range(ROUNDS):
            sent(sink, 100 + 300 * fault, worker)
            proxy.cut_after(dice.randrange(1, 5000))
            sent(sink, 200 + 300 * fault, worker)
            proxy.half_close()
        proxy.cut_all()
        house.finish(worker, 120)
    check(unconfirmed=0)


def test_a_worker_that_is_cut_off_from_the_database_for_longer_than_its_lease_falls_silent(
    house: House, sink: Sink, check: Check
) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.01)
    with (
        Proxy(house.database.port) as proxy,
        house.worker(sink.url(CONNECTIONS), DATABASE_URL=_through(proxy, house)) as cut_off,
    ):
        sent(sink, 100, cut_off)
        proxy.delay = 3 * house.settings.lease_seconds
        time.sleep(house.settings.lease_seconds)
        silent_since = len(sink)
        time.sleep(house.settings.lease_seconds)
        assert len(sink) == silent_since
        with house.worker(sink.url(CONNECTIONS)) as other:
            proxy.delay = 0.0
            house.finish(other)
    check(unconfirmed=2 * CONNECTIONS)


def test_the_disk_of_the_journal_is_full(house: House, sink: Sink, check: Check, tmp_path: Path) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(delay=0.004)
    with _small_disk(tmp_path / "small", "16k") as disk:
        (disk / "host").write_text("a small disk")
        with house.worker(sink.url(CONNECTIONS), DATA_DIR=str(disk)) as worker:
            wait_for(lambda: "No space left" in worker.output, 30, "the disk is full", worker)
            # What is taken over makes room again: now we get it, now the next journal, which soon is full as well.
            _fill_until_nothing_is_sent(disk, sink)
            _resize(disk, "8m")
            house.finish(worker)
    check(unconfirmed=0)


def test_the_disk_of_the_database_is_full(house: House, sink: Sink, check: Check, tmp_path: Path) -> None:
    house.readers(1000)
    house.begin(chunk=CHUNK)
    sink.behave(delay=0.002)
    # Not among the folders of the test: the server's user may not enter them.
    with _small_disk(Path(tempfile.mkdtemp()) / "small", "64k") as disk, _ledger_on(disk, house):
        with house.worker(sink.url(CONNECTIONS)) as worker:
            wait_for(lambda: "DiskFull" in worker.output, 30, "the disk is full", worker)
            before = len(sink)
            time.sleep(3)
            assert before < 1000
            assert len(sink) - house.recorded() <= PROCESSES * CHUNK, "nobody else was written to"
            _resize(disk, "8m")
            house.finish(worker)
        check(unconfirmed=0)


def _restart(house: House, how: signal.Signals) -> None:
    assert house.database.process is not None
    house.database.process.send_signal(how)
    house.database.process.wait(30)
    house.database.start(house.database.port)


def _through(proxy: Proxy, house: House) -> str:
    return house.plain_url().replace(f":{urlsplit(house.plain_url()).port}/", f":{proxy.port}/")


@contextmanager
def _small_disk(folder: Path, size: str) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder.parent.chmod(0o755)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _fill(folder: Path) -> None:
    with (folder / "something else").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))


def _fill_until_nothing_is_sent(folder: Path, sink: Sink, seconds: float = 2) -> None:
    seen, silent_since = len(sink), time.monotonic()
    while time.monotonic() - silent_since < seconds:
        _fill(folder)
        time.sleep(0.001)
        if len(sink) != seen:
            seen, silent_since = len(sink), time.monotonic()


def _resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


@contextmanager
def _ledger_on(disk: Path, house: House) -> Iterator[None]:
    """The table of outcomes lives there meanwhile."""
    process = house.database.process
    assert process is not None
    owner = Path(f"/proc/{process.pid}").stat()
    place = disk / "space"
    place.mkdir()
    os.chown(place, owner.st_uid, owner.st_gid)
    _alone(house, f"CREATE TABLESPACE small LOCATION '{place}'", "ALTER TABLE delivery SET TABLESPACE small")
    try:
        yield
    finally:
        _alone(house, "ALTER TABLE delivery SET TABLESPACE pg_default", "DROP TABLESPACE small")


def _alone(house: House, *statements: str) -> None:
    db.session.rollback()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
