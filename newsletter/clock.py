"""What time it is: for people, for rows, and for fences."""

import time
from calendar import monthrange
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from newsletter.errors import NewsletterError


class NotATime(NewsletterError):
    """A local time that cannot be read, or does not exist in its zone."""


def now() -> datetime:
    return datetime.now(UTC)


_AWAKE_OR_ASLEEP = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds_awake_or_asleep() -> float:
    """A clock that never jumps and runs on while the machine sleeps, for leases (CLOCK_BOOTTIME on Linux)."""
    return time.clock_gettime(_AWAKE_OR_ASLEEP)


def months_later(moment: datetime, number: int) -> datetime:
    """On the same day of the month, or on its last one where there is no such day."""
    years, month = divmod(moment.month - 1 + number, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def from_local(text: str, zone: str) -> datetime:
    """Read "2026-11-30 09:00" (or with "T") as wall time in a zone.

    Raises NotATime for what is no time, and for an hour that the clock change skips there.
    """
    if ":" not in text:  # a day alone would mean midnight, which nobody meant
        raise NotATime(f"“{text.strip()}” is not a time. Write it like 2026-11-30 09:00.")
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise NotATime(f"“{text}” is not a time. Write it like 2026-11-30 09:00.") from None
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    moment = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local:
        raise NotATime(f"{text} does not exist in {zone}: the clocks change over that hour. Choose another time.")
    return moment
