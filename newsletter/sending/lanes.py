"""What slows a lane down or closes it, and how much of its hour and day is used: remembered by the database alone.

A lane is a relay (`mail.example.org:587`), a destination over all relays (`google`, or a domain), a destination over
one relay (`mail.example.org:587/google`), or all mail that leaves (`warm-up`). Times are those of our own clock. The
functions that begin with a bad word or with use commit, because they must remember before others act.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from newsletter import clock
from newsletter.db import db
from newsletter.limits import Limits
from newsletter.publication.models import Publication
from newsletter.sending.models import Chunk, ChunkState, Lane, LaneUse, Mailing, MailingState

WARM_UP: Final = "warm-up"
RECOVERY: Final = 0.1  # of full speed, won back in each minute without a bad word
ECHO: Final = timedelta(seconds=10)  # several connections hear the same thing: within this time it counts once
SLOWEST: Final = 1 / 1024  # of full speed
AFTER_A_CLOSURE: Final = 1 / 16  # of full speed, to begin with
FULL_SPEED: Final = 100.0  # messages a second of a lane that has no limit: what its pace is a part of
KEPT: Final = timedelta(days=3)
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


def of_relay(relay: str, destination: str) -> str:
    return f"{relay}/{destination}"


@dataclass(frozen=True)
class Condition:
    """A lane that is not simply open."""

    pace: float  # of full speed, when it changed
    closed_until: datetime | None
    words: str
    changed_at: datetime

    def pace_at(self, now: datetime) -> float:
        """Grows back to 1 from when it was slowed, or from when it opens again."""
        since = max(self.changed_at, self.closed_until or self.changed_at)
        return min(1.0, self.pace + RECOVERY * max(0.0, (now - since).total_seconds()) / 60)

    def is_closed_at(self, now: datetime) -> bool:
        return self.closed_until is not None and self.closed_until > now

    def is_open_at(self, now: datetime) -> bool:
        return not self.is_closed_at(now) and self.pace_at(now) >= 1.0

    def slowed(self, words: str, now: datetime) -> "Condition":
        if now - self.changed_at < ECHO:
            return self
        return Condition(max(self.pace_at(now) / 2, SLOWEST), self.closed_until, words, now)

    def closed(self, closed_for: timedelta, words: str, now: datetime) -> "Condition":
        if self.is_closed_at(now):
            return self  # by others who heard the same
        if self.closed_until and self.pace_at(now) < 0.5:
            closed_for *= 4
        return Condition(min(self.pace_at(now), AFTER_A_CLOSURE), now + closed_for, words, now)


def conditions() -> dict[str, Condition]:
    """Of every lane that is not simply open."""
    now = clock.now()
    found = {lane.name: _condition(lane) for lane in db.session.scalars(select(Lane))}
    return {name: condition for name, condition in found.items() if not condition.is_open_at(now)}


def slow_down(name: str, words: str) -> None:
    """Half its pace; several who hear it at once halve it once. Commits."""
    now = clock.now()
    _change(name, lambda before: before.slowed(words, now))


def close(name: str, closed_for: timedelta, words: str) -> None:
    """Nothing for a while, four times as long when it has only just opened again; slow afterwards. Commits."""
    now = clock.now()
    _change(name, lambda before: before.closed(closed_for, words, now))


def open_again(name: str) -> bool:
    """By hand: at full speed from now on. False if it was open. Leaves the commit to its caller."""
    return bool(db.session.execute(delete(Lane).where(Lane.name == name).returning(Lane.name)).all())


def forget_old() -> None:
    """What nobody asks about any more. Leaves the commit to its caller."""
    db.session.execute(delete(LaneUse).where(LaneUse.hour < clock.now() - KEPT))
    long_ago = clock.now() - KEPT
    db.session.execute(
        delete(Lane).where(Lane.changed_at < long_ago, func.coalesce(Lane.closed_until, long_ago) <= long_ago)
    )


@dataclass(frozen=True)
class Span:
    """The hour and the day that it is: the day is the publication's."""

    zone: ZoneInfo
    hour: datetime
    day_begins: datetime
    day_ends: datetime

    @property
    def hour_ends(self) -> datetime:
        return self.hour + timedelta(hours=1)


def span(zone: ZoneInfo, now: datetime) -> Span:
    local = now.astimezone(zone)
    today, tomorrow = local.date(), local.date() + timedelta(days=1)
    begins, ends = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (today, tomorrow))
    return Span(zone, now.replace(minute=0, second=0, microsecond=0), begins.astimezone(UTC), ends.astimezone(UTC))


def zone() -> ZoneInfo:
    """The publication's; UTC before there is one."""
    publication = Publication.find()
    return publication.zone if publication else ZoneInfo("UTC")


@dataclass(frozen=True)
class Used:
    in_hour: int = 0
    in_day: int = 0


