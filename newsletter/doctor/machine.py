"""This machine: its disk, its clock, the journal, the log of its mail server."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db
from newsletter.doctor.findings import Finding, fail, ok, warn
from newsletter.sending import journal, judge
from newsletter.sending.postfix_log import Reading, Unreadable

NEARLY_FULL = 0.05  # of the disk is free
LEAST_FREE = 200 * 1024 * 1024  # bytes: journals of a large mailing, and some room
WRONG_BY = timedelta(seconds=2)
LOOK_AT = 16 * 1024 * 1024  # bytes of the mail server's log
FORGETFUL = {"tmpfs", "ramfs", "overlay"}  # file systems that a restart or a new container empties


def check(settings: Settings) -> Iterator[Finding]:
    """What needs no database."""
    yield _disk(settings.data_dir)
    yield _journal()
    if settings.postfix_log is not None:
        yield _postfix_log(settings.postfix_log)


def check_clock() -> Finding:
    """Leases go by the database's clock, dates in letters by ours."""
    asked_at = clock.now()
    theirs = db.session.scalar(select(func.clock_timestamp())) or asked_at
    ours = asked_at + (clock.now() - asked_at) / 2
    difference = abs(theirs - ours)
    if difference > WRONG_BY:
        words = f"differs from the database's by {difference.total_seconds():.0f} seconds."
        return warn("Clock", words, "Let both machines keep time by NTP.")
    return ok("Clock", "agrees with the database's.")


def _disk(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return fail("DATA_DIR", f"{folder} cannot be used: {error.strerror}.", "Let our user own that folder.")
    free = f"{usage.free // 1024**2:,} MB free"
    if usage.free < LEAST_FREE or usage.free < usage.total * NEARLY_FULL:
        return fail("DATA_DIR", f"its disk is nearly full: {free}.", "Without a journal nothing is sent. Make room.")
    return ok("DATA_DIR", f"has {free}.")


def _journal() -> Finding:
    try:
        journal.folder().mkdir(parents=True, exist_ok=True)
        with journal.Journal() as tried:
            tried.handing_over(0, None)
    except OSError as error:
        words = f"cannot be written: {error.strerror}. Nothing is sent without it."
        return fail("Journal", words, f"Let our user own {journal.folder()}.")
    kind = _file_system(journal.folder())
    if kind in FORGETFUL:
        words = f"is on {kind}, which forgets: what was being sent in a crash cannot be told afterwards."
        return warn("Journal", words, "Put DATA_DIR on a disk that survives a restart of this machine.")
    return ok("Journal", "can be written.")


def _file_system(folder: Path) -> str:
    """What kind the folder is on, where the system tells; else empty."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return ""
    best = ("", "")
    place = os.path.realpath(folder)
    for line in mounts.read_text().splitlines():
        _, point, kind, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if (place == point or place.startswith(point.rstrip("/") + "/")) and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def _postfix_log(path: Path) -> Finding:
    about = "Postfix log"
    advice = "It takes `maillog_file` in main.cf, and a group that our user belongs to."
    try:
        reading = Reading(path, datetime.now(UTC) - timedelta(days=1), ())
        reading.read(LOOK_AT)
        reading.close()
    except Unreadable as error:
        return fail(about, str(error), advice)
    if reading.has_short_ids:
        words = "has short queue ids, which are used again: it proves nothing."
        return fail(about, words, "Set in main.cf: enable_long_queue_ids = yes")
    if judge.local_relay() is None:
        words = "is set, but MAIL_URL names another way out: its log is not here."
        return warn(about, words, "The log of a Postfix on this machine helps where that is the only way out.")
    if not reading.is_written_to(clock.now()):
        words = "goes by another clock or time zone, or has no line yet."
        return warn(about, words, "Run Postfix and our processes in one time zone (TZ).")
    return ok(about, "can be read, and has long queue ids.")
