"""Where the connections of a process meet: each message is given out once, and what is not comes back to the chunk."""

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from newsletter.sending.journal import Answer, Journal
from newsletter.sending.models import Outcome
from worker.cargo import MADE_AT_ONCE, Cargo
from worker.transports import Accepted, Outgoing

pytestmark = pytest.mark.usefixtures("settings")
MANY = 3 * MADE_AT_ONCE


def message(number: int) -> Outgoing:
    return Outgoing(number, "us@example.com", f"r{number}@example.com", [b"Subject: hello\r\n\r\n"], "")


def cargo_of(count: int, made: Callable[[int], Outgoing | Answer] = message, window: int = 100) -> Cargo[int]:
    cargo: Cargo[int] = Cargo(
        lambda numbers: [made(number) for number in numbers], Journal(), lambda: None, window=window, group=MANY
    )
    cargo.add(range(count))
    cargo.close()
    return cargo


def all_given(cargo: Cargo[int]) -> list[int]:
    given = []
    while following := cargo.next():
        given.append(following.key)
        cargo.answered(following, Accepted("250 ok"))
    return given


def test_each_is_given_out_once_and_in_order() -> None:
    cargo = cargo_of(MANY + 1)

    assert all_given(cargo) == list(range(MANY + 1))
    assert cargo.is_over
    assert len(cargo.collect(0)) == MANY + 1


def test_who_is_passed_over_is_told_of_and_holds_nobody_up() -> None:
    def made(number: int) -> Outgoing | Answer:
        return message(number) if number % 3 else Answer(number, Outcome.SKIPPED, "Left.")

    cargo = cargo_of(MANY, made)

    assert all_given(cargo) == [number for number in range(MANY) if number % 3]
    told = {each.reader_id: each.outcome for each in cargo.collect(0) if isinstance(each, Answer)}
    assert told == {number: "accepted" if number % 3 else "skipped" for number in range(MANY)}
    assert cargo.is_over


def test_nobody_at_all_is_left_when_all_are_passed_over() -> None:
    cargo = cargo_of(MANY, lambda number: Answer(number, Outcome.SKIPPED, "Left."))

    assert cargo.next() is None
    assert len(cargo.collect(0)) == MANY
    assert cargo.is_over


def test_one_that_cannot_be_made_ends_it_and_loses_no_result() -> None:
    def made(number: int) -> Outgoing:
        if number == MADE_AT_ONCE + 5:
            raise RuntimeError("broken")
        return message(number)

    cargo = cargo_of(MANY, made)

    assert all_given(cargo) == list(range(MADE_AT_ONCE))
    assert len(cargo.collect(0)) == MADE_AT_ONCE
    assert cargo.is_over
    with pytest.raises(RuntimeError, match="broken"):
        cargo.check()


def test_no_more_are_given_out_than_may_be_in_doubt() -> None:
    cargo = cargo_of(MANY, window=5)

    given = [cargo.next() for _ in range(5)]

    assert all(given)
    assert cargo.next() is None
    assert cargo.left == MANY - 5


def test_what_was_made_ahead_is_not_given_out_when_it_is_called_off() -> None:
    cargo = cargo_of(MANY)
    first = cargo.next()
    assert first

    cargo.call_off()
    cargo.answered(first, Accepted("250 ok"))

    assert cargo.next() is None
    assert cargo.left == MANY - 1
    assert [each.reader_id for each in cargo.collect(0)] == [0]


def test_a_maker_that_forgets_somebody_is_a_bug_and_not_a_reader_less() -> None:
    cargo: Cargo[int] = Cargo(lambda numbers: [message(numbers[0])], Journal(), lambda: None, window=100, group=MANY)
    cargo.add(range(3))
    cargo.close()

    assert cargo.next() is None
    with pytest.raises(ValueError, match="longer"):
        cargo.check()


def test_who_waits_for_a_slowed_relay_goes_on_when_it_is_not_slowed_any_more() -> None:
    lanes = SimpleNamespace(
        is_free=False, is_wanting=False, admits=lambda _: False, shares=SimpleNamespace(is_needed=False)
    )
    cargo = cargo_of(1)
    cargo.gate.lanes = lanes  # type: ignore[assignment]
    cargo.look_again()
    went_on = threading.Event()
    threading.Thread(target=lambda: went_on.set() if cargo.wait() else None, daemon=True).start()
    assert not went_on.wait(0.1)

    lanes.is_free = True
    cargo.look_again()

    assert went_on.wait(5)
