"""The doctor on a real PostgreSQL, Valkey and mail server: well, ill, and not there at all."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from aiosmtpd.smtp import SMTP
from flask import Flask
from redis import Redis
from sqlalchemy import text

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db
from newsletter.doctor import redis_server
from newsletter.doctor.examine import examine
from newsletter.doctor.findings import Finding
from newsletter.sending.models import Heartbeat
from tests import factories
from tests.cli.conftest import Newsletter, newsletter  # noqa: F401  # a fixture


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[Settings]:
    """A mail server that takes everything, and the settings that name it."""
    loop, ports = asyncio.new_event_loop(), []
    ready = threading.Event()

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(object(), loop=loop), "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await closing.wait()
        server.close()
        await asyncio.sleep(0.1)

    closing = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    yield settings.model_copy(update={"mail_url": f"smtp://127.0.0.1:{ports[0]}"})
    loop.call_soon_threadsafe(closing.set)
    thread.join()
    loop.close()


def no_records(name: str, kind: str) -> list[str]:
    return []


def levels(settings: Settings) -> dict[str, str]:
    return {finding.about: finding.level.value for finding in examine(settings, no_records)}


def one(found: list[Finding]) -> Finding:
    assert len(found) == 1
    return found[0]


def test_a_running_installation_is_well(app: Flask, mail_server: Settings) -> None:
    factories.newsletter(sender_email="ken@letters.org")
    db.session.add_all([Heartbeat(process="worker:desk:1"), Heartbeat(process="beat")])
    db.session.commit()

    found = levels(mail_server.model_copy(update={"site_url": "https://letters.org"}))

    assert {about for about, level in found.items() if level != "ok"} == {
        "SPF letters.org",
        "DKIM letters.org",
        "DMARC letters.org",
        "Replies letters.org",
    }


def test_a_new_installation_is_told_what_is_missing(app: Flask, settings: Settings) -> None:
    found = levels(settings)

    assert found["PostgreSQL"] == found["Tables"] == found["Redis"] == "ok"
    assert found["Mail server"] == found["Worker"] == found["Site"] == "fail"
    assert found["Beat"] == found["Publication"] == "warn"


def test_processes_that_were_seen_long_ago_are_not_alive(app: Flask, settings: Settings) -> None:
    db.session.add(Heartbeat(process="worker:desk:1", seen_at=clock.now().replace(year=2020)))
    db.session.commit()

    assert levels(settings)["Worker"] == "fail"


def test_nothing_can_be_sent_without_a_postal_address(app: Flask, settings: Settings) -> None:
    factories.publication(postal_address=" ")
    db.session.commit()

    assert levels(settings)["Postal address"] == "fail"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DELETE FROM alembic_version", "are missing"),
        ("UPDATE alembic_version SET version_num = '9999'", "newer version"),
    ],
)
def test_tables_of_another_version_are_noticed(app: Flask, settings: Settings, change: str, words: str) -> None:
    db.session.execute(text(change))

    found = {finding.about: finding for finding in examine(settings, no_records)}
    db.session.rollback()

    assert words in found["Tables"].sentence
    assert "Worker" not in found  # nothing is asked of tables that are not there


def test_a_redis_that_is_away_is_one_sentence() -> None:
    finding = one(list(redis_server.check("redis://127.0.0.1:1/0")))

    assert finding.level == "fail"


def test_a_redis_that_forgets_and_lets_everybody_in_is_noticed(settings: Settings) -> None:
    seen_from_afar = settings.redis_url.replace("127.0.0.1", "0.0.0.0")  # this machine, by a name that is not local
    with Redis.from_url(settings.redis_url) as redis:
        before = redis.config_get("*")
        try:
            redis.config_set("maxmemory-policy", "allkeys-lru")
            closed = [finding.level for finding in redis_server.check(seen_from_afar)]
            redis.config_set("requirepass", "")
            opened = list(redis_server.check(seen_from_afar))[-1]
        finally:
            redis.config_set("requirepass", before["requirepass"])
            redis.config_set("maxmemory-policy", before["maxmemory-policy"])

    assert closed == ["ok", "warn", "ok"]
    assert opened.level == "fail"
    assert "without a password" in opened.sentence


def test_the_command_shows_a_table_and_fails_when_something_has(newsletter: Newsletter) -> None:  # noqa: F811
    done = newsletter("doctor")

    assert done.exit_code == 1
    assert "Mail server" in done.output
    assert "have to be mended" in done.stderr
