"""Whether this process can do its work now: the database, its tables, Redis. In words without names or secrets."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from newsletter.config import settings
from newsletter.db import db

PATIENCE = 1.0  # seconds for Redis
LONGEST = "3s"  # for one statement


@dataclass(frozen=True)
class Report:
    """`is_ready`: requests can be answered. `sentences`: everything that is not as it should be."""

    is_ready: bool
    sentences: tuple[str, ...]


class Shape(StrEnum):
    """How the tables are, compared with what this version needs."""

    GOOD = "are up to date"
    MISSING = "are missing"
    OLD = "are not up to date"
    NEW = "were made by a newer version of Newsletter"


def look() -> Report:
    """Takes no longer than a few seconds, and never raises for what it looks at."""
    missing = list(_database())
    degraded = [] if redis_answers() else ["Redis does not answer: mail goes out all the same, a little later."]
    return Report(not missing, (*missing, *degraded))


def redis_answers() -> bool:
    """Also when it has a password that we do not know: then it is of no use to us."""
    try:
        with Redis.from_url(settings().redis_url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE) as redis:
            return bool(redis.ping())
    except (RedisError, OSError):
        return False


def shape() -> Shape:
    """Raises SQLAlchemyError when the database does not answer."""
    scripts = ScriptDirectory(f"{current_app.root_path}/migrations")
    present = set(MigrationContext.configure(db.session.connection()).get_current_heads())
    if present == set(scripts.get_heads()):
        return Shape.GOOD
    if present - {script.revision for script in scripts.walk_revisions()}:
        return Shape.NEW
    return Shape.OLD if present else Shape.MISSING


def limit_statements() -> None:
    """Whoever asks how we are must not wait for long, nor keep others waiting."""
    db.session.execute(text(f"SET LOCAL statement_timeout = '{LONGEST}'"))


def _database() -> Iterator[str]:
    try:
        limit_statements()
        found = shape()
    except SQLAlchemyError:
        yield "The database does not answer."
        return
    finally:
        db.session.rollback()
    if found is not Shape.GOOD:
        yield f"The tables {found}."
