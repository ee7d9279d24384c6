"""The main flow once more, on the PostgreSQL and the Redis that the system brings instead of our wheels."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from newsletter.up import postgres, programs, valkey
from newsletter.up.processes import CannotStart

pytestmark = [pytest.mark.servers, pytest.mark.journey]

ROOT = Path(__file__).parents[2]
FLOW = ("tests/subscribers", "tests/posts", "tests/sending", "tests/worker", "tests/imports", "tests/test_jobs.py")
WITH_REAL_WORKERS = (
    "tests/journeys/test_worker_processes.py::test_a_mailing_goes_out_to_everyone_once",
    "tests/journeys/test_worker_processes.py::test_kill_9_of_a_pool_child",
    "tests/journeys/test_worker_processes.py::test_redis_may_forget_everything",
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Addresses of both, each in a folder of its own, with nothing in it."""
    folder = tmp_path_factory.mktemp("servers")
    with pytest.MonkeyPatch.context() as machine:
        machine.setattr(programs, "_package", lambda name: None)  # as where no wheel fits
        try:
            programs.postgres()
            programs.valkey()
        except CannotStart as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"{error.sentence} (Debian: apt-get install postgresql redis-server)")
        database = postgres.start(folder / "postgres", durable=False)
        try:
            bell = valkey.start(folder / "redis")
        except BaseException:
            database.stop()
            raise
    try:
        yield database.url, bell.url
    finally:
        bell.stop()
        database.stop()


@pytest.fixture
def empty(servers: tuple[str, str]) -> tuple[str, str]:
    """The same two, with a database that nobody has used, and a Redis that remembers nothing."""
    database, bell = servers
    with psycopg.connect(f"{plain(database).rpartition('/')[0]}/postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE newsletter WITH (FORCE)")
        connection.execute("CREATE DATABASE newsletter")
    with redis.Redis.from_url(bell) as client:
        client.flushall()
    return servers


def test_they_are_the_systems_own(servers: tuple[str, str]) -> None:
    database, bell = servers
    with psycopg.connect(plain(database)) as connection:
        version = connection.info.server_version // 10000
        (told,) = connection.execute("SELECT version()").fetchone() or ("",)
    with redis.Redis.from_url(bell) as client:
        about = client.info("server")

    print(f"{told}; Redis {about['redis_version']}")
    assert version >= 15
    assert int(str(about["redis_version"]).partition(".")[0]) >= 7
    assert about.get("server_name", "redis") == "redis", "this is Valkey"


def test_everything_between_sign_up_and_delivery_works_on_them(empty: tuple[str, str]) -> None:
    said = pytest_on(empty, *FLOW, "-m", "not journey and not browser and not judges and not servers")

    assert " passed" in said


def test_real_workers_work_on_them(empty: tuple[str, str]) -> None:
    said = pytest_on(empty, *WITH_REAL_WORKERS)

    assert "3 passed" in said


def pytest_on(servers: tuple[str, str], *chosen: str) -> str:
    """Run chosen tests in a process of its own, on these servers."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**ours, "TEST_DATABASE_URL": servers[0], "TEST_REDIS_URL": servers[1]}
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", *chosen]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout
    return done.stdout


def plain(url: str) -> str:
    """As psycopg itself wants it."""
    return url.replace("+psycopg", "")
