"""What all providers have in common: messages leave in requests, and each of them gets an answer, or goes back.

The doubt that a broken connection leaves is one request: one message, or a batch.
"""

import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from worker.transports.answers import Answer, Deferred, NoAnswer, Outgoing, Refused, Unavailable
from worker.transports.http import Connection, NoReply, NotSent, Reply, Request

if TYPE_CHECKING:
    from worker.transports import Load

ENOUGH = 8 * 1024 * 1024  # bytes: a batch of this size gets no more messages; providers take 20 MB and more
PAUSES = (1.0, 3.0)  # seconds before a request is made again
LONGEST_WAIT = 5.0  # seconds that a session waits by itself, when a provider asks to

# Refusals begin as a mail server's would (RFC 3463), so that they mean the same to whoever reads them later. What is
# put off does not: at its end it is no bounce, for it may have been our fault.
NO_SUCH_MAILBOX = "550 5.1.1"
NO_SUCH_ADDRESS = "550 5.1.3"
NOT_THIS_CONTENT = "554 5.6.0"

Verdict = Answer | Unavailable
Batch = list[tuple[Outgoing, bytes]]  # each with what stands for it in a request


class CannotCarry(Exception):
    """This provider has no way to take this message as it is."""


class Busy(Exception):
    """Too many requests: nothing was taken, and the same may be tried soon. “429” in front slows the lane down."""

    def __init__(self, name: str, reply: Reply, words: str) -> None:
        super().__init__(f"{reply.status} {name}: {words or 'too many requests.'}")
        self.wait = reply.wait


class Spoiled(Exception):
    """The whole batch was refused, perhaps for one message in it. Nothing was taken. `alone`: what this means for a
    message that was alone in it."""

    def __init__(self, alone: Answer) -> None:
        super().__init__(alone.reply)
        self.alone = alone


class Provider(Protocol):
    """One provider's language: how a request is written, and what its answers mean."""

    name: str
    batch: int  # messages that go into one request
    repeats_safely: bool  # the same request a second time changes nothing (an idempotency key)

    def packed(self, message: Outgoing) -> bytes:
        """What stands for this message in a request. Raises CannotCarry."""

    def request(self, packed: Sequence[bytes]) -> Request:
        """The one request that hands these messages over; the same for the same messages, if repeats are safe."""

    def verdicts(self, reply: Reply) -> Sequence[Verdict]:
        """One for each message, in their order: Unavailable stands for “not taken, and not for its own sake”.

        Raises Unavailable, Busy or Spoiled when nothing was taken, NoReply when nobody can tell.
        """

    def knock(self, connection: Connection) -> None:
        """Whether they let us in, by a request that sends nothing. Raises Unavailable, NotSent, NoReply."""


class Stumbled(Unavailable):
    """The connection broke while the messages were being written, again and again: it may be for one of them."""


