"""Messages that several connections carry at once, and what became of each: the meeting place of their threads."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from newsletter.sending import journal
from newsletter.sending.journal import Answer, Journal, PutOff
from newsletter.sending.models import Outcome
from worker import transports
from worker.gate import Gate
from worker.transports import Accepted, Deferred, NoAnswer, Outgoing, Refused

Item = TypeVar("Item")
Result = Answer | PutOff

# Messages that are made in one go. What makes them and what sends them drive each other out of the processor's caches:
# by turns of one, both take half as long again.
MADE_AT_ONCE = 16


@dataclass
class Cargo(Generic[Item]):
    """What is to be carried. One thread adds items and collects results; any number carries.

    `made` turns each of some items into a message, or into the result of an item that is not sent. `fence` raises when
    not one more message may leave. No more than `window` items are given out beyond those whose results were collected.
    What `gate` does not let through now is put aside for as long, by destination, and the others go on.
    """

    made: Callable[[Sequence[Item]], Sequence[Outgoing | Answer]]
    journal: Journal
    fence: Callable[[], None]
    window: int
    group: int
    address: Callable[[Item], str] = str
    gate: Gate = field(default_factory=Gate.open)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        # Two bells on one lock: who is woken for nothing takes the interpreter from who sends.
        self._for_carriers = threading.Condition(self._lock)
        self._for_collector = threading.Condition(self._lock)
        self._waiting: deque[Item] = deque()
        self._back: deque[Outgoing] = deque()  # made, and not handed over yet, or not after all
        self._aside: dict[str, deque[Item | Outgoing]] = {}
        self._results: list[Result] = []
        self._in_hand = 0
        self._is_complete = False
        self._is_called_off = False
        self._was_free = True  # when it was last looked at
        self._error: BaseException | None = None
        self.has_been_served = False  # a server has answered to at least one message

    # for the one who fills and empties it

    def add(self, items: Sequence[Item]) -> None:
        self.gate.look_up(map(self.address, items))
        with self._lock:
            self._waiting.extend(items)
            self._for_carriers.notify_all()

    def close(self) -> None:
        """Nothing more will be added."""
        with self._lock:
            self._is_complete = True
            self._notify_all()

    def call_off(self) -> None:
        """Give out nothing more; what is in hand is finished."""
        with self._lock:
            self._is_called_off = True
            self._notify_all()

    def collect(self, seconds: float) -> list[Result]:
        """What is known by now: as soon as there is a group of it, or all, or when the time is over.

        Nothing, but early, when there is room for more items.
        """
        with self._lock:
            is_time_over = not self._for_collector.wait_for(self._is_worth_a_look, seconds)
            if not is_time_over and not self._has_group() and self._has_room():
                return []
            was_full = len(self._results) + self._in_hand >= self.window
            results, self._results = self._results, []
            if was_full:
                self._for_carriers.notify_all()
            return results

    def check(self) -> None:
        """Raises what a carrying thread could not handle. Asked last: what was heard is not lost by it."""
        if self._error is not None:
            raise self._error

    @property
    def left(self) -> int:
        """Items not given out yet."""
        with self._lock:
            return len(self._waiting) + len(self._back) + sum(map(len, self._aside.values()))

    @property
    def has_room(self) -> bool:
        """More items would not wait for long."""
        with self._lock:
            return len(self._waiting) + len(self._back) < self.group

    @property
    def is_over(self) -> bool:
        with self._lock:
            return self._is_over()

    def look_again(self) -> None:
        """The gate may let through what it did not."""
        is_free = self.gate.lanes.is_free
        if self._aside or not (is_free and self._was_free):
            with self._lock:
                self._for_carriers.notify_all()
        self._was_free = is_free

    @property
    def is_down_to_those_aside(self) -> bool:
        with self._lock:
            return self._is_complete and bool(self._aside) and not self._waiting and not self._back

    def opens_in(self) -> float:
        """Seconds until any of what is left may leave; 0 when that is now, or something is in hand."""
        with self._lock:
            if self.gate.lanes.is_free or self._in_hand or self._is_called_off:
                return 0.0
            if self._waiting or self._back:
                return self.gate.opens_in([""])
            return self.gate.opens_in(list(self._aside)) if self._is_complete else 0.0

    # for those who carry

    def wait(self, relay: str = "") -> bool:
        """Until there is something to carry this way: True. False when there never will be."""
        with self._lock:
            self.gate.waits(relay)
            self._for_carriers.wait_for(lambda: self._can_give(relay) or self._is_over())
            self.gate.goes_on(relay)
            return not self._is_over()

    def next(self, relay: str = "") -> Outgoing | None:
        while True:
            items, is_counted = self._taken(relay)
            if not items:
                return None
            first = items[0]
            message = first if isinstance(first, Outgoing) else self._first_made(items, relay if is_counted else None)
            if message is not None:
                return message

    def _taken(self, relay: str) -> tuple[list[Any], bool]:
        """One message that is made already, or items that are not; empty when nothing may be given out now. And
        whether the gate has counted it."""
        with self._lock:
            if not self._has_next():
                return [], False
            is_counted = bool(self._aside) or not self.gate.lanes.is_free
            if is_counted:
                chosen = self._chosen(relay)
                taken = [] if chosen is None else [chosen]
            elif self._back:
                taken = [self._back.popleft()]
            else:
                taken = [self._waiting.popleft() for _ in range(min(MADE_AT_ONCE, len(self._waiting)))]
            self._in_hand += len(taken)
            return taken, is_counted

    def _first_made(self, items: Sequence[Item], counted: str | None) -> Outgoing | None:
        """The first message that comes of these items, if any; the others are kept for whoever asks next. `counted`:
        the relay for which the gate has counted them."""
        made: Sequence[Outgoing | Answer] = ()
        try:
            made = [each for each, _ in zip(self.made(items), items, strict=True)]  # none may be forgotten
        except BaseException as error:
            self.fail(error)
        ready: deque[Outgoing] = deque()
        for each in made:
            if isinstance(each, Outgoing):
                ready.append(each)
            else:
                if counted is not None:  # then there was one alone
                    self.gate.give_back(counted, self.address(items[0]))
                self._note(each)
        unmade = len(items) - len(made)
        with self._lock:
            first = ready.popleft() if ready and self._error is None else None
            self._back.extend(ready)
            self._in_hand -= len(ready) + unmade
            if ready:
                self._for_carriers.notify_all()
            if not self._in_hand:
                self._notify_all()
            return first

    def handing_over(self, messages: Sequence[Outgoing], heard_before: str) -> None:
        """`heard_before`: lines for the journal that were not written yet."""
        lines = heard_before
        for message in messages:
            lines += journal.handed_over(message.key, message.variant_id)
        self.journal.write(lines)
        try:
            self.fence()  # after it is written: the machine may have slept until now
        except BaseException:
            self.journal.write("".join(journal.kept_back(message.key) for message in messages))
            raise

    def answered(self, message: Outgoing, answer: transports.Answer) -> str:
        """Returns the line for the journal, for whoever can write it together with the next one."""
        result = result_of(message, answer)
        self.has_been_served = self.has_been_served or not isinstance(answer, NoAnswer)
        self._note(result)
        return journal.heard(result)

    def returned(self, message: Outgoing, relay: str = "") -> None:
        self.gate.give_back(relay, message.recipient)
        with self._lock:
            self._back.append(message)
            self._in_hand -= 1
            self._notify_all()

    def fail(self, error: BaseException) -> None:
        """This must not go on: whoever checks will hear why."""
        with self._lock:
            self._error = self._error or error
            self._is_called_off = True
            self._notify_all()

    def carrier_left(self) -> None:
        with self._lock:
            self._notify_all()

    def _note(self, result: Result) -> None:
        with self._lock:  # asked for every message: the condition itself would ask it in Python
            self._results.append(result)
            self._in_hand -= 1
            if self._is_worth_a_look():
                self._for_collector.notify_all()
            if not self._in_hand:
                self._for_carriers.notify_all()  # this may have been the last

    def _notify_all(self) -> None:
        self._for_carriers.notify_all()
        self._for_collector.notify_all()

    def _has_next(self) -> bool:
        if self._is_called_off or not (self._waiting or self._back or self._aside):
            return False
        return len(self._results) + self._in_hand < self.window

    def _can_give(self, relay: str) -> bool:
        """Whether it is worth asking: what this way is not open to may still turn out then."""
        if not self._has_next() or (self.gate.lanes.is_free and not self._aside):
            return self._has_next()
        is_any_open = self._waiting or self._back or any(self.gate.opens(relay, each) for each in self._aside)
        return bool(is_any_open) and self.gate.admits(relay)

    def _chosen(self, relay: str) -> Item | Outgoing | None:
        """The first that may take this way now."""
        item = self._admitted(relay) if self.gate.admits(relay) else None
        if self.gate.is_wanting or (item is not None and self.gate.is_turn_of_another(relay)):
            self._notify_all()  # who collects also sees to it that there is more to be had
        return item

    def _admitted(self, relay: str) -> Item | Outgoing | None:
        """On the way to it, those that may not are put aside."""
        for destination, aside in self._aside.items():
            if self.gate.take(relay, destination):
                item = aside.popleft()
                if not aside:
                    del self._aside[destination]
                return item
        while queue := self._back or self._waiting:
            item = queue.popleft()
            destination = self.gate.destination(item.recipient if isinstance(item, Outgoing) else self.address(item))
            if self.gate.take(relay, destination):
                return item
            self._aside.setdefault(destination, deque()).append(item)
        return None

    def _is_over(self) -> bool:
        is_empty = not (self._waiting or self._back or self._aside or self._in_hand)
        return self._is_called_off or (self._is_complete and is_empty)

    def _is_worth_a_look(self) -> bool:
        if self._has_group() or self._has_room():
            return True
        return not self.gate.lanes.is_free and self.gate.is_wanting

    def _has_group(self) -> bool:
        return len(self._results) >= self.group or (self._is_over() and not self._in_hand)

    def _has_room(self) -> bool:
        return not self._is_complete and not self._is_called_off and len(self._waiting) + len(self._back) < self.group


def result_of(message: Outgoing, answer: transports.Answer) -> Result:
    if isinstance(answer, Accepted):  # as nearly always
        return Answer(message.key, Outcome.ACCEPTED, answer.reply, message.variant_id)
    if isinstance(answer, Deferred):
        return PutOff(message.key, answer.reply)
    return Answer(message.key, _OUTCOMES[type(answer)], answer.reply, message.variant_id)


_OUTCOMES = {Accepted: Outcome.ACCEPTED, Refused: Outcome.REFUSED, NoAnswer: Outcome.UNCONFIRMED}


def sorted_out(results: Sequence[Result]) -> tuple[list[Answer], list[PutOff]]:
    answers = [result for result in results if isinstance(result, Answer)]
    return answers, [result for result in results if isinstance(result, PutOff)]
