"""PostgreSQL: there, new enough, and in the shape that this version needs."""

from collections.abc import Iterator

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from newsletter.db import db
from newsletter.doctor.findings import Finding, fail, ok

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
    scripts = ScriptDirectory(f"{current_app.root_path}/migrations")
    newest = set(scripts.get_heads())
    present = set(MigrationContext.configure(db.session.connection()).get_current_heads())
    if present == newest:
        return ok("Tables", "are up to date.")
    known = {script.revision for script in scripts.walk_revisions()}
    if present - known:
        return fail("Tables", "were made by a newer version of Newsletter.", "Run that version, or restore a backup.")
    return fail("Tables", "are not up to date." if present else "are missing.", "Run: newsletter migrate")
