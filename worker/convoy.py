"""Many connections on one thread: each moves on when its server has answered.

A thread for each would spend a third of its time on handing the interpreter to the others.
"""

import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field

Steps = Generator[float, None, None]
"""Work that yields whenever it must wait for its connection to become readable, and for how many seconds at most."""

TICK = 1.0  # seconds between looks at the clock, for connections that hear nothing


@dataclass(eq=False)
class _Trip:
    steps: Steps
    descriptor: int
    deadline: float = 0.0
    error: BaseException | None = None
    is_over: threading.Event = field(default_factory=threading.Event)


class Convoy:
    """The thread, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: deque[_Trip] = deque()
        self._thread: threading.Thread | None = None

    def go(self, descriptor: int, steps: Steps) -> None:
        """Run the steps to their end, beside those of other connections. Raises what they raise."""
        trip = _Trip(steps, descriptor)
        with self._lock:
            self._new.append(trip)
            if self._thread is None or not self._thread.is_alive():
                self._selector = selectors.DefaultSelector()
                woken, self._bell = os.pipe()
                self._selector.register(woken, selectors.EVENT_READ)
                self._thread = threading.Thread(target=self._run, args=(woken,), name="convoy", daemon=True)
                self._thread.start()
        os.write(self._bell, b"!")
        trip.is_over.wait()
        if trip.error is not None:
            raise trip.error

    def _run(self, woken: int) -> None:
        looked_at = time.monotonic()
        while True:
            for key, _ in self._selector.select(TICK):
                if key.fd == woken:
                    os.read(woken, 4096)
                    self._take_in()
                else:
                    self._move(key.data)
            if time.monotonic() - looked_at >= TICK:
                looked_at = time.monotonic()
                self._end_late_ones(looked_at)

    def _take_in(self) -> None:
        with self._lock:
            new, self._new = self._new, deque()
        for trip in new:
            self._selector.register(trip.descriptor, selectors.EVENT_READ, trip)
            self._move(trip)

    def _move(self, trip: _Trip) -> None:
        try:
            trip.deadline = time.monotonic() + next(trip.steps)
        except StopIteration:
            self._end(trip, None)
        except BaseException as error:
            self._end(trip, error)

    def _end_late_ones(self, now: float) -> None:
        for key in list(self._selector.get_map().values()):
            trip = key.data
            if trip is not None and trip.deadline < now:
                try:
                    trip.deadline = now + trip.steps.throw(TimeoutError())
                except StopIteration:
                    self._end(trip, None)
                except BaseException as error:
                    self._end(trip, error)

    def _end(self, trip: _Trip, error: BaseException | None) -> None:
        self._selector.unregister(trip.descriptor)
        trip.error = error
        trip.is_over.set()
