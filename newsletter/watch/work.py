"""How the work is going, in a few numbers that cost little however much there is. No delivery is counted."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from newsletter.db import db
from newsletter.sending.lanes import RECOVERY


@dataclass(frozen=True)
class Work:
    """Ages in seconds, by the database's clock."""

    outcomes: Mapping[str, int]  # of all mailings there ever were
    unconfirmed: int  # about which nobody has decided
    waiting: int  # put off by a mail server
    open_readers: int  # of mailings under way: without an outcome
    mailings: Mapping[str, int]  # by state, those not over
    notices: Mapping[str, int]  # by state, those not over
    oldest_due: Mapping[str, float]  # by kind of work: how late its oldest is; 0 when nothing is due


@dataclass(frozen=True)
class LaneNow:
    name: str
    is_open: bool
    pace: float
    taken_hour: int
    taken_day: int


@dataclass(frozen=True)
class ProcessNow:
    """One of our processes, or the pool of one."""

    kind: str  # worker, pool, beat
    host: str
    number: str  # of the process
    seconds_ago: float


def look() -> Work:
    row = db.session.execute(
        text("""
            WITH sums AS (
                SELECT coalesce(sum(accepted), 0) AS accepted, coalesce(sum(refused), 0) AS refused,
                       coalesce(sum(skipped), 0) AS skipped, coalesce(sum(expired), 0) AS expired,
                       coalesce(sum(unconfirmed) FILTER (WHERE mailing.doubts_settled_at IS NULL), 0) AS unconfirmed,
                       coalesce(sum(size - accepted - refused - skipped - expired - unconfirmed)
                                FILTER (WHERE mailing.finished_at IS NULL), 0) AS open_readers
                FROM chunk JOIN mailing ON mailing.id = chunk.mailing_id
            ), late AS (
                SELECT now() - min(coalesce(chunk.send_after, mailing.started_at)) AS chunk
                FROM chunk JOIN mailing ON mailing.id = chunk.mailing_id
                WHERE mailing.state = 'sending' AND chunk.state = 'free'
                      AND (chunk.send_after IS NULL OR chunk.send_after <= now())
            ), abandoned AS (
                SELECT now() - min(lease_until) AS claim FROM chunk WHERE state = 'claimed' AND lease_until < now()
            ), put_off AS (
                SELECT count(*) AS waiting, now() - min(waiting.send_after) FILTER (
                    WHERE waiting.send_after <= now() AND mailing.state = 'sending') AS late
                FROM waiting JOIN mailing ON mailing.id = waiting.mailing_id
            ), owed AS (
                SELECT now() - min(send_after) AS late FROM notice
                WHERE state IN ('waiting', 'sending') AND state = 'waiting' AND send_after <= now()
            ), planned AS (
                SELECT now() - min(scheduled_for) AS late FROM post
                WHERE status = 'scheduled' AND scheduled_for <= now()
            )
            SELECT sums.*, put_off.waiting, extract(epoch FROM late.chunk) AS chunk_late,
                   extract(epoch FROM abandoned.claim) AS claim_late, extract(epoch FROM put_off.late) AS waiting_late,
                   extract(epoch FROM owed.late) AS notice_late, extract(epoch FROM planned.late) AS post_late
            FROM sums, late, abandoned, put_off, owed, planned
        """)
    ).one()
    late = {kind: float(getattr(row, f"{kind}_late") or 0) for kind in ("post", "chunk", "claim", "waiting", "notice")}
    return Work(
        outcomes={name: int(getattr(row, name)) for name in ("accepted", "refused", "skipped", "expired")},
        unconfirmed=int(row.unconfirmed),
        waiting=int(row.waiting),
        open_readers=int(row.open_readers),
        mailings=_by_state("SELECT state, count(*) FROM mailing WHERE finished_at IS NULL GROUP BY state"),
        notices=_by_state("SELECT state, count(*) FROM notice WHERE state IN ('waiting', 'sending') GROUP BY state"),
        oldest_due=late,
    )


def lanes() -> list[LaneNow]:
    rows = db.session.execute(
        text("""
            SELECT name, coalesce(lane.closed_until <= now(), true) AS is_open,
                   coalesce(least(1.0, round(CAST(lane.pace + :recovery * greatest(0, extract(epoch FROM
                       now() - greatest(lane.changed_at, lane.closed_until))) / 60 AS numeric), 2)), 1.0) AS pace,
                   coalesce(used.hour, 0) AS taken_hour, coalesce(used.day, 0) AS taken_day
            FROM lane FULL JOIN (
                SELECT lane AS name, sum(taken) FILTER (WHERE hour = date_trunc('hour', now())) AS hour,
                       sum(taken) AS day
                FROM lane_use WHERE hour > now() - interval '24 hours' GROUP BY lane
            ) AS used USING (name)
            ORDER BY name
        """),
        {"recovery": RECOVERY},
    )
    return [LaneNow(row.name, row.is_open, row.pace, int(row.taken_hour), int(row.taken_day)) for row in rows]


def processes() -> list[ProcessNow]:
    rows = db.session.execute(
        text("SELECT process, extract(epoch FROM now() - seen_at) AS age FROM heartbeat ORDER BY process")
    )
    found = []
    for row in rows:
        kind, host, number = (*row.process.split(":"), "", "")[:3]
        found.append(ProcessNow(kind, host, number, float(row.age)))
    return found


def _by_state(query: str) -> dict[str, int]:
    return {state: int(count) for state, count in db.session.execute(text(query))}
