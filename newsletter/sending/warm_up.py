"""How many messages a new sending address may send on each of its first days, so that receivers get to know it."""

from datetime import date
from typing import Final

_FIRST_DAYS: Final = (50, 100, 250, 500, 1_000, 2_500, 5_000)
_ENOUGH: Final = 1_000_000


def day(since: date, today: date) -> int:
    """Which day of the warm-up it is, from 1. Before the first day it is the first."""
    return max(1, (today - since).days + 1)


def limit(since: date, today: date) -> int | None:
    """Messages that may leave today: 50, 100, 250, 500, 1,000, 2,500, 5,000, then twice as many each day. None from
    the day on that would allow a million (the 15th): then the address is known."""
    number = day(since, today)
    if number <= len(_FIRST_DAYS):
        return _FIRST_DAYS[number - 1]
    most: int = _FIRST_DAYS[-1] * 2 ** min(number - len(_FIRST_DAYS), 20)
    return most if most < _ENOUGH else None
