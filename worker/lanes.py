"""Which message may leave by which relay at this moment: limits, back-off, warm-up, shares.

Those who carry ask in memory only. The thread that records what became of the messages also tends the lanes: it takes
tokens and reservations in batches, writes down bad words, and reads what other processes heard. Where nothing is
configured and nothing is slowed down, nobody is asked at all (`is_free`).
"""

import os
import threading
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from newsletter import clock, limits
from newsletter.config import settings
from newsletter.db import db
from newsletter.limits import UNLIMITED, Limits
from newsletter.sending import back_off, lanes, warm_up
from newsletter.sending.back_off import Blocked, SlowDown, Verdict
from newsletter.sending.lanes import WARM_UP, Condition, Span, of_relay
from worker.destinations import Destinations
from worker.pace import Pace
from worker.relays import Relay, Shares, relays
from worker.stock import Stock

LOOK_EVERY = 2.0  # seconds between looks at what other processes have heard
SUSPICIOUS = 3  # refusals in a row that may be about us, until they are taken for it


@dataclass(frozen=True)
class _Heard:
    lane: str
    verdict: SlowDown | Blocked
    words: str


class Lanes:
    """The lanes as this process sees them. Any thread may ask; `tend` and `settle` need the app's context."""

    def __init__(self, ways: tuple[Relay, ...], groups: dict[str, Limits], warm_up_since: date | None) -> None:
        self._limits = {relay.name: relay.limits for relay in ways if relay.limits.is_set} | groups
        self._groups = groups
        self._warm_up_since = warm_up_since
        self.is_limited = bool(self._limits) or warm_up_since is not None  # by the owner's choice
        self._is_configured = self.is_limited or len(ways) > 1
        self._lock = threading.Lock()
        self._tending = threading.Lock()
        self._stocks: dict[str, Stock] = {}
        self._conditions: dict[str, Condition] = {}
        self._heard: list[_Heard] = []
        self.suspects: dict[str, int] = {}  # refusals in a row that may be about us, by lane
        self._looked_at = -LOOK_EVERY
        self._span: Span | None = None
        self._processes = 1
        self._pace = Pace()
        self.shares = Shares({relay.name: relay.weight for relay in ways})
        self.destinations = Destinations(groups)
        self.is_free = not self._is_configured
        self._arrange(clock.now())

    # for those who carry

    def admits(self, relay: str) -> bool:
        """Whether any message may take this relay now."""
        with self._lock:
            return self._have(relay)

    def opens(self, relay: str, destination: str) -> bool:
        with self._lock:
            return self._have(relay, destination)

    def take(self, relay: str, destination: str) -> bool:
        """A message leaves this way. False: not now."""
        with self._lock:
            is_open = self._have(relay, destination)
            if is_open:
                self._use(relay, destination, 1)
            return is_open

    def count(self, relay: str, destination: str, messages: int = 1) -> None:
        """It leaves, whatever the limits say; -1: it has not left after all."""
        with self._lock:
            self._use(relay, destination, messages)

    @property
    def is_wanting(self) -> bool:
        """Somebody waits for what could be had."""
        return any(stock.is_wanting for stock in list(self._stocks.values()))

    def is_shut(self, relay: str) -> bool:
        """For longer: closed, or its hour or day is used up."""
        return any(stock.is_shut for stock in self._of(relay))

    def opens_in(self, relay: str, destination: str = "") -> float:
        """Seconds until a message may leave this way, as far as is known."""
        with self._lock:
            return max((stock.opens_in() for stock in self._of(relay, destination)), default=0.0)

    # what the servers say

    def accepted(self, relay: str, address: str) -> None:
        """To be told only where there are `suspects`: most of the time there are none."""
        self.suspects.pop(of_relay(relay, self.destinations.of(address)), None)

    def refused(self, relay: str, address: str, words: str) -> None:
        """A message was refused, for now or for good."""
        verdict = back_off.judge(words)
        is_own = isinstance(verdict, SlowDown) and verdict.whose == back_off.RELAYS_OWN
        self._mind(relay if is_own else of_relay(relay, self.destinations.of(address)), verdict, words)

    def turned_away(self, relay: str, words: str) -> None:
        """The relay takes nothing now."""
        self._mind(relay, back_off.judge_greeting(words), words)

    # for the thread that records

    def tend(self, left: int) -> None:
        """Take what is wanted, say what was heard, hear what others said. `left`: messages still to be carried."""
        with self._tending:
            self._write()
            if time.monotonic() - self._looked_at >= LOOK_EVERY:
                self._look()
            for stock in list(self._stocks.values()):
                self._refill(stock, left)

    def settle(self) -> None:
        """Give back what was reserved and not used, so that it is there for others."""
        with self._tending:
            self._write()
            for stock in list(self._stocks.values()):
                self._return(stock)

    # the rest is ours

    def _of(self, relay: str, destination: str = "") -> list[Stock]:
        names = (WARM_UP, relay, destination, of_relay(relay, destination)) if destination else (WARM_UP, relay)
        return [stock for name in names if (stock := self._stocks.get(name))]

    def _have(self, relay: str, destination: str = "") -> bool:
        lacking = [stock for stock in self._of(relay, destination) if not stock.has_one()]  # each must know
        return not lacking

    def _use(self, relay: str, destination: str, messages: int) -> None:
        for stock in self._of(relay, destination):
            stock.use(messages)

    def _mind(self, lane: str, verdict: Verdict, words: str) -> None:
        if verdict is None:
            return
        if isinstance(verdict, Blocked) and not verdict.is_certain:
            self.suspects[lane] = self.suspects.get(lane, 0) + 1
            if self.suspects[lane] < SUSPICIOUS:
                return
        with self._lock:
            now = clock.now()
            before = self._conditions.get(lane) or Condition(1.0, None, "", lanes.LONG_AGO)
            after = _after(before, verdict, words, now)
            if after is before:
                return  # an echo
            self._conditions[lane] = after
            self._heard.append(_Heard(lane, verdict, words))
            self._arrange(now)

    def _write(self) -> None:
        while self._heard:
            heard = self._heard[0]
            closed_for = _closed_for(heard.verdict)
            if closed_for:
                lanes.close(heard.lane, closed_for, heard.words)
            else:
                lanes.slow_down(heard.lane, heard.words)
            self._heard.pop(0)  # only once it is written

    def _look(self) -> None:
        found = lanes.conditions()
        if self._is_configured or found:
            self._processes = max(1, lanes.chunks_in_hand())
            span = lanes.span(lanes.zone(), clock.now())
            if self._span and span.hour != self._span.hour:
                for stock in list(self._stocks.values()):
                    self._return(stock)
                    stock.begin_hour()
            self._span = span
        clock_now = clock.now()
        db.session.rollback()
        with self._lock:
            self._conditions = found if not self._heard else {**found, **self._conditions}
            self._arrange(clock_now)
        self._looked_at = time.monotonic()

    def _arrange(self, now: datetime) -> None:
        """The stocks as limits and conditions want them."""
        wanted = dict(self._limits)
        if self._warm_up_since and self._span:
            today = now.astimezone(self._span.zone).date()
            wanted[WARM_UP] = Limits(per_day=warm_up.limit(self._warm_up_since, today))
        conditions = {name: each for name, each in self._conditions.items() if not each.is_open_at(now)}
        for name in wanted.keys() | conditions.keys():
            stock = self._stocks.setdefault(name, Stock(name))
            stock.arrange(wanted.get(name, UNLIMITED), self._ordinary_speed(name), conditions.get(name), now)
        for name in self._stocks.keys() - wanted.keys() - conditions.keys():
            del self._stocks[name]
        self.is_free = not self._is_configured and not self._stocks

    def _ordinary_speed(self, name: str) -> float:
        relay, _, destination = name.partition("/")
        speeds = [self._limits[each].per_second for each in (name, relay, destination) if each in self._limits]
        return min((speed for speed in speeds if speed), default=lanes.FULL_SPEED)

    def _refill(self, stock: Stock, left: int) -> None:
        with self._lock:
            is_asked_for = stock.is_asked_for() and left > 0
            tokens, tokens_owed = stock.tokens_wanted(left) if is_asked_for else 0, stock.tokens_owed
            wanted, owed = stock.reservation_wanted(left) if is_asked_for else 0, stock.reservation_owed
        if (tokens or tokens_owed) and stock.rate:
            taken, ready_in = self._pace.take(
                stock.name, stock.rate, tokens, owed=tokens_owed, processes=self._processes
            )
            with self._lock:
                stock.took_tokens(taken + tokens_owed, ready_in)
        if (wanted or owed) and self._span:
            self._reserve(stock, wanted, owed, self._span)

    def _reserve(self, stock: Stock, wanted: int, owed: int, at: Span) -> None:
        if owed:
            lanes.count(stock.name, owed, at)
        reserved = lanes.reserve(stock.name, wanted, stock.limits, at) if wanted else 0
        is_full = wanted > 0 and reserved == 0
        until = at.hour_ends if is_full and lanes.has_day_left(stock.name, stock.limits, at) else at.day_ends
        with self._lock:
            stock.took_reservation(reserved + owed, at)
            if is_full:
                stock.is_used_up(until)

    def _return(self, stock: Stock) -> None:
        with self._lock:
            at, unused = stock.unused()
        if at and unused:
            lanes.count(stock.name, -unused, at)


def _after(before: Condition, verdict: SlowDown | Blocked, words: str, now: datetime) -> Condition:
    closed_for = _closed_for(verdict)
    return before.closed(closed_for, words, now) if closed_for else before.slowed(words, now)


def _closed_for(verdict: SlowDown | Blocked) -> timedelta | None:
    return back_off.BLOCKED if isinstance(verdict, Blocked) else verdict.closed_for


@cache
def _of_process(_: int) -> Lanes:
    ways = relays()
    return Lanes(ways, limits.of_destinations(settings().destination_limits), settings().warm_up_since)


def ours() -> Lanes:
    """Those of this process: a forked child has its own."""
    return _of_process(os.getpid())


def forget() -> None:
    """As a new process begins."""
    _of_process.cache_clear()
