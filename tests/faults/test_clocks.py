"""Clocks that jump an hour, of the worker and of the database."""

import random
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.db import db
from newsletter.up.programs import PostgresPrograms
from tests.faults.conftest import Check
from tests.faults.house import House, sent
from tests.faults.sink import Sink
from tests.journeys.processes import wait_for

pytestmark = pytest.mark.faults

CONNECTIONS = 2
JUMPS = ["+1h", "-1h"]


@pytest.fixture
def clock() -> Iterator[Path]:
    """Where libfaketime looks for how far off the clock is."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "clock"
        _set(file, "+0")
        yield file


@pytest.mark.parametrize("jump", JUMPS)
def test_the_clock_of_the_worker_jumps(
    house: House, sink: Sink, check: Check, dice: random.Random, clock: Path, jump: str
) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.004)
    with house.worker(sink.url(CONNECTIONS), **_faked(clock)) as worker:
        sent(sink, dice.randrange(100, 400), worker)
        _set(clock, jump)
        sent(sink, dice.randrange(500, 900), worker)
        _set(clock, "+0")
        house.finish(worker)
    check(unconfirmed=0)


@pytest.mark.parametrize("jump", JUMPS)
def test_the_clock_of_the_database_jumps(
    house: House, sink: Sink, check: Check, dice: random.Random, clock: Path, jump: str
) -> None:
    programs = house.database._programs
    _wrapped(programs.postgres, clock)
    house.database._programs = PostgresPrograms(clock.parent)
    _restart(house)
    try:
        house.readers(1500)
        house.begin()
        sink.behave(delay=0.004)
        with house.worker(sink.url(CONNECTIONS)) as worker:
            for moment in (300, 700):
                sent(sink, moment - dice.randrange(200), worker)
                before = house.asked("SELECT now()")
                _set(clock, jump if moment == 300 else "+0")
                wait_for(lambda b=before: _hours_between(house.asked("SELECT now()"), b) >= 1, 20, "the jump", worker)  # type: ignore[misc]
            house.finish(worker, 90)
    finally:
        house.database._programs = programs
        _restart(house)
    check(unconfirmed=2 * 2 * CONNECTIONS)


def _hours_between(moment: datetime, before: datetime) -> int:
    return round(abs((moment - before).total_seconds()) / 3600)


def _faked(clock: Path) -> dict[str, Any]:  # environment variables
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    assert library, "these tests need libfaketime (Debian: apt-get install faketime)"
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",  # seconds until a jump is noticed
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # a clock that is set, as people and time servers do
        "DONT_FAKE_MONOTONIC": "1",
    }


def _wrapped(program: Path, clock: Path) -> None:
    """The same program with a clock of ours: only it, for what becomes another user on the way could not share it."""
    wrapper = clock.parent / program.name
    exports = "".join(f"export {name}='{value}'\n" for name, value in _faked(clock).items())
    wrapper.write_text(f'#!/bin/sh\n{exports}exec {program} "$@"\n')
    wrapper.chmod(0o755)


def _set(clock: Path, offset: str) -> None:
    draft = clock.with_name("draft")
    draft.write_text(f"{offset}\n")
    draft.chmod(0o644)
    draft.replace(clock)


def _restart(house: House) -> None:
    db.session.remove()
    db.engine.dispose()  # it is back sooner than a connection counts as idle
    house.database._give_up()
    house.database.start(house.database.port)
