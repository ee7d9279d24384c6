"""A house for each file of tests, a mail server for each test, and the account that each ends with."""

import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from newsletter.db import db
from tests.faults.account import Account, settle
from tests.faults.house import House, house_in
from tests.faults.sink import Sink

LONG = os.environ.get("FAULTS") == "long"
SEED = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(1_000_000))

Check = Callable[..., Account]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Flask]]:
    with house_in(tmp_path_factory.mktemp("house")) as house:
        app = house.app()
        yield house, app
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def house(built: tuple[House, Flask], tmp_path: Path) -> Iterator[House]:
    """Empty, with folders of its own."""
    house, app = built
    with app.app_context():
        house.empty()
        house.move(tmp_path / "var")
        yield house
        db.session.remove()


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with Sink(tmp_path / "sink") as sink:
        yield sink


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Random moments that FAULTS_SEED brings back."""
    print(f"FAULTS_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def check(sink: Sink, record_property: Callable[[str, object], None]) -> Check:
    """The end of every test: nobody lost, nobody twice, doubts within the bound, and the sums are right."""

    def told(**given: Any) -> Account:
        account = settle(sink, **given)
        print(account)
        record_property("faults", str(account))
        assert not account.lost
        assert not account.twice
        assert not account.wrong
        assert account.unconfirmed <= account.bound
        return account

    return told


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The account of every test, as a table."""
    told: dict[str, list[str]] = defaultdict(list)
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "faults" and report.when == "call":
                    told[report.nodeid.rpartition("::")[2]].append(value)
    if told:
        terminalreporter.section(f"faults (FAULTS_SEED={SEED})")
        for test, accounts in told.items():
            for account in accounts:
                terminalreporter.line(f"{test.removeprefix('test_').replace('_', ' ')}: {account}")