def used(names: Iterable[str], at: Span) -> dict[str, Used]:
    """How many messages took each lane, in that hour and on that day. Lanes that nobody took are not in it."""
    rows = db.session.execute(
        select(
            LaneUse.lane,
            func.coalesce(func.sum(LaneUse.taken).filter(LaneUse.hour == at.hour), 0).label("in_hour"),
            func.sum(LaneUse.taken).label("in_day"),
        )
        .where(LaneUse.lane.in_(list(names)), LaneUse.hour >= _first_hour(at), LaneUse.hour < at.day_ends)
        .group_by(LaneUse.lane)
    )
    return {row.lane: Used(int(row.in_hour), int(row.in_day)) for row in rows}


def reserve(name: str, wanted: int, limits: Limits, at: Span) -> int:
    """Take so many of a lane's hour and day, or what is left of them. Returns how many are ours. Commits.

    No two processes get the same ones, and what is ours is used up even if we die.
    """
    while wanted > 0:
        if _reserved(name, wanted, limits, at):
            return wanted
        left = _left(used([name], at).get(name, Used()), limits)
        db.session.rollback()
        wanted = min(wanted - 1, left)
    return 0


def has_day_left(name: str, limits: Limits, at: Span) -> bool:
    """Whether the day has something left, even if the hour has not."""
    return _left(used([name], at).get(name, Used()), Limits(per_day=limits.per_day)) > 0


def chunks_in_hand() -> int:
    """How many processes work on mailings at this moment: among so many a limit is shared when nobody keeps count."""
    return db.session.scalar(select(func.count()).where(Chunk.state == ChunkState.CLAIMED)) or 0


def is_other_work_due() -> bool:
    """Whether some chunk waits for somebody to claim it now."""
    due = (
        select(Chunk.id)
        .join(Mailing)
        .where(Chunk.state == ChunkState.FREE, Chunk.is_due(), Mailing.state == MailingState.SENDING)
    )
    return bool(db.session.scalar(select(due.exists())))


def count(name: str, messages: int, at: Span) -> None:
    """Messages that leave whatever the limit says (notices), but count; below zero: reserved, and not used. Commits."""
    db.session.execute(
        text("""
            INSERT INTO lane_use AS used (lane, hour, taken) VALUES (:lane, :hour, greatest(:messages, 0))
            ON CONFLICT (lane, hour) DO UPDATE SET taken = greatest(used.taken + :messages, 0)
        """),
        {"lane": name, "hour": at.hour, "messages": messages},
    )
    db.session.commit()


def _reserved(name: str, wanted: int, limits: Limits, at: Span) -> bool:
    """One statement: either all of them are ours, or none. The row of the hour is locked, earlier ones do not grow."""
    row = db.session.execute(
        text("""
            INSERT INTO lane_use AS used (lane, hour, taken)
            SELECT :lane, :hour, :wanted
            WHERE :wanted <= :per_hour
              AND :wanted + (SELECT coalesce(sum(taken), 0) FROM lane_use WHERE lane = :lane
                             AND hour >= :first AND hour < :day_ends AND hour <> :hour) <= :per_day
            ON CONFLICT (lane, hour) DO UPDATE SET taken = used.taken + :wanted
                WHERE used.taken + :wanted <= :per_hour
                  AND used.taken + :wanted + (SELECT coalesce(sum(taken), 0) FROM lane_use WHERE lane = :lane
                                              AND hour >= :first AND hour < :day_ends AND hour <> :hour) <= :per_day
            RETURNING taken
        """),
        {
            "lane": name,
            "hour": at.hour,
            "first": _first_hour(at),
            "day_ends": at.day_ends,
            "wanted": wanted,
            "per_hour": _ENDLESS if limits.per_hour is None else limits.per_hour,
            "per_day": _ENDLESS if limits.per_day is None else limits.per_day,
        },
    ).one_or_none()
    db.session.commit()
    return row is not None


_ENDLESS: Final = 2**62


def _first_hour(at: Span) -> datetime:
    """Where midnight is in the middle of an hour (India), the day counts from the hour that it is in."""
    return at.day_begins.replace(minute=0)


def _left(used: Used, limits: Limits) -> int:
    in_hour = _ENDLESS if limits.per_hour is None else limits.per_hour - used.in_hour
    in_day = _ENDLESS if limits.per_day is None else limits.per_day - used.in_day
    return max(0, min(in_hour, in_day))


def _change(name: str, change: Callable[[Condition], Condition]) -> None:
    """With the lane's row locked, which is made if there is none. Commits."""
    db.session.execute(insert(Lane).values(name=name, pace=1.0, words="", changed_at=LONG_AGO).on_conflict_do_nothing())
    lane = db.session.scalars(
        select(Lane).where(Lane.name == name).with_for_update().execution_options(populate_existing=True)
    ).one()
    after = change(_condition(lane))
    lane.pace, lane.closed_until, lane.words, lane.changed_at = (
        after.pace,
        after.closed_until,
        after.words,
        after.changed_at,
    )
    db.session.commit()


def _condition(lane: Lane) -> Condition:
    return Condition(lane.pace, lane.closed_until, lane.words, lane.changed_at)
