"""What every way out must keep, whatever language it speaks (worker.transports.Load and Session)."""

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.providers import CUT_AFTER, FakeMailgun, FakePostmark, FakeResend, FakeSes, Provider
from tests.smtp_sink import Orders, SmtpSink
from tests.worker.transports.load import StrictLoad, carry, load_of, outgoing, readers
from worker import transports
from worker.transports import Accepted, Outgoing, Session, Unavailable, provider

PROVIDERS: dict[str, type[Provider]] = {
    "ses": FakeSes,
    "postmark": FakePostmark,
    "mailgun": FakeMailgun,
    "resend": FakeResend,
}


@dataclass
class Way:
    """One way out, with the eyes of the other side."""

    url: str
    arrived: Callable[[], list[str]]
    breaks: Callable[[], None]
    loses_the_answer: Callable[[], None] | None  # to the first message that comes; None: there are no answers


OVER_A_NETWORK = ["smtp", *PROVIDERS]


@pytest.fixture(params=["files", *OVER_A_NETWORK])
def way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    monkeypatch.setattr(provider, "PAUSES", (0.01, 0.01))
    if request.param == "files":
        yield _folder(tmp_path / "mail")
    elif request.param == "smtp":
        with contextlib.suppress(OSError), SmtpSink() as sink:  # OSError: it was stopped already

            def lose() -> None:
                sink.orders["r0@example.com"] = Orders(cut="after_dot")

            yield Way(sink.url, lambda: [to for to, _ in sink.accepted], sink.stop, lose)
    else:
        with PROVIDERS[request.param]() as fake:
            times = 3 if request.param == "resend" else 1  # it is asked again, and the answer is lost again
            yield Way(
                fake.url,
                lambda: [to for to, _ in fake.accepted],
                fake.stop,
                lambda: fake.orders.extend([CUT_AFTER] * times),
            )


def _folder(path: Path) -> Way:
    def arrived() -> list[str]:
        lines = [line for file in sorted((path / "new").iterdir()) for line in file.read_bytes().split(b"\r\n")]
        return [line.partition(b": ")[2].decode() for line in lines if line.startswith(b"Delivered-To: ")]

    return Way(f"files:{path}", arrived, lambda: shutil.rmtree(path), None)


def test_each_message_is_answered_once_and_arrives_once(way: Way) -> None:
    load = carry(way.url, *readers(230))

    assert load.accepted == readers(230)
    assert sorted(way.arrived()) == sorted(readers(230))


def test_an_accepted_message_has_the_name_that_later_events_will_call_it_by(way: Way) -> None:
    said = carry(way.url, "ada@example.com").said["ada@example.com"]

    assert isinstance(said, Accepted)
    assert len(said.reply) > 5


def test_nothing_is_handed_over_once_the_fence_is_closed(way: Way) -> None:
    load = load_of(*readers(5))

    def closed(messages: tuple[Outgoing, ...]) -> None:
        raise LookupError

    load.fence = closed
    session = transports.open_session(way.url, 3)
    with pytest.raises(LookupError):
        session.carry(load)

    assert way.arrived() == []
    assert load.is_settled
    assert load.said == {}
    assert not session.is_open


def test_a_fence_that_closes_in_the_middle_leaves_what_was_answered(way: Way) -> None:
    load = load_of(*readers(450))

    def closes(messages: tuple[Outgoing, ...]) -> None:
        if any(message.key >= 250 for message in messages):
            raise LookupError

    load.fence = closes
    session = transports.open_session(way.url, 3)
    with pytest.raises(LookupError):
        session.carry(load)

    assert load.is_settled
    assert 0 < len(load.said) <= 250
    assert sorted(way.arrived()) == sorted(load.accepted) == sorted(load.said)


def test_a_load_without_messages_sends_nothing(way: Way) -> None:
    load = carry(way.url)

    assert load.handed_over == way.arrived() == []


def test_a_session_carries_one_load_after_the_other(way: Way) -> None:
    with closing(transports.open_session(way.url, 3)) as session:
        for number in range(3):
            load = load_of(f"r{number}@example.com")
            session.carry(load)
            assert len(load.accepted) == 1
            assert session.is_open
    assert sorted(way.arrived()) == readers(3)
    assert not session.is_open


def test_who_is_gone_takes_nothing_and_leaves_no_doubt(way: Way) -> None:
    session = transports.open_session(way.url, 3)
    way.breaks()
    load = load_of(*readers(5))
    with pytest.raises(Unavailable):
        session.carry(load)

    assert load.is_settled
    assert load.in_doubt == load.accepted == []
    assert not session.is_open


@pytest.mark.parametrize("way", OVER_A_NETWORK, indirect=True)
def test_a_lost_answer_leaves_doubt_about_what_was_in_hand_and_nothing_else(way: Way) -> None:
    assert way.loses_the_answer is not None
    way.loses_the_answer()
    load = load_of(*readers(250))
    session = transports.open_session(way.url, 3)
    with pytest.raises(Unavailable):
        session.carry(load)

    assert load.is_settled
    assert sorted(load.in_doubt) == sorted(way.arrived())
    assert 1 <= len(load.in_doubt) <= 100
    assert load.accepted == []
    assert not session.is_open


def test_two_sessions_share_a_load_without_a_message_twice(way: Way) -> None:
    load = _Shared(list(load_of(*readers(300)).waiting))
    sessions = [transports.open_session(way.url, 3) for _ in range(2)]
    threads = [threading.Thread(target=_carry, args=(session, load)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(load.accepted) == sorted(readers(300))
    assert sorted(way.arrived()) == sorted(readers(300))


def test_a_load_that_grows_while_it_is_carried_is_carried_whole(way: Way) -> None:
    load = load_of(*readers(3))

    def grows(messages: tuple[Outgoing, ...]) -> None:
        if any(message.key == 1 for message in messages):
            load.waiting.append(outgoing("late@example.com", key=99))

    load.fence = grows
    with closing(transports.open_session(way.url, 3)) as session:
        session.carry(load)
    assert load.is_settled
    assert "late@example.com" in way.arrived()


class _Shared(StrictLoad):
    def __init__(self, waiting: list[Outgoing]) -> None:
        super().__init__(waiting)
        self._lock = threading.RLock()

    def next(self) -> Outgoing | None:
        with self._lock:
            return super().next()

    def handing_over(self, *messages: Outgoing) -> None:
        with self._lock:
            super().handing_over(*messages)

    def answered(self, message: Outgoing, answer: transports.Answer) -> None:
        with self._lock:
            super().answered(message, answer)


def _carry(session: Session, load: StrictLoad) -> None:
    with closing(session):
        session.carry(load)
