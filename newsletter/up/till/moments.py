"""Moments, as seconds since 1970: which months later, and of what is made older."""

from calendar import monthrange
from datetime import UTC, datetime
from typing import Any

Thing = dict[str, Any]

MOMENTS = (
    *("created", "start_date", "start", "end", "billing_cycle_anchor", "current_period_start", "current_period_end"),
    *("trial_start", "trial_end", "cancel_at", "canceled_at", "ended_at", "period_end", "_retry"),
)
NOTED = {"paused_from", "paused_until"}  # what who uses the till notes of moments: see billing/plans.py


def age(thing: Thing, seconds: int) -> None:
    for name in MOMENTS:
        if isinstance(thing.get(name), int):
            thing[name] -= seconds
    paid = thing.get("status_transitions") or {}
    if paid.get("paid_at"):
        paid["paid_at"] -= seconds
    for note in NOTED & thing.get("metadata", {}).keys():
        thing["metadata"][note] = str(int(thing["metadata"][note]) - seconds)


def later(start: int, price: Thing) -> int:
    """A month or a year on."""
    return months_later(start, 12 if price["recurring"]["interval"] == "year" else 1)


def months_later(start: int, number: int) -> int:
    """On the same day where there is one."""
    at = datetime.fromtimestamp(start, UTC)
    months = at.month - 1 + number
    year, month = at.year + months // 12, months % 12 + 1
    day = min(at.day, monthrange(year, month)[1])
    return int(at.replace(year=year, month=month, day=day).timestamp())
