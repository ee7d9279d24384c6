"""Stand-ins for the edges: the queue and the mail server. Everything between them is real."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Self

import pytest

from newsletter.jobs import Job
from worker import tasks  # here, and not when it is needed: a test may have patched what it binds
from worker.transports import Accepted, Answer, Load


@dataclass
class JobQueue:
    """Keeps what was published; `run()` works it off as a worker would."""

    waiting: deque[tuple[Job, tuple[int, ...]]] = field(default_factory=deque)

    def ring(self, job: Job, *ids: int) -> bool:
        self.waiting.append((job, ids))
        return True

    def run(self, limit: int = 200) -> None:
        for _ in range(limit):
            if not self.waiting:
                return
            job, ids = self.waiting.popleft()
            tasks.run(job, *ids)
        raise AssertionError(f"the queue is not empty after {limit} jobs: {list(self.waiting)[:5]}")


@dataclass
class Outbox:
    """A mail server in memory. `answers` says what it replies for an address, message by message; then it accepts."""

    received: list[tuple[str, bytes]] = field(default_factory=list)
    answers: dict[str, list[Answer | Exception]] = field(default_factory=dict)
    delay: float = 0.0  # seconds before each answer
    after_first: Callable[[], object] = lambda: None

    @classmethod
    def install(cls, monkeypatch: pytest.MonkeyPatch) -> Self:
        from worker import transports

        outbox = cls()
        monkeypatch.setattr(transports, "open_session", lambda url, timeout: OutboxSession(outbox))
        return outbox

    def __len__(self) -> int:
        return len(self.received)

    def __getitem__(self, index: int) -> EmailMessage:
        return BytesParser(policy=default).parsebytes(self.received[index][1])

    def to(self, address: str) -> list[EmailMessage]:
        return [self[index] for index, (recipient, _) in enumerate(self.received) if recipient == address]

    @property
    def addresses(self) -> list[str]:
        return [recipient for recipient, _ in self.received]


class OutboxSession:
    """What worker.transports hands out: one open connection."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.is_open = True

    def carry(self, load: Load) -> None:
        while message := load.next():
            queued = self.outbox.answers.get(message.recipient) or []
            answer = queued.pop(0) if queued else Accepted("250 2.0.0 queued")
            if isinstance(answer, Exception):
                self.is_open = False
                load.returned(message)
                raise answer
            try:
                load.handing_over(message)
            except BaseException:
                load.returned(message)
                raise
            time.sleep(self.outbox.delay)
            if isinstance(answer, Accepted):
                self.outbox.received.append((message.recipient, message.content))
            load.answered(message, answer)
            if len(self.outbox) == 1:
                self.outbox.after_first()

    def close(self) -> None:
        self.is_open = False


def text_of(message: EmailMessage) -> str:
    """The text part, as a person would read it."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
