"""Everything that may happen to the claims of a mailing, in any order, on the real database: a model with a mail server
in memory that remembers every message.
"""

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from newsletter import clock, jobs
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending import control, journal, ledger, resume, start
from newsletter.sending.journal import Answer, Journal, PutOff
from newsletter.sending.ledger import Claim, LeaseLost
from newsletter.sending.models import Mailing, MailingState, Outcome
from newsletter.subscribers import leaving
from tests import factories
from tests.conftest import _empty_tables
from tests.faults.conftest import LONG, SEED

pytestmark = pytest.mark.faults

READERS = 9
CHUNK = 3
CONNECTIONS = 2
WINDOW = 2  # readers of a chunk written to and not recorded
EXAMPLES = 400 if LONG else 25
LEASE = timedelta(seconds=60)
MOMENTS = [timedelta(seconds=5), LEASE + timedelta(seconds=1), timedelta(minutes=10), timedelta(hours=2)]


@dataclass(eq=False)
class Sender:
    """A sending process with one claimed chunk."""

    journal: Journal
    claim: Claim
    open: list[int]  # not handed over yet
    in_hand: dict[int, Answer | PutOff] = field(default_factory=dict)  # what the server says, and we have not heard
    heard: list[Answer | PutOff] = field(default_factory=list)  # and not recorded
    is_silenced: bool = False  # has noticed that the chunk is not its own any more


