"""The ways out that MAIL_URL names: whose turn it is, and which of them is down."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from newsletter.config import settings
from newsletter.relays import Relay, read_all

__all__ = ["Relay", "Shares", "down", "relays"]

FIRST_PAUSE = 5.0  # seconds that a relay is left alone after it took nothing; then twice as long, and so on
LONGEST_PAUSE = 300.0
AHEAD = 8  # messages that a relay may be ahead of its share
ABSENT = 2.0  # seconds after which a relay that takes nothing is not waited for


@cache
def relays() -> tuple[Relay, ...]:
    """All of them, in the order of MAIL_URL."""
    return read_all(settings().mail_urls)


class Down:
    """Which relays take nothing, as far as this process knows, and when they are tried again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}  # by time.monotonic()
        self._times: dict[str, int] = {}  # in a row
        self._tries: dict[str, list[float]] = {}  # connections being made: since when

    def failed(self, relay: str) -> None:
        """Nobody of ours is served there."""
        with self._lock:
            times = self._times.get(relay, 0)
            self._times[relay] = times + 1
            self._until[relay] = time.monotonic() + min(FIRST_PAUSE * 2 ** min(times, 10), LONGEST_PAUSE)

    def served(self, relay: str) -> None:
        if self._times:
            with self._lock:
                self._times.pop(relay, None)
                self._until.pop(relay, None)

    @contextmanager
    def trying(self, relay: str) -> Iterator[None]:
        """While a connection is made."""
        began = time.monotonic()
        with self._lock:
            self._tries.setdefault(relay, []).append(began)
        try:
            yield
        finally:
            with self._lock:
                self._tries[relay].remove(began)

    def worth_a_try(self) -> tuple[Relay, ...]:
        """Those that are not left alone; all of them if that would leave none."""
        now = time.monotonic()
        with self._lock:
            up = tuple(relay for relay in relays() if self._is_up(relay.name, now))
        return up or relays()

    def _is_up(self, relay: str, now: float) -> bool:
        """Neither left alone, nor silent to those who try."""
        is_silent = any(now - began > ABSENT for began in self._tries.get(relay, ()))
        return self._until.get(relay, 0.0) <= now and not is_silent

    def forget(self) -> None:
        """As a new process begins."""
        with self._lock:
            self._until.clear()
            self._times.clear()


down = Down()


class Shares:
    """Each relay's share of the messages by its weight, held to within a few. The caller locks.

    Who does not keep up, or is shut for longer, is not waited for: the others' shares grow by what it leaves.
    """

    def __init__(self, weights: dict[str, int]) -> None:
        self._weights = weights
        self._taken = dict.fromkeys(weights, 0.0)  # messages by weight: equal when all have their shares
        self._last_at = dict.fromkeys(weights, 0.0)
        self._is_held_back: set[str] = set()

    def has_share(self, name: str) -> bool:
        return self._weights.get(name, 1) > 0

    @property
    def is_needed(self) -> bool:
        return len(self._weights) > 1

    def admits(self, name: str, present: set[str]) -> bool:
        """`present`: those that could take a message now, or are at work."""
        if not self._weights[name]:
            return not any(self._weights[other] for other in present)
        behind = self._behind(name, present)
        room = 0.0 if name in self._is_held_back else AHEAD / self._weights[name]
        if self._taken[name] > behind + room:
            self._is_held_back.add(name)
            return False
        self._is_held_back.discard(name)
        return True

    def is_turn_of_another(self, present: set[str]) -> bool:
        """Somebody was held back who is not ahead any more."""
        return any(self._taken[name] <= self._behind(name, present) for name in self._is_held_back)

    def took(self, name: str, present: set[str]) -> None:
        if self._weights[name]:
            now = time.monotonic()
            if now - self._last_at[name] > ABSENT:  # what it missed meanwhile is not made up for
                self._taken[name] = max(self._taken[name], self._behind(name, present))
            self._last_at[name] = now
            self._taken[name] += 1 / self._weights[name]

    def gave_back(self, name: str) -> None:
        if self._weights[name]:
            self._taken[name] -= 1 / self._weights[name]

    def _behind(self, name: str, present: set[str]) -> float:
        """How far the one is that has had least of its share, of all but this one."""
        others = [self._taken[other] for other in present if other != name and self._weights[other]]
        return min(others, default=self._taken[name])
