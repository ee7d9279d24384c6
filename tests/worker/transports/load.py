"""A load that keeps its books as strictly as worker.transports.Load says, and messages to fill it with."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import emails
from emails import Compiled, Envelope, Recipient, Sender
from worker import transports
from worker.transports import Accepted, Answer, NoAnswer, Outgoing

SIMPLE = (
    b"From: Ken <ken@letters.example.org>\r\nSubject: hello\r\nMessage-ID: <m1@letters.example.org>\r\n\r\nwords\r\n"
)


@dataclass
class StrictLoad:
    """Fails at once when a session does what it must not. Recipients stand for messages."""

    waiting: list[Outgoing]
    fence: Callable[[tuple[Outgoing, ...]], None] = lambda messages: None
    said: dict[str, Answer] = field(default_factory=dict)
    back: list[str] = field(default_factory=list)
    handed_over: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def next(self) -> Outgoing | None:
        if not self.waiting:
            return None
        message = self.waiting.pop(0)
        self.asked.append(message.recipient)
        return message

    def handing_over(self, *messages: Outgoing) -> None:
        for message in messages:
            self._must_be_open(message)
        self.fence(messages)
        self.handed_over += [message.recipient for message in messages]

    def answered(self, message: Outgoing, answer: Answer) -> None:
        self._must_be_open(message)
        if isinstance(answer, Accepted | NoAnswer):
            assert message.recipient in self.handed_over, f"{answer} without handing over"
        self.said[message.recipient] = answer

    def returned(self, message: Outgoing) -> None:
        self._must_be_open(message)
        self.back.append(message.recipient)

    def _must_be_open(self, message: Outgoing) -> None:
        assert message.recipient in self.asked, "never asked for"
        assert message.recipient not in self.said, "answered already"
        assert message.recipient not in self.back, "returned already"

    @property
    def is_settled(self) -> bool:
        return sorted(self.asked) == sorted([*self.said, *self.back])

    @property
    def in_doubt(self) -> list[str]:
        return [recipient for recipient, answer in self.said.items() if isinstance(answer, NoAnswer)]

    @property
    def accepted(self) -> list[str]:
        return [recipient for recipient, answer in self.said.items() if isinstance(answer, Accepted)]


def load_of(*recipients: str, content: bytes = SIMPLE) -> StrictLoad:
    return StrictLoad([outgoing(to, key=key, content=content) for key, to in enumerate(recipients)])


def outgoing(recipient: str, key: int = 1, content: bytes = SIMPLE) -> Outgoing:
    return Outgoing(key, "ken@letters.example.org", recipient, [content], f"token{key}")


def readers(count: int) -> list[str]:
    return [f"r{number}@example.com" for number in range(count)]


def carry(url: str, *recipients: str, content: bytes = SIMPLE) -> StrictLoad:
    load = load_of(*recipients, content=content)
    with closing(transports.open_session(url, 3)) as session:
        session.carry(load)
    assert load.is_settled
    return load


HTML = "<!doctype html><p>Grüße, “Ada” & 日本 👋 = fine</p>\n<p>.dot</p>\n" + "<p>a long line " + "x" * 1500 + "</p>\n"
TEXT = "Grüße, “Ada” & 日本 👋 = fine\n\n.dot\n"


def letter(recipient: str = "ada@example.com", *, one_click: bool = True) -> bytes:
    """As the engine makes them: hostile subject, both bodies, all headers of a list."""
    envelope = Envelope(
        sender=Sender("Ken, at “Slow Letters” — émigré", "ken@letters.example.org", "reply@letters.example.org"),
        date=datetime(2026, 11, 25, 9, tzinfo=UTC),
        message_id_domain="letters.example.org",
        list_id="Slow Letters — émigré <weekly.lists.letters.example.org>",
        feedback_id="7:weekly:1:letters",
        archive_url="https://letters.example.org/archive",
        one_click=one_click,
    )
    reader = Recipient(
        address=recipient,
        message_id="m7.1",
        name="Ada, née Byron",
        unsubscribe_url="https://letters.example.org/leave/" + "a" * 90,
        unsubscribe_mailto="leave+abc@letters.example.org",
    )
    subject = "Überraschung: ein sehr langer Betreff, der auf mehrere Zeilen gefaltet wird 👋 and then some more words"
    return emails.build_letter(Compiled(subject, HTML, TEXT), envelope).splice(reader)
