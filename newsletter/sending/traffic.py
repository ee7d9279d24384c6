"""The lanes as the author sees them: which are slow or closed, how much of their limits is used, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter import clock, limits
from newsletter.config import settings
from newsletter.limits import UNLIMITED, Limits
from newsletter.relays import Relay, read_all
from newsletter.sending import destinations, lanes, warm_up
from newsletter.sending.lanes import WARM_UP, Condition, Span, Used


class LaneState(StrEnum):
    OPEN = "open"
    SLOWED = "slowed"
    USED_UP = "used up"  # the limit of its hour or day
    CLOSED = "closed"


@dataclass(frozen=True)
class LaneLine:
    """One lane, now."""

    title: str  # for people
    state: LaneState
    percent: int  # of full speed
    opens_at: datetime | None  # when it is closed, or used up
    limits: Limits
    used: Used
    words: str  # the server's, that changed it last
    words_at: datetime | None

    is_for_all: bool  # no message can leave past it

    @property
    def is_shut(self) -> bool:
        return self.state in (LaneState.CLOSED, LaneState.USED_UP)

    @property
    def use(self) -> str:
        """How much of its limits is used: “312 of 5,000 this hour, at most 20 a second”."""
        told = []
        if self.limits.per_day is not None:
            told.append(f"{self.used.in_day:,} of {self.limits.per_day:,} today")
        if self.limits.per_hour is not None:
            told.append(f"{self.used.in_hour:,} of {self.limits.per_hour:,} this hour")
        if self.limits.per_second is not None:
            told.append(f"at most {self.limits.per_second:,g} a second")
        return ", ".join(told)


def now() -> list[LaneLine]:
    """Every lane that has a limit or is not simply open; those that are shut first."""
    moment = clock.now()
    at = lanes.span(lanes.zone(), moment)
    ways = read_all(settings().mail_urls)
    limited = _limited(ways, at, moment)
    conditions = _conditions(ways)
    used = lanes.used(limited, at)
    lines = []
    for name in sorted(limited.keys() | conditions.keys()):
        limit, condition = limited.get(name, UNLIMITED), conditions.get(name)
        state, opens_at = _state(limit, used.get(name, Used()), condition, at, moment)
        lines.append(
            LaneLine(
                title=_title(name, ways, at, moment),
                state=state,
                percent=max(1, round(100 * condition.pace_at(moment))) if condition else 100,
                opens_at=opens_at,
                limits=limit,
                used=used.get(name, Used()),
                words=condition.words if condition else "",
                words_at=condition.changed_at if condition else None,
                is_for_all=name == WARM_UP or [relay.name for relay in ways] == [name],
            )
        )
    order = list(LaneState)
    return sorted(lines, key=lambda line: order.index(line.state), reverse=True)


def _limited(ways: tuple[Relay, ...], at: Span, moment: datetime) -> dict[str, Limits]:
    found = {relay.name: relay.limits for relay in ways if relay.limits.is_set}
    found |= limits.of_destinations(settings().destination_limits)
    since = settings().warm_up_since
    most = warm_up.limit(since, moment.astimezone(at.zone).date()) if since else None
    return found | {WARM_UP: Limits(per_day=most)} if most else found


def _conditions(ways: tuple[Relay, ...]) -> dict[str, Condition]:
    """By lane. Where there is only one relay, a destination is one lane for people."""
    found = lanes.conditions()
    if len(ways) > 1:
        return found
    return {name.partition("/")[2] or name: condition for name, condition in found.items()}


def _title(name: str, ways: tuple[Relay, ...], at: Span, moment: datetime) -> str:
    since = settings().warm_up_since
    if name == WARM_UP and since:
        return f"Warm-up, day {warm_up.day(since, moment.astimezone(at.zone).date())}"
    relay, slash, destination = name.partition("/")
    if not slash and relay in {way.name for way in ways}:
        return f"All mail by {relay}"
    whom = destinations.LABELS.get(destination or relay, destination or relay)
    return f"{whom} by {relay}" if slash and len(ways) > 1 else whom


def _state(
    limit: Limits, used: Used, condition: Condition | None, at: Span, moment: datetime
) -> tuple[LaneState, datetime | None]:
    """And when it opens again, if it is shut."""
    if condition and condition.is_closed_at(moment):
        return LaneState.CLOSED, condition.closed_until
    if limit.per_day is not None and used.in_day >= limit.per_day:
        return LaneState.USED_UP, at.day_ends
    if limit.per_hour is not None and used.in_hour >= limit.per_hour:
        return LaneState.USED_UP, at.hour_ends
    return (LaneState.SLOWED if condition else LaneState.OPEN), None
