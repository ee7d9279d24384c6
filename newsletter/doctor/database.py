"""PostgreSQL: there, new enough, and in the shape that this version needs."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from newsletter.db import db
from newsletter.doctor.findings import Finding, fail, ok
from newsletter.watch import readiness
from newsletter.watch.readiness import Shape

OLDEST = 15


def check() -> Iterator[Finding]:
    try:
        version = db.session.scalar(text("SHOW server_version_num"))
    except OperationalError as error:
        words = str(error.orig).strip().splitlines()[0]
        yield fail("PostgreSQL", f"does not answer: {words}", "Check DATABASE_URL, and that the server runs.")
        return
    major = int(version or 0) // 10_000
    if major < OLDEST:
        yield fail("PostgreSQL", f"is version {major}.", f"Version {OLDEST} is the oldest that works.")
        return
    yield ok("PostgreSQL", f"answers, version {major}.")
    yield _shape()


def _shape() -> Finding:
    found = readiness.shape()
    if found is Shape.GOOD:
        return ok("Tables", f"{found}.")
    advice = "Run that version, or restore a backup." if found is Shape.NEW else "Run: newsletter migrate"
    return fail("Tables", f"{found}.", advice)
