"""What one lane lets through, as one process has it in hand: tokens by the second, reservations of the hour and day."""

import math
import time
from dataclasses import dataclass, field
from datetime import datetime

from newsletter import clock
from newsletter.limits import UNLIMITED, Limits
from newsletter.sending.lanes import Condition, Span

AT_ONCE = 0.3  # seconds: how many tokens are taken in one go
FRESH = 2.0  # seconds for which tokens are kept; later all but one are dropped, else they would make a burst
LARGEST = 200  # messages reserved in one go
ASK_AGAIN = 5.0  # seconds after which a used-up hour is asked again: others may have given something back


@dataclass
class Stock:
    """Not safe for threads: the lanes lock."""

    name: str
    limits: Limits = UNLIMITED
    rate: float | None = None  # messages a second now; None: any
    closed_until: datetime | None = None
    _tokens: int = field(default=0, init=False)
    _tokens_at: float = field(default=0.0, init=False)
    _ready_at: float = field(default=0.0, init=False)  # by time.monotonic(): there is a token then
    _reserved: int = field(default=0, init=False)
    _span: Span | None = field(default=None, init=False)  # what they are reserved of
    _full_until: datetime | None = field(default=None, init=False)
    _ask_at: float = field(default=0.0, init=False)
    _lacks: bool = field(default=False, init=False)  # somebody asked in vain
    _used: int = field(default=0, init=False)  # since it was refilled

    def arrange(self, limits: Limits, speed: float, condition: Condition | None, now: datetime) -> None:
        pace = condition.pace_at(now) if condition else 1.0
        self.limits = limits
        self.rate = speed * pace if pace < 1 or limits.per_second else None
        self.closed_until = condition.closed_until if condition and condition.is_closed_at(now) else None

    def has_one(self) -> bool:
        if self.closed_until is None and self._has_token() and self._has_reservation():
            return True
        self._lacks = True
        return False

    def use(self, messages: int) -> None:
        """Below zero: somebody has overtaken, and it is owed."""
        self._used += messages
        if self.rate is not None:
            self._tokens -= messages
        if self.limits.is_counted:
            self._reserved -= messages

    @property
    def is_wanting(self) -> bool:
        if not self._lacks or self.closed_until is not None:
            return False
        return self._may_take() if not self._has_token() else self._may_reserve() and not self._has_reservation()

    @property
    def is_shut(self) -> bool:
        return self.closed_until is not None or (self._full_until is not None and self._reserved < 1)

    def opens_in(self) -> float:
        """Seconds, as far as is known."""
        now = clock.now()
        waits = [0.0]
        if self.closed_until:
            waits.append((self.closed_until - now).total_seconds())
        if self._full_until and not self._has_reservation():
            waits.append((self._full_until - now).total_seconds())
        if not self._has_token():
            waits.append(self._ready_at - time.monotonic())
        return max(waits)

    def is_asked_for(self) -> bool:
        """Since this was asked last."""
        is_asked_for = (self._lacks or self._used > 0) and self.closed_until is None
        self._lacks, self._used = False, 0
        return is_asked_for

    def tokens_wanted(self, left: int) -> int:
        if self.rate is None or not self._may_take():
            return 0
        if time.monotonic() - self._tokens_at > FRESH:
            self._tokens = min(self._tokens, 1)
        return max(0, max(1, min(math.ceil(self.rate * AT_ONCE), left)) - max(0, self._tokens))

    @property
    def tokens_owed(self) -> int:
        return max(0, -self._tokens)

    def took_tokens(self, tokens: int, ready_in: float) -> None:
        self._tokens += tokens
        self._tokens_at = time.monotonic()
        self._ready_at = self._tokens_at + ready_in

    def reservation_wanted(self, left: int) -> int:
        if not self.limits.is_counted or not self._may_reserve():
            return 0
        smallest = min(each for each in (self.limits.per_hour, self.limits.per_day) if each is not None)
        at_once = max(1, min(smallest // 50, LARGEST, left))
        return at_once if self._reserved <= at_once // 2 else 0

    @property
    def reservation_owed(self) -> int:
        return max(0, -self._reserved)

    def took_reservation(self, messages: int, at: Span) -> None:
        self._reserved += messages
        self._span = at
        if messages:
            self._full_until = None

    def is_used_up(self, until: datetime) -> None:
        """There was nothing to be had."""
        self._full_until = until
        self._ask_at = time.monotonic() + ASK_AGAIN

    def unused(self) -> tuple[Span | None, int]:
        """What was reserved, of when, and is not ours any more."""
        unused, self._reserved = max(0, self._reserved), min(0, self._reserved)
        return self._span, unused

    def begin_hour(self) -> None:
        self._full_until, self._ask_at = None, 0.0

    def _has_token(self) -> bool:
        return self.rate is None or self._tokens > 0

    def _has_reservation(self) -> bool:
        return not self.limits.is_counted or self._reserved > 0

    def _may_take(self) -> bool:
        return self.rate is not None and time.monotonic() >= self._ready_at

    def _may_reserve(self) -> bool:
        return self.limits.is_counted and time.monotonic() >= self._ask_at