class Delivery(RuleBasedStateMachine):
    """Senders, their journals, the mail server, the author, and the passing of time."""

    def __init__(self) -> None:
        super().__init__()
        db.session.rollback()
        _empty_tables()
        self.boot = 0
        self.later = timedelta(0)
        self.senders: list[Sender] = []
        self.copies: Counter[int] = Counter()
        self.decided: Counter[int] = Counter()  # more copies that the author has asked for
        self.doubts_allowed = 0
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(ledger, "WINDOW", WINDOW)
        self.patch.setattr(start, "CHUNK", CHUNK)
        self.patch.setattr(jobs, "ring", lambda *_: True)
        self.patch.setattr(journal, "_boot", lambda: f"boot{self.boot}")
        awake = clock.seconds_awake_or_asleep
        self.patch.setattr(clock, "seconds_awake_or_asleep", lambda: awake() + self.later.total_seconds())

    @initialize()
    def send(self) -> None:
        weekly = factories.newsletter()
        for number in range(READERS):
            factories.subscriber(f"reader{number}@example.com", on=[weekly])
        post = factories.post()
        publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
        assert start.start(post.id)
        db.session.commit()

    # What senders do

    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        written = Journal()
        claim = ledger.claim(data.draw(st.sampled_from(self._mailings())), written.token)
        if claim is None:
            written.close(forget=True)
            return
        sender = Sender(written, claim, list(claim.reader_ids))
        if claim.state is MailingState.STOPPED:
            sender.heard = [Answer(each, Outcome.SKIPPED, control.STOPPED) for each in sender.open]
            sender.open = []
        self.senders.append(sender)

    @precondition(lambda self: self._able())
    @rule(data=st.data(), says=st.sampled_from(["250", "250", "250", "550", "451"]))
    def hand_over(self, data: st.DataObject, says: str) -> None:
        sender = data.draw(st.sampled_from(self._able()))
        reader_id = sender.open[0]
        (reader,) = ledger.readers([reader_id], 1)
        if not reader.may_be_mailed:
            sender.heard.append(Answer(sender.open.pop(0), Outcome.SKIPPED, "left"))
            return
        try:
            sender.claim.check()
        except LeaseLost:
            self._leave(sender, forget=False)
            return
        sender.journal.handing_over(sender.open.pop(0), None)
        self.copies[reader_id] += says == "250"
        answers: dict[str, Answer | PutOff] = {
            "250": Answer(reader_id, Outcome.ACCEPTED, "250 ok"),
            "550": Answer(reader_id, Outcome.REFUSED, "550 no"),
            "451": PutOff(reader_id, "451 later"),
        }
        sender.in_hand[reader_id] = answers[says]

    @precondition(lambda self: any(sender.in_hand for sender in self.senders))
    @rule(data=st.data(), breaks_off=st.sampled_from([False, False, False, True]))
    def hear(self, data: st.DataObject, breaks_off: bool) -> None:
        sender = data.draw(st.sampled_from([each for each in self.senders if each.in_hand]))
        reader_id = data.draw(st.sampled_from(sorted(sender.in_hand)))
        answer = sender.in_hand.pop(reader_id)
        if breaks_off:
            self.doubts_allowed += 1
            answer = Answer(reader_id, Outcome.UNCONFIRMED, "it broke off")
        sender.journal.answered(answer)
        sender.heard.append(answer)

    @precondition(lambda self: self.senders)
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        self._record(data.draw(st.sampled_from(self.senders)))

    @precondition(lambda self: self.senders)
    @rule(data=st.data())
    def show_signs_of_life(self, data: st.DataObject) -> None:
        sender = data.draw(st.sampled_from(self.senders))
        try:
            ledger.extend(sender.claim)
        except LeaseLost:
            sender.is_silenced = True

    @precondition(lambda self: any(not sender.in_hand for sender in self.senders))
    @rule(data=st.data(), takes_nothing=st.booleans())
    def give_back(self, data: st.DataObject, takes_nothing: bool) -> None:
        sender = data.draw(st.sampled_from([each for each in self.senders if not each.in_hand]))
        self._record(sender)
        if sender.is_silenced:
            self._leave(sender, forget=False)
            return
        pause = timedelta(seconds=5) if takes_nothing and sender.open else None
        ledger.release(sender.claim, after=pause, attempts=1, trouble="421 busy" if pause else "")
        self._leave(sender, forget=True)

    # What befalls them

    @precondition(lambda self: self.senders)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        self._crash(data.draw(st.sampled_from(self.senders)))

    @precondition(lambda self: self.senders)
    @rule(data=st.data())
    def lose_the_disk(self, data: st.DataObject) -> None:
        sender = data.draw(st.sampled_from(self.senders))
        self._crash(sender)
        self.doubts_allowed += CHUNK
        journal.forget(sender.claim.token)

    @rule()
    def start_the_machine_anew(self) -> None:
        for sender in list(self.senders):
            self._crash(sender)
        self.doubts_allowed += CHUNK * self._one("SELECT count(*) FROM chunk WHERE state = 'claimed'")
        self.boot += 1

    @rule(moment=st.sampled_from(MOMENTS))
    def time_passes(self, moment: timedelta) -> None:
        self.later += moment
        db.session.execute(
            text("UPDATE chunk SET send_after = send_after - :moment, lease_until = lease_until - :moment"),
            {"moment": moment},
        )
        db.session.execute(text("UPDATE waiting SET send_after = send_after - :moment"), {"moment": moment})
        db.session.execute(text("UPDATE mailing SET expires_at = expires_at - :moment"), {"moment": moment})
        db.session.commit()

    @rule()
    def sweep(self) -> None:
        overdue = set(db.session.scalars(text("SELECT token FROM chunk WHERE lease_until < now()")))
        alive = [sender for sender in self.senders if sender.claim.token in overdue]
        self.doubts_allowed += sum(len(sender.in_hand) for sender in alive)
        resume.take_back()

    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        ledger.finish(data.draw(st.sampled_from(self._mailings())))

    # What the author does

    @rule(data=st.data(), move=st.sampled_from([control.pause, control.go_on, control.go_on, control.stop]))
    def decide(self, data: st.DataObject, move: Any) -> None:
        mailing = db.session.get_one(Mailing, data.draw(st.sampled_from(self._mailings())), populate_existing=True)
        try:
            move(mailing)
        except control.NotNow:
            db.session.rollback()
        db.session.commit()

    @rule(reader_id=st.integers(1, READERS))
    def leave(self, reader_id: int) -> None:
        leaving.leave(reader_id, 1)
        db.session.commit()

    @rule(data=st.data())
    def send_to_unreached(self, data: st.DataObject) -> None:
        self._again(data, control.send_to_unreached)

    @rule(data=st.data())
    def send_doubtful_again(self, data: st.DataObject) -> None:
        mailing_id = self._again(data, control.send_doubtful_again)
        if mailing_id:
            self.decided.update(
                db.session.scalars(
                    text("SELECT unnest(reader_ids) FROM chunk WHERE mailing_id = :id"), {"id": mailing_id}
                )
            )

    # What is always so

    @invariant()
    def nobody_has_it_twice_unless_that_was_decided(self) -> None:
        assert all(count <= 1 + self.decided[reader_id] for reader_id, count in self.copies.items()), self.copies

    @invariant()
    def the_sums_are_right(self) -> None:
        wrong = self._one("""
            SELECT count(*) FROM chunk WHERE (accepted, refused, skipped, expired, unconfirmed) <> (
                SELECT count(*) FILTER (WHERE outcome = 'accepted'), count(*) FILTER (WHERE outcome = 'refused'),
                       count(*) FILTER (WHERE outcome = 'skipped'), count(*) FILTER (WHERE outcome = 'expired'),
                       count(*) FILTER (WHERE outcome = 'unconfirmed')
                FROM delivery WHERE delivery.mailing_id = chunk.mailing_id AND subscriber_id = ANY(reader_ids))
        """)
        assert wrong == 0

    @invariant()
    def it_is_over_only_when_everyone_has_an_outcome(self) -> None:
        early = self._one("""
            SELECT count(*) FROM mailing WHERE finished_at IS NOT NULL AND audience_count
                <> (SELECT count(*) FROM delivery WHERE delivery.mailing_id = mailing.id)
        """)
        assert early == 0

    @invariant()
    def doubts_are_few(self) -> None:
        assert self._one("SELECT count(*) FROM delivery WHERE outcome = 'unconfirmed'") <= self.doubts_allowed

    @invariant()
    def accepted_is_what_the_server_has(self) -> None:
        accepted = db.session.scalars(text("SELECT subscriber_id FROM delivery WHERE outcome = 'accepted'")).all()
        db.session.rollback()
        assert all(self.copies[reader_id] for reader_id in accepted)

    def teardown(self) -> None:
        try:
            self._come_to_an_end()
        finally:
            for sender in list(self.senders):
                self._leave(sender, forget=True)
            self.patch.undo()

    def _come_to_an_end(self) -> None:
        """Nothing goes wrong any more: every mailing ends, and everyone who has no message has a reason."""
        for sender in list(self.senders):
            self._crash(sender)
        for _ in range(60):
            self.time_passes(timedelta(hours=2))
            resume.take_back()
            for mailing_id in self._mailings():
                self.decide_for(mailing_id)
                self._deliver(mailing_id)
                ledger.finish(mailing_id)
            if self._one("SELECT count(*) FROM mailing WHERE finished_at IS NULL") == 0:
                break
        assert self._one("SELECT count(*) FROM mailing WHERE finished_at IS NULL") == 0
        self.nobody_has_it_twice_unless_that_was_decided()
        self.accepted_is_what_the_server_has()
        told = defaultdict(set)
        for reader_id, outcome in db.session.execute(text("SELECT subscriber_id, outcome FROM delivery")):
            told[reader_id].add(outcome)
        for reader_id in range(1, READERS + 1):
            assert told[reader_id], f"reader {reader_id} is lost"
            assert not self.copies[reader_id] or told[reader_id] & {"accepted", "unconfirmed"}

    def decide_for(self, mailing_id: int) -> None:
        mailing = db.session.get_one(Mailing, mailing_id, populate_existing=True)
        if mailing.state is MailingState.PAUSED:
            control.go_on(mailing)
        db.session.commit()

    def _deliver(self, mailing_id: int) -> None:
        while True:
            written = Journal()
            claim = ledger.claim(mailing_id, written.token)
            if claim is None:
                written.close(forget=True)
                return
            for reader in ledger.readers(claim.reader_ids, 1):
                outcome = Outcome.ACCEPTED if claim.state is MailingState.SENDING else Outcome.SKIPPED
                outcome = outcome if reader.may_be_mailed else Outcome.SKIPPED
                self.copies[reader.id] += outcome is Outcome.ACCEPTED
                ledger.record(claim, [Answer(reader.id, outcome, "at the end")])
            ledger.release(claim)
            written.close(forget=True)

    def _able(self) -> list[Sender]:
        """Who may hand over one more now."""
        return [
            sender
            for sender in self.senders
            if sender.open
            and not sender.is_silenced
            and len(sender.in_hand) < CONNECTIONS
            and len(sender.in_hand) + len(sender.heard) < WINDOW
        ]

    def _record(self, sender: Sender) -> None:
        answers = [each for each in sender.heard if isinstance(each, Answer)]
        put_off = [each for each in sender.heard if isinstance(each, PutOff)]
        sender.heard = []
        sender.is_silenced = ledger.record(sender.claim, answers, put_off) is None or sender.is_silenced

    def _crash(self, sender: Sender) -> None:
        self.doubts_allowed += len(sender.in_hand)
        self._leave(sender, forget=False)

    def _leave(self, sender: Sender, *, forget: bool) -> None:
        self.senders.remove(sender)
        sender.journal.close(forget=forget)

    def _again(self, data: st.DataObject, decision: Any) -> int | None:
        mailing = db.session.get_one(Mailing, data.draw(st.sampled_from(self._mailings())), populate_existing=True)
        known = self._mailings()
        try:
            again: Mailing = decision(mailing)
        except control.NotNow:
            db.session.rollback()
            return None
        db.session.commit()
        return again.id if again.id not in known else None

    def _mailings(self) -> list[int]:
        found = list(db.session.scalars(text("SELECT id FROM mailing ORDER BY id")))
        db.session.rollback()
        return found

    def _one(self, query: str) -> int:
        found = db.session.scalar(text(query))
        db.session.rollback()
        return int(found or 0)


def test_nothing_that_happens_in_any_order_loses_or_doubles_a_message(app: Flask) -> None:
    print(f"FAULTS_SEED={SEED}")
    given = settings(
        max_examples=EXAMPLES,
        stateful_step_count=60,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if LONG or os.environ.get("FAULTS_SEED") else [Phase.generate],
        database=None,
        print_blob=True,
    )
    run_state_machine_as_test(seed(SEED)(Delivery), settings=given)
