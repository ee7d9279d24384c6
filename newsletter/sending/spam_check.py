"""What the spam filter of this machine makes of a letter, where there is one. It asks no network and learns nothing."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy.dialects.postgresql import insert

import emails
from newsletter import clock
from newsletter.db import db
from newsletter.posts import content
from newsletter.posts.models import Post, SpamCheck
from newsletter.sending import rehearsal

PROGRAM: Final = "spamassassin"
PATIENCE: Final = 60.0  # seconds: it reads all its rules anew each time
# These say where the letter was judged, and not what it is: it has not travelled, and the site may be on this machine.
_OF_THE_PLACE: Final = {"NO_RECEIVED", "NO_RELAYS", "WEIRD_PORT", "NORMAL_HTTP_TO_IP", "NUMERIC_HTTP_ADDR"}
_RULE = re.compile(r"^\s*(-?\d+\.\d+)\s+([A-Z][A-Z0-9_]+)\s+(.*(?:\n {20,}\S.*)*)", re.MULTILINE)


def is_installed() -> bool:
    return shutil.which(PROGRAM) is not None


def check(post_id: int) -> None:
    """Have the newest revision judged, once. Safe to run twice, or twice at once."""
    post = db.session.get(Post, post_id)
    if post is None or not is_installed():
        return
    revision = content.latest_revision(post)
    if db.session.get(SpamCheck, revision.id):
        return
    try:
        message = rehearsal.example_message(post, revision)
    except emails.LetterError:
        return
    revision_id = revision.id
    db.session.rollback()  # nobody waits for the database while the filter reads its rules
    report = _report(message)
    if report is None:
        return
    rules = [rule for rule in _rules(report) if rule[1] not in _OF_THE_PLACE]
    row = {
        "revision_id": revision_id,
        "points": round(sum(points for points, _, _ in rules), 1),
        "rules": [f"{points} {name} {words}" for points, name, words in sorted(rules, reverse=True) if points > 0],
        "at": clock.now(),
    }
    db.session.execute(insert(SpamCheck).values(row).on_conflict_do_nothing())


def _report(message: bytes) -> str | None:
    """What it says on paper; None if it came to nothing, which is no fault of the letter."""
    with tempfile.TemporaryDirectory(prefix="spam-check-") as folder:
        preferences = f"--prefspath={Path(folder) / 'none'}"
        command = [PROGRAM, "--local", "--test-mode", "--nocreate-prefs", preferences]
        try:
            done = subprocess.run(
                command,
                input=message,
                capture_output=True,
                timeout=PATIENCE,
                check=True,
                env={"HOME": folder, "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            )
        except (OSError, subprocess.SubprocessError):
            return None
    return done.stdout.decode(errors="replace")


def _rules(report: str) -> Iterator[tuple[float, str, str]]:
    details = report.partition("Content analysis details:")[2]
    for points, name, words in _RULE.findall(details):
        yield float(points), name, re.sub(r"\s+", " ", words).strip()
