"""What is on its way, and what keeps it: work that is late, lanes that are closed, doubts that wait for a decision."""

from collections.abc import Iterator

from sqlalchemy import select

from newsletter.db import db
from newsletter.doctor.findings import Finding, fail, ok, warn
from newsletter.sending.models import Lane, Mailing, MailingState
from newsletter.watch import metrics, work

LATE = {  # seconds that the oldest work of a kind may be due; a mailing under way has chunks due until its end
    "post": (300.0, "A post is due, and has not been started"),
    "claim": (300.0, "A part of a mailing was left behind by a worker, and not taken back"),
    "notice": (300.0, "A notice (a confirmation, a code) is due, and has not been sent"),
    "waiting": (1800.0, "A message is due to be tried again, and has not been"),
}


def check() -> Iterator[Finding]:
    now = work.look()
    late = [
        f"{words}: for {now.oldest_due[kind] // 60:.0f} minutes."
        for kind, (longest, words) in LATE.items()
        if now.oldest_due[kind] > longest
    ]
    for sentence in late:
        yield fail("Work", sentence, "See whether workers run, and what their logs say.")
    if not late:
        yield ok("Work", "nothing is late.")
    yield from _lanes()
    if now.unconfirmed:
        words = f"{now.unconfirmed:,} messages may or may not have left."
        yield warn("Doubts", words, "Decide: newsletter mailings list, then newsletter mailings resolve ID.")
    yield from _held()


def stuck_pools() -> Iterator[Finding]:
    for each in metrics.stuck(work.processes()):
        words = f"process {each.number} lives, but its pool takes no work; the main process does it, slowly."
        yield fail("Worker", words, "Restart that worker.")


def _lanes() -> Iterator[Finding]:
    words = {name: said for name, said in db.session.execute(select(Lane.name, Lane.words))}  # noqa: C416  # typed
    for lane in work.lanes():
        if not lane.is_open:
            yield warn("Lane", f"{lane.name} is closed for now. The mail server said: {words.get(lane.name, '')}")
        elif lane.pace < 1:
            yield warn("Lane", f"{lane.name} goes at {lane.pace:.0%} of its speed: {words.get(lane.name, '')}")


def _held() -> Iterator[Finding]:
    query = select(Mailing.id, Mailing.held_because).where(Mailing.state == MailingState.HELD)
    for mailing_id, why in db.session.execute(query):
        yield warn("Held", f"Mailing {mailing_id} waits for your word: {why}", "Look at it, and resume or stop it.")
