"""The SMTP transport against a real server that misbehaves."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from newsletter.sending.journal import Journal
from tests.smtp_sink import Orders, SmtpSink
from worker import transports
from worker.cargo import Cargo
from worker.fleet import Crew, fleet
from worker.transports import Accepted, Answer, Deferred, NoAnswer, Outgoing, Refused, Unavailable, smtp

MESSAGE = b"Subject: hello\r\n\r\nwords\r\n"
ACCEPTED = Accepted("250 2.0.0 queued")


@dataclass
class Basket:
    """What one session is to carry, and what became of it."""

    waiting: list[Outgoing]
    fence: Callable[[Outgoing], None] = lambda message: None
    said: dict[str, Answer] = field(default_factory=dict)
    back: list[str] = field(default_factory=list)
    handed_over: list[str] = field(default_factory=list)

    def next(self) -> Outgoing | None:
        return self.waiting.pop(0) if self.waiting else None

    def handing_over(self, *messages: Outgoing) -> None:
        for message in messages:
            self.fence(message)
            self.handed_over.append(message.recipient)

    def answered(self, message: Outgoing, answer: Answer) -> None:
        self.said[message.recipient] = answer

    def returned(self, message: Outgoing) -> None:
        self.back.append(message.recipient)


def basket(*recipients: str, message: bytes = MESSAGE) -> Basket:
    return Basket([Outgoing(key, "ken@example.org", to, [message], "") for key, to in enumerate(recipients)])


def carry(sink: SmtpSink, *recipients: str, message: bytes = MESSAGE) -> Basket:
    load = basket(*recipients, message=message)
    with closing(transports.open_session(sink.url, timeout=3)) as session:
        session.carry(load)
    return load


@pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
def pipelining(request: pytest.FixtureRequest) -> bool:
    """Every server is served the same, whether it offers PIPELINING or not."""
    return bool(request.param)


def test_what_the_server_accepts_arrives_as_it_was(pipelining: bool) -> None:
    with SmtpSink(pipelining=pipelining) as sink:
        assert carry(sink, "ada@example.com").said == {"ada@example.com": ACCEPTED}
        assert sink.accepted == [("ada@example.com", MESSAGE)]


def test_a_refused_recipient_does_not_disturb_those_around_it(pipelining: bool) -> None:
    orders = {"x@example.com": Orders(at_rcpt="550 5.1.1 unknown"), "y@example.com": Orders(at_rcpt="550 5.1.1 no")}
    with SmtpSink(orders=orders, pipelining=pipelining) as sink:
        said = carry(sink, "grace@example.com", "x@example.com", "y@example.com", "ada@example.com").said
        assert said == {
            "grace@example.com": ACCEPTED,
            "x@example.com": Refused("550 5.1.1 unknown"),
            "y@example.com": Refused("550 5.1.1 no"),
            "ada@example.com": ACCEPTED,
        }
        assert [recipient for recipient, _ in sink.accepted] == ["grace@example.com", "ada@example.com"]


def test_a_server_that_wants_content_in_spite_of_the_refusal_gets_none() -> None:
    with SmtpSink(orders={"x@example.com": Orders(at_rcpt="550 5.1.1 unknown")}, always_354=True) as sink:
        said = carry(sink, "x@example.com", "ada@example.com").said
        assert said == {"x@example.com": Refused("550 5.1.1 unknown"), "ada@example.com": ACCEPTED}
        assert [recipient for recipient, _ in sink.accepted] == ["ada@example.com"]


def test_temporary_words_put_the_reader_off_at_either_stage(pipelining: bool) -> None:
    orders = {"a@example.com": Orders(at_rcpt="450 4.2.0 busy"), "b@example.com": Orders(at_dot="451 4.7.1 later")}
    with SmtpSink(orders=orders, pipelining=pipelining) as sink:
        said = carry(sink, "a@example.com", "b@example.com", "c@example.com").said
        assert list(said.values()) == [Deferred("450 4.2.0 busy"), Deferred("451 4.7.1 later"), ACCEPTED]


def test_a_connection_cut_after_the_dot_leaves_one_doubt_and_gives_the_next_message_back(pipelining: bool) -> None:
    load = basket("ada@example.com", "grace@example.com")
    with SmtpSink(orders={"ada@example.com": Orders(cut="after_dot")}, pipelining=pipelining) as sink:
        session = transports.open_session(sink.url, timeout=3)
        with pytest.raises(Unavailable):
            session.carry(load)
    assert isinstance(load.said["ada@example.com"], NoAnswer)
    assert load.back == ["grace@example.com"]
    assert not session.is_open


def test_a_reader_at_whom_the_server_breaks_off_is_put_off(pipelining: bool) -> None:
    load = basket("ada@example.com")
    with SmtpSink(orders={"ada@example.com": Orders(cut="at_data")}, pipelining=pipelining) as sink:
        session = transports.open_session(sink.url, timeout=3)
        with pytest.raises(Unavailable):
            session.carry(load)
    assert isinstance(load.said["ada@example.com"], Deferred)
    assert load.handed_over == []


def test_a_server_that_shuts_down_has_nothing_that_it_did_not_answer(pipelining: bool) -> None:
    load = basket("ada@example.com", "grace@example.com")
    with SmtpSink(says_421_after=1, pipelining=pipelining) as sink:
        session = transports.open_session(sink.url, timeout=3)
        with pytest.raises(Unavailable, match="shutting down"):
            session.carry(load)
    assert load.said == {"ada@example.com": ACCEPTED}
    assert load.back == ["grace@example.com"]


def test_without_the_dot_there_is_no_message(pipelining: bool) -> None:
    def too_late(message: Outgoing) -> None:
        if message.recipient == "grace@example.com":
            raise TimeoutError

    load = basket("ada@example.com", "grace@example.com", "ken@example.com")
    load.fence = too_late
    with SmtpSink(pipelining=pipelining) as sink:
        session = transports.open_session(sink.url, timeout=3)
        with pytest.raises(TimeoutError):
            session.carry(load)
        assert [recipient for recipient, _ in sink.accepted] == ["ada@example.com"]
    assert load.said == {"ada@example.com": ACCEPTED}
    assert load.back == ["grace@example.com", "ken@example.com"]


def test_a_pipelined_message_costs_one_write() -> None:
    with SmtpSink(pipelining=True) as sink:
        carry(sink, *(f"r{number}@example.com" for number in range(50)))
        assert len(sink.accepted) == 50
        assert sink.reads <= 50 + 8


def test_nobody_there_is_said_plainly() -> None:
    with SmtpSink() as sink:
        url = sink.url
    with pytest.raises(Unavailable, match="nothing listens there"):
        transports.open_session(url, timeout=1)


def test_a_greeting_of_421_means_not_now() -> None:
    with SmtpSink(greeting="421 4.3.2 come back later") as sink, pytest.raises(Unavailable, match="come back later"):
        transports.open_session(sink.url, timeout=1)


def test_an_unverified_certificate_is_refused() -> None:
    with SmtpSink() as sink, pytest.raises(Unavailable):
        transports.open_session(f"{sink.url}?tls=required", timeout=1)


def test_a_server_that_closes_after_some_messages_is_called_again(
    app: object, monkeypatch: pytest.MonkeyPatch, pipelining: bool
) -> None:
    fleet.close()
    with SmtpSink(messages_per_connection=2, pipelining=pipelining) as sink, Journal() as journal:
        monkeypatch.setattr(transports, "open_session", lambda url, timeout: smtp.connect(sink.url, 3))
        messages = basket(*(f"r{number}@example.com" for number in range(5))).waiting
        cargo: Cargo[int] = Cargo(
            lambda numbers: [messages[number] for number in numbers], journal, lambda: None, window=100, group=10
        )
        with Crew(cargo, 1) as crew:
            cargo.add(range(5))
            cargo.close()
            while not crew.is_gone:
                time.sleep(0.01)
        assert [answer.outcome for answer in cargo.collect(0)] == ["accepted"] * 5  # type: ignore[union-attr]
        assert sink.connections == 3
