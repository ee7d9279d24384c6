"""The lanes as one cargo meets them: who carries it, whose turn it is, and when the rest may go."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Self

from worker.lanes import Lanes
from worker.relays import ABSENT

PATIENCE = 5.0  # seconds for which one waits with a chunk in hand until its next message may leave
STAND_IN_AFTER = 10.0  # seconds that a relay may be silent before those who stand by take its place
SHORTEST, LONGEST = 1.0, 600.0  # seconds until a chunk that waits for its lanes is looked at again


class Gate:
    """Asked under the lock of its cargo, and only where `lanes.is_free` is not true: that is asked for each message.

    `overtakes`: notices, which are counted but held back by nothing.
    """

    def __init__(self, lanes: Lanes, *, overtakes: bool = False) -> None:
        self.lanes = lanes
        self._overtakes = overtakes
        self._carriers: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._seen_at: dict[str, float] = {}

    @classmethod
    def open(cls) -> Self:
        """Holds nothing back."""
        return cls(Lanes((), {}, None))

    @property
    def is_wanting(self) -> bool:
        """Somebody waits for what could be had."""
        return self.lanes.is_wanting

    def look_up(self, addresses: Iterable[str]) -> None:
        """Find out where these lead to, while nobody waits."""
        if not self.lanes.is_free:
            self.lanes.destinations.look_up(addresses)

    def destination(self, address: str) -> str:
        return self.lanes.destinations.of(address)

    # who carries

    def joins(self, relay: str) -> None:
        self._carriers[relay] += 1
        self._seen_at[relay] = time.monotonic()

    def leaves(self, relay: str) -> None:
        self._carriers[relay] -= 1

    def waits(self, relay: str) -> None:
        self._waiting[relay] += 1

    def goes_on(self, relay: str) -> None:
        self._waiting[relay] -= 1
        self._seen_at[relay] = time.monotonic()

    def is_last(self, relay: str) -> bool:
        """Nobody else carries by this relay."""
        return self._carriers[relay] == 1

    # what may leave

    def admits(self, relay: str) -> bool:
        """Whether any message may leave by this relay now."""
        if not self._overtakes and not self.lanes.admits(relay):
            return False
        return not self.lanes.shares.is_needed or self.lanes.shares.admits(relay, self._present(relay))

    def opens(self, relay: str, destination: str) -> bool:
        return self._overtakes or self.lanes.opens(relay, destination)

    def take(self, relay: str, destination: str) -> bool:
        """A message leaves. False: not this way, not now."""
        if self._overtakes:
            self.lanes.count(relay, destination)
        elif not self.lanes.take(relay, destination):
            return False
        if self.lanes.shares.is_needed:
            self.lanes.shares.took(relay, self._present(relay))
        self._seen_at[relay] = time.monotonic()
        return True

    def is_turn_of_another(self, relay: str) -> bool:
        """What this relay took lets somebody else go on who waits."""
        shares = self.lanes.shares
        return shares.is_needed and shares.is_turn_of_another(self._present(relay))

    def give_back(self, relay: str, address: str) -> None:
        """It has not left after all."""
        if not self.lanes.is_free:
            self.lanes.count(relay, self.destination(address), -1)
            self.lanes.shares.gave_back(relay)

    def opens_in(self, destinations: Iterable[str]) -> float:
        """Seconds until the first of these may leave, by any relay that is at work; 0 if it may now, or nobody is."""
        at_work = [relay for relay, number in self._carriers.items() if number > 0]
        ways = [(relay, destination) for relay in at_work for destination in destinations]
        return min((self.lanes.opens_in(*way) for way in ways), default=0.0)

    def _present(self, asking: str) -> set[str]:
        """Whose turn it may be: not those who are down, shut for longer, or do not come back for more."""
        patience = time.monotonic() - (ABSENT if self.lanes.shares.has_share(asking) else STAND_IN_AFTER)
        return {
            relay
            for relay, number in self._carriers.items()
            if number > 0
            and (self._waiting[relay] > 0 or self._seen_at[relay] > patience)
            and (self._overtakes or not self.lanes.is_shut(relay))
        }


class Patience:
    """Of one who holds a chunk of which only such messages are left as may not leave now."""

    def __init__(self) -> None:
        self._since: float | None = None

    def is_over(self, opens_in: float, *, is_down_to_those_aside: bool, is_other_work_due: Callable[[], bool]) -> bool:
        """It is better to give the chunk back: it is a long wait, or meanwhile other chunks could be carried."""
        if opens_in > PATIENCE:
            return True
        if not is_down_to_those_aside:
            self._since = None
            return False
        now = time.monotonic()
        self._since = self._since or now
        if now - self._since < 1.0:
            return False
        self._since = now
        return is_other_work_due()


def look_again_in(opens_in: float, attempts: int) -> timedelta:
    """Until a chunk given back is due. `attempts` in a row of which nothing came make it longer."""
    return timedelta(seconds=min(max(opens_in, SHORTEST * 2 ** min(attempts, 10)), LONGEST))
