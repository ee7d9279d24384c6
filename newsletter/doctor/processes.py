"""The processes that send: seen lately, or not."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select

from newsletter.db import db
from newsletter.doctor.findings import Finding, fail, ok, warn
from newsletter.sending.models import Heartbeat

LATELY = timedelta(seconds=60)


def check() -> Iterator[Finding]:
    alive = set(db.session.scalars(select(Heartbeat.process).where(Heartbeat.seen_at > func.now() - LATELY)))
    workers = sorted(name for name in alive if name.startswith("worker:"))
    start = "Start it: newsletter up, or the line “{}” of the Procfile."
    if workers:
        hosts = {name.split(":")[1] for name in workers}
        yield ok("Worker", f"{len(workers)} running, on {', '.join(sorted(hosts))}.")
    else:
        yield fail("Worker", "none was seen in the last minute: nothing is sent.", start.format("worker"))
    if "beat" in alive:
        yield ok("Beat", "is running.")
    else:
        yield warn("Beat", "was not seen in the last minute: mailings start a little late.", start.format("beat"))
