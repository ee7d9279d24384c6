"""A mail server that dies, says nothing, is slow, refuses, or breaks off at the worst moment."""

import random
import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from newsletter.db import db
from newsletter.sending import control
from newsletter.sending.models import Mailing
from tests.faults.conftest import LONG, Check
from tests.faults.house import House, sent
from tests.faults.sink import Rule, Sink
from tests.journeys.processes import wait_for

pytestmark = pytest.mark.faults

CONNECTIONS = 2
PROCESSES = 2
KILLS = 10 if LONG else 3


def test_it_is_killed_in_the_middle_of_messages(house: House, sink: Sink, check: Check, dice: random.Random) -> None:
    house.readers(1500)
    house.begin()
    sink.behave(delay=0.004)
    with house.worker(sink.url(CONNECTIONS)) as worker:
        for kill in range(KILLS):
            sent(sink, kill * 1500 // (KILLS + 1) + dice.randrange(50, 200), worker)
            sink.kill()
            sink.start()
        house.finish(worker, 120)
    check(unconfirmed=KILLS * PROCESSES * CONNECTIONS)


def test_it_falls_silent_for_longer_than_a_lease_and_then_answers(
    house: House, sink: Sink, check: Check, dice: random.Random
) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(delay=0.004)
    with house.worker(sink.url(CONNECTIONS)) as worker:
        sent(sink, dice.randrange(100, 400), worker)
        sink.freeze()
        time.sleep(2 * house.settings.lease_seconds)
        sink.thaw()
        house.finish(worker)
    check(unconfirmed=0)


def test_it_keeps_messages_and_never_says_so(house: House, sink: Sink, check: Check) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(delay=0.004, mute_after=300)
    with house.worker(sink.url(CONNECTIONS)) as worker:
        sent(sink, 300 + PROCESSES * CONNECTIONS, worker)
        time.sleep(2 * house.settings.lease_seconds)
        assert len(sink) == 300 + PROCESSES * CONNECTIONS  # it waits, and tries nobody again
        sink.kill()  # ten minutes later, as the waiting ends in the same way
        sink.behave(mute_after=1_000_000)
        sink.start()
        house.finish(worker)
    account = check(unconfirmed=PROCESSES * CONNECTIONS)
    assert account.unconfirmed == PROCESSES * CONNECTIONS


def test_it_says_nothing_at_all_to_a_new_connection(house: House, sink: Sink, check: Check) -> None:
    house.readers(200)
    house.begin()
    sink.freeze()
    with house.worker(sink.url(CONNECTIONS), SMTP_TIMEOUT="1") as worker:
        wait_for(lambda: "timed out" in house.asked("SELECT trouble FROM mailing"), 30, "trouble", worker)
        sink.thaw()
        house.finish(worker)
    check(unconfirmed=0)


def test_it_is_slow(house: House, sink: Sink, check: Check) -> None:
    house.readers(60)
    house.begin(chunk=15)
    sink.behave(delay=0.5)
    with house.worker(sink.url(CONNECTIONS)) as worker:
        house.finish(worker)
    check(unconfirmed=0)


def test_it_takes_no_connection_at_first(house: House, sink: Sink, check: Check) -> None:
    house.readers(500)
    house.begin()
    sink.behave(greeting="421 4.3.2 too busy")
    with house.worker(sink.url(CONNECTIONS)) as worker:
        wait_for(lambda: "421 4.3.2" in house.asked("SELECT trouble FROM mailing"), 30, "trouble", worker)
        assert len(sink) == 0
        sink.behave(greeting="220 at last")
        house.finish(worker)
    check(unconfirmed=0)


@pytest.mark.parametrize("where", ["at_rcpt", "at_dot"])
def test_every_tenth_is_put_off_and_every_hundredth_refused(house: House, sink: Sink, check: Check, where: str) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(_refusal(100, where, "550 5.1.1 no such mailbox"), _refusal(10, where, "451 4.2.1 try later", times=2))
    with house.worker(sink.url(CONNECTIONS)) as worker:
        for _ in range(2):
            wait_for(lambda: house.asked("SELECT count(*) FROM waiting") == 90, 60, "some wait", worker)
            wait_for(lambda: house.asked("SELECT count(*) FROM chunk WHERE state = 'claimed'") == 0, 60, "rest", worker)
            _the_wait_is_over()
            wait_for(
                lambda: house.asked("SELECT count(*) FROM waiting WHERE send_after <= now()") == 0, 60, "2", worker
            )
        house.finish(worker)
    account = check(unconfirmed=0)
    assert account.outcomes == {"accepted": 990, "refused": 10}


def test_it_breaks_off_between_the_dot_and_its_answer(house: House, sink: Sink, check: Check) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(Rule(100, cut="after_dot", times=1))
    with house.worker(sink.url(CONNECTIONS)) as worker:
        house.finish(worker)
        account = check(unconfirmed=10)
        assert account.unconfirmed == 10  # each is kept, and nobody is guessed

        control.send_doubtful_again(db.session.get_one(Mailing, 1))
        db.session.commit()
        house.finish(worker, mailing_id=2)
    doubtful = frozenset(range(100, 1001, 100))
    check(unconfirmed=10, decided=doubtful)
    copies = [kept for kept in sink.messages() if kept.recipient == "reader500@example.com"]
    assert len(copies) == 2
    assert copies[0] == copies[1]  # the same Message-ID and the same bytes: a receiver can drop one


@pytest.mark.parametrize("where", ["at_data", "before_dot"])
def test_it_breaks_off_before_the_message_is_its_own(house: House, sink: Sink, check: Check, where: str) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(Rule(100, cut=where, times=1))
    with house.worker(sink.url(CONNECTIONS)) as worker:
        wait_for(
            lambda: house.recorded() + house.asked("SELECT count(*) FROM waiting") == 1000, 60, "all tried", worker
        )
        wait_for(lambda: house.asked("SELECT count(*) FROM chunk WHERE state = 'claimed'") == 0, 60, "rest", worker)
        _the_wait_is_over()
        house.finish(worker)
    check(unconfirmed=0 if where == "at_data" else 10)


def _refusal(every: int, where: str, words: str, times: int = 1_000_000) -> Rule:
    said: dict[str, Any] = {where: words}
    return replace(Rule(every, times=times), **said)


def _the_wait_is_over() -> None:
    """Five minutes and more, as the clock of the test sees them."""
    db.session.rollback()
    db.session.execute(text("UPDATE waiting SET send_after = now()"))
    db.session.execute(text("UPDATE chunk SET send_after = now() WHERE state = 'free'"))
    db.session.commit()
