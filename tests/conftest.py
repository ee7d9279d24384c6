"""Real servers for every test: a PostgreSQL and a Valkey of its own for each test process."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import text

from newsletter import config, jobs
from newsletter.app import create_app
from newsletter.db import Base, db
from newsletter.guards import limiter
from newsletter.up import postgres, valkey
from tests.doubles import JobQueue, Outbox
from tests.product import product as product  # the whole product, running: for those who drive it from outside
from worker import lanes, relays
from worker.fleet import fleet

SECRET_KEY = "a key for tests only that is long enough to sign"


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[str, str]]:
    """Addresses of a PostgreSQL and a Valkey: this process's own, or those that TEST_*_URL name."""
    if "TEST_DATABASE_URL" in os.environ:
        yield os.environ["TEST_DATABASE_URL"], os.environ["TEST_REDIS_URL"]
        return
    with tempfile.TemporaryDirectory(prefix="newsletter-tests-") as folder:
        database = postgres.start(Path(folder) / "postgres", durable=False)
        redis = valkey.start(Path(folder) / "valkey")
        try:
            yield database.url, redis.url
        finally:
            redis.stop()
            database.stop()


@pytest.fixture(scope="session")
def settings(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> config.Settings:
    database_url, redis_url = servers
    os.environ.update(
        SECRET_KEY=SECRET_KEY,
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        MAIL_URL="smtp://127.0.0.1:1",
        SITE_URL="http://letters.example.org",
        DATA_DIR=str(tmp_path_factory.mktemp("var")),
        PASSWORD_MEMORY_KIB="8",
    )
    config.settings.cache_clear()
    return config.settings()


@pytest.fixture(scope="session")
def migrated_app(settings: config.Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.config.update(TESTING=True, SERVER_NAME="letters.example.org", WTF_CSRF_ENABLED=False)
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(migrated_app: Flask) -> Iterator[Flask]:
    """The app on an empty database, inside its context."""
    with migrated_app.app_context():
        fleet.close()  # connections that the test before has left waiting lead to its server
        _empty_tables()
        limiter.reset()
        lanes.forget()
        relays.down.forget()
        yield migrated_app
        db.session.remove()


@pytest.fixture
def bounce_domain(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("BOUNCE_DOMAIN", "bounces.example.org")
    config.settings.cache_clear()
    yield "bounces.example.org"
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def jobs_queue(app: Flask, monkeypatch: pytest.MonkeyPatch) -> JobQueue:
    queue = JobQueue()
    monkeypatch.setattr(jobs, "ring", queue.ring)
    return queue


@pytest.fixture
def outbox(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """Where mail ends up instead of at a mail server."""
    return Outbox.install(monkeypatch)


def _empty_tables() -> None:
    """A tenth of what TRUNCATE takes: most tables are empty already."""
    tables = list(reversed(Base.metadata.sorted_tables))
    counters = [
        f"setval(pg_get_serial_sequence('{table.name}', 'id'), 1, false)" for table in tables if "id" in table.c
    ]
    emptied = "".join(f"DELETE FROM {table.name}; " for table in tables)
    db.session.execute(text(f"{emptied} SELECT {', '.join(counters)}"))
    db.session.commit()
