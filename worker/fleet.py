"""The connections of this process: opened when there is work, kept for the next, closed when there is none."""

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

import structlog

from newsletter.config import settings
from worker import transports
from worker.cargo import Cargo
from worker.convoy import Convoy
from worker.relays import Relay, down
from worker.transports import Accepted, Deferred, NoAnswer, Outgoing, Refused, Session, Unavailable

log = structlog.get_logger()

IDLE = 10.0  # seconds that a connection without work stays open
WORTH_A_CONNECTION = 25  # messages for which one more is opened


class Fleet:
    """Connections that wait for work, by relay."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parked: list[tuple[Relay, Session, float]] = []
        self._watch: threading.Thread | None = None

    def take(self, relay: Relay) -> tuple[Session, bool]:
        """A connection to this relay, and whether it is a new one. Raises Unavailable."""
        with self._lock:
            for at, (whose, session, _) in enumerate(self._parked):
                if whose == relay:
                    del self._parked[at]
                    return session, False
        return transports.open_session(relay.url, settings().smtp_timeout), True

    def park(self, relay: Relay, session: Session) -> None:
        with self._lock:
            self._parked.append((relay, session, time.monotonic()))
            if self._watch is None:
                self._watch = threading.Thread(target=self._close_idle, name="idle connections", daemon=True)
                self._watch.start()

    def close(self) -> None:
        """All that wait for work."""
        with self._lock:
            parked, self._parked = self._parked, []
        for _, session, _ in parked:
            session.close()

    def _close_idle(self) -> None:
        while True:
            time.sleep(IDLE / 4)
            with self._lock:
                long_ago = time.monotonic() - IDLE
                idle = [each for each in self._parked if each[2] < long_ago]
                self._parked = [each for each in self._parked if each[2] >= long_ago]
                if not self._parked:
                    self._watch = None
            for _, session, _ in idle:
                session.close()
            if self._watch is None:
                return


fleet = Fleet()
convoy = Convoy()


@dataclass
class Crew:
    """The threads that carry one cargo, each on a connection of its own. After `with crew:` all have ended."""

    cargo: Cargo  # type: ignore[type-arg]  # whatever is in it
    size: int  # items to be carried in all
    trouble: str = field(default="", init=False)  # the last words of a server that takes nothing

    def __enter__(self) -> Self:
        self._hands = [
            (_Carrier(relay, self.cargo), f"{relay.name} {number}")
            for relay in down.worth_a_try()
            for number in range(min(relay.connections, -(-self.size // WORTH_A_CONNECTION)))
        ]
        for carrier, _ in self._hands:
            self.cargo.gate.joins(carrier.relay.name)
        self._threads = {
            threading.Thread(target=self._carry, args=(carrier,), name=name, daemon=True): carrier
            for carrier, name in self._hands
        }
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cargo.call_off()
        for thread, carrier in self._threads.items():
            while thread.is_alive() and not carrier.is_connecting:
                thread.join(0.05)

    @property
    def is_gone(self) -> bool:
        """Nothing more will be carried: all have ended, or wait for a server to answer when nothing is left to do."""
        at_work = [carrier for thread, carrier in self._threads.items() if thread.is_alive()]
        return not at_work or (self.cargo.is_over and all(carrier.is_connecting for carrier in at_work))

    def _carry(self, carrier: "_Carrier") -> None:
        relay = carrier.relay.name
        try:
            carrier.work()
        except Unavailable as error:
            self.trouble = str(error)
            if self.cargo.gate.is_last(relay):
                down.failed(relay)
        except BaseException as error:
            self.cargo.fail(error)
        finally:
            self.cargo.gate.leaves(relay)
            self.cargo.carrier_left()


class _Carrier:
    """One connection at work: what it asks of the cargo, and whether it is of any use."""

    def __init__(self, relay: Relay, cargo: Cargo) -> None:  # type: ignore[type-arg]
        self.relay = relay
        self.is_connecting = False
        self._cargo = cargo
        self._lanes = cargo.gate.lanes
        self._answers = 0
        self._refusal = ""  # the last one
        self._unwritten = ""  # for the journal: what was accepted is written together with what is handed over next
        self.next = partial(cargo.next, relay.name)

    def handing_over(self, *messages: Outgoing) -> None:
        self._cargo.handing_over(messages, self._unwritten)
        self._unwritten = ""

    def answered(self, message: Outgoing, answer: transports.Answer) -> None:
        self._unwritten += self._cargo.answered(message, answer)
        if isinstance(answer, Accepted):
            self._answers += 1
            if self._lanes.suspects:
                self._lanes.accepted(self.relay.name, message.recipient)
            return
        self._answers += not isinstance(answer, NoAnswer)
        self._write_down()
        if isinstance(answer, Deferred | Refused):
            self._refusal = answer.reply
            self._lanes.refused(self.relay.name, message.recipient, answer.reply)

    def returned(self, message: Outgoing) -> None:
        self._cargo.returned(message, self.relay.name)

    def _write_down(self) -> None:
        if self._unwritten:
            unwritten, self._unwritten = self._unwritten, ""
            self._cargo.journal.write(unwritten)

    def work(self) -> None:
        """Raises Unavailable when the relay takes nothing."""
        session: Session | None = None
        while self._cargo.wait(self.relay.name):
            session = self._trip(session)
        if session is not None:
            fleet.park(self.relay, session)

    def _trip(self, session: Session | None) -> Session | None:
        """Carry what there is. None: the server has closed the connection, as many do after so many messages."""
        is_new = False
        before = self._answers
        try:
            if session is None:
                is_new = True
                session, is_new = self._connected()
            self._carry_by(session)
        except Unavailable as error:
            if str(error) != self._refusal:  # else it was said to a message, and heard
                self._lanes.turned_away(self.relay.name, str(error))
            if is_new and self._answers == before:
                raise  # only a fresh connection tells whether they serve
            return None
        finally:
            self._write_down()
            if self._answers > before:
                down.served(self.relay.name)
        return session if session.is_open else None

    def _carry_by(self, session: Session) -> None:
        steps, descriptor = getattr(session, "steps", None), getattr(session, "descriptor", None)
        if steps and descriptor is not None:
            convoy.go(descriptor, steps(self))
        else:
            session.carry(self)

    def _connected(self) -> tuple[Session, bool]:
        """Nobody waits for one who is at this: a server may keep silent for a minute."""
        self.is_connecting = True
        try:
            with down.trying(self.relay.name):
                return fleet.take(self.relay)
        finally:
            self.is_connecting = False