class ProviderSession:
    """A session (worker.transports.Session) with any provider."""

    def __init__(self, provider: Provider, connection: Connection) -> None:
        self._provider = provider
        self._connection = connection
        self._batches: deque[Batch] = deque()  # asked for, and not handed over yet
        self._doubt = ""  # why the batch in hand may be theirs, though they did not say so
        self.is_open = True

    def carry(self, load: "Load") -> None:
        try:
            while self._batches or self._fill(load):
                self._hand_over(load, self._batches.popleft())
        except BaseException:
            self.close()
            for batch in self._batches:
                _return(load, [message for message, _ in batch])
            self._batches.clear()
            raise

    def close(self) -> None:
        self.is_open = False
        self._connection.close()

    def _fill(self, load: "Load") -> bool:
        """Ask for a batch of messages. False: there is none."""
        batch: Batch = []
        self._batches.append(batch)  # whatever happens next, they are not forgotten
        size = 0
        while len(batch) < self._provider.batch and size < ENOUGH and (message := load.next()):
            try:
                packed = self._provider.packed(message)
            except CannotCarry as error:
                load.answered(message, Refused(str(error)))
                continue
            except BaseException:
                load.returned(message)
                raise
            batch.append((message, packed))
            size += len(packed)
        if not batch:
            self._batches.clear()
        return bool(batch)

    def _hand_over(self, load: "Load", batch: Batch) -> None:
        """One answer or return for each message of the batch, whatever happens."""
        messages = [message for message, _ in batch]
        self._doubt = ""
        try:
            verdicts = self._exchange(load, messages, [packed for _, packed in batch])
        except Spoiled as error:
            if len(batch) == 1:
                load.answered(messages[0], error.alone)
                return
            middle = len(batch) // 2
            self._batches.extendleft([batch[middle:], batch[:middle]])
            return
        except BaseException as error:
            self._settle(load, messages, error)
            raise
        trouble: Unavailable | None = None
        for message, verdict in zip(messages, verdicts, strict=True):
            if isinstance(verdict, Unavailable):
                trouble = trouble or verdict
                self._settle(load, [message], verdict)
            else:
                load.answered(message, verdict)
        if trouble is not None:
            raise trouble

    def _settle(self, load: "Load", messages: list[Outgoing], error: BaseException) -> None:
        """There is no answer for them, and this is why."""
        if self._doubt:
            for message in messages:
                load.answered(message, NoAnswer(self._doubt))
        elif isinstance(error, Stumbled):
            load.answered(messages[0], Deferred(str(error)))  # nobody has to wait behind it
            _return(load, messages[1:])
        else:
            _return(load, messages)

    def _exchange(self, load: "Load", messages: list[Outgoing], packed: list[bytes]) -> Sequence[Verdict]:
        """Make the request, and make it again where that is safe, until there is an answer. Raises as `verdicts`."""
        request = self._provider.request(packed)
        for pause in (*PAUSES, None):
            self._connection.open()
            load.handing_over(*messages)  # each time: the machine may have slept in between
            wait = pause or 0.0
            try:
                return self._asked(messages, request)
            except Busy as error:
                trouble = Unavailable(str(error))
                wait = wait if error.wait is None else error.wait
            except NotSent as error:
                trouble = Stumbled(f"{self._provider.name} broke off: {error}")
            except NoReply as error:
                trouble = Unavailable(f"{self._provider.name} did not say what became of it: {error}")
                self._doubt = self._doubt or str(trouble)
                if not self._provider.repeats_safely:
                    raise trouble from None
            if pause is None or wait > LONGEST_WAIT:
                break
            time.sleep(wait)
        raise trouble

    def _asked(self, messages: list[Outgoing], request: Request) -> Sequence[Verdict]:
        try:
            verdicts = self._provider.verdicts(self._connection.ask(request))
        except (NotSent, NoReply, Busy, Spoiled, Unavailable):
            raise
        except BaseException:
            self._doubt = f"We broke off before we understood {self._provider.name}’s answer."
            raise
        if len(verdicts) != len(messages):
            raise NoReply(f"{len(verdicts)} answers to {len(messages)} messages.")
        return verdicts


def knocked(provider: Provider, connection: Connection) -> ProviderSession:
    """A session with a provider who has let us in. Raises Unavailable."""
    try:
        connection.open()
        provider.knock(connection)
    except (NotSent, NoReply) as error:
        connection.close()
        raise Unavailable(f"{provider.name} does not answer: {error}") from None
    except BaseException:
        connection.close()
        raise
    return ProviderSession(provider, connection)


def is_busy(reply: Reply) -> bool:
    """Surely nothing was taken: too many requests, or a 503 that somebody has written on purpose."""
    return reply.status == 429 or (reply.status == 503 and (reply.wait is not None or isinstance(reply.json, dict)))


def _return(load: "Load", messages: list[Outgoing]) -> None:
    for message in messages:
        load.returned(message)
