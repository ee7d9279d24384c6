"""One chunk of a mailing: claim, splice, hand over, record."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from operator import attrgetter

import structlog
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

import emails
from newsletter import clock, jobs
from newsletter.config import settings
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import control, ledger, letters, refusals
from newsletter.sending import lanes as sending_lanes
from newsletter.sending.journal import Answer, Journal
from newsletter.sending.ledger import Claim, LeaseLost, Reader, Standing
from newsletter.sending.letters import MailingLetters, Message
from newsletter.sending.models import MailingState, Outcome
from worker import gate, lanes, stopping
from worker.cargo import Cargo, Result, sorted_out
from worker.fleet import Crew
from worker.transports import Outgoing

log = structlog.get_logger()

LOOK_EVERY = 0.25  # seconds between looks at what the author wants, however slow the server is
LONGEST = 40.0  # seconds that one job may take; then others have their turn
FIRST_PAUSE = timedelta(seconds=5)  # while the server takes nothing
LONGEST_PAUSE = timedelta(minutes=5)
PATIENCE_WITH_LIMITS = timedelta(days=30)  # after a mailing's deadline, for readers whose turn has not come yet

LEFT = "Left, paused or is not written to any more."
PAST_DEADLINE = "The mail server did not take it in time."

_unrecorded: dict[str, int] = {}  # journals of this process whose words did not get into the database, and their chunks


def deliver(mailing_id: int) -> None:
    """Send a mailing's readers, chunk by chunk, for a while. Safe to run twice, or twice at once."""
    turn = Turn(mailing_id, time.monotonic() + LONGEST)
    try:
        while (has_more := _deliver_chunk(turn)) and time.monotonic() < turn.until:
            pass
    except LeaseLost:
        log.warning("lease lost, nothing more is sent from here", mailing=mailing_id)
        return
    lanes.ours().settle()
    if ledger.finish(mailing_id):
        log.info("mailing finished", mailing=mailing_id)
    elif has_more is not None and not stopping.is_asked():
        jobs.ring(Job.DELIVER, mailing_id)


@dataclass
class Turn:
    """What the chunks of one job have in common."""

    mailing_id: int
    until: float  # by time.monotonic()
    _has_called: bool = field(default=False, init=False)

    def call_others(self) -> None:
        """Whoever is idle may take the next chunk. Not before something of ours went well: jobs that fail at once would
        chase each other without a pause."""
        if not self._has_called:
            self._has_called = True
            jobs.ring(Job.DELIVER, self.mailing_id)

    @cached_property
    def letters(self) -> MailingLetters:
        return letters.load(self.mailing_id)


def _deliver_chunk(turn: Turn) -> bool | None:
    """Whether the next one may follow at once. None: there is nothing to do now, or it must wait."""
    _catch_up()
    with Journal() as journal:
        claim = ledger.claim(turn.mailing_id, journal.token)  # committed: remember first, speak second
        if claim is None:
            return None
        _unrecorded[journal.token] = claim.chunk_id
        has_more = _work(claim, journal, turn)
        del _unrecorded[journal.token]
        return has_more


def _catch_up() -> None:
    """Record what this process could not record before. While that fails, nobody is written to: doubt stays bounded."""
    for token, chunk_id in list(_unrecorded.items()):
        ledger.take_over(chunk_id, token)
        del _unrecorded[token]


def _work(claim: Claim, journal: Journal, turn: Turn) -> bool | None:
    """Do what can be done, and give the chunk back. None: the server takes nothing; False: others want a turn."""
    with _signs_of_life(claim):
        work = Round(claim, journal, turn)
        trouble = work.go()
    attempts = (0 if work.is_served else claim.attempts) + 1 if trouble or work.is_held_back else 0
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE) if trouble else None
    if work.is_held_back:
        pause = gate.look_again_in(work.opens_in, attempts - 1)
    ledger.release(claim, after=pause, attempts=attempts, trouble=trouble)
    return None if trouble else not work.is_interrupted


@dataclass
class Round:
    """The work on one claimed chunk."""

    claim: Claim
    journal: Journal
    turn: Turn
    is_served: bool = field(default=False, init=False)  # the server has answered to at least one message
    is_interrupted: bool = field(default=False, init=False)
    is_held_back: bool = field(default=False, init=False)  # only such messages are left as may not leave yet
    opens_in: float = field(default=0.0, init=False)  # seconds until the first of them may

    def go(self) -> str:
        """Work through the chunk. Returns the words of a server that takes nothing now, else an empty text."""
        ids: Sequence[int] = self.claim.reader_ids
        if self.claim.state is MailingState.STOPPED:
            self._close(ids, Outcome.SKIPPED, control.STOPPED)
            return ""
        if clock.now() >= self.claim.expires_at:
            ids = self._expire(ids)
        return self._send(ids) if ids else ""

    def _fence(self) -> None:
        """Raises LeaseLost when not one more message may leave."""
        self.claim.check()
        if self.journal.is_sealed:
            raise LeaseLost

    def _expire(self, ids: Sequence[int]) -> Sequence[int]:
        """Past the deadline whoever was put off has waited long enough. Returns those who still get their one try: the
        limits are the owner's own choice, and who has only waited for them was refused by nobody."""
        late = set(ids)
        if lanes.ours().is_limited and clock.now() < self.claim.expires_at + PATIENCE_WITH_LIMITS:
            late &= ledger.put_off_before(self.claim.chunk_id)
            db.session.rollback()
        self._close([reader_id for reader_id in ids if reader_id in late], Outcome.EXPIRED, PAST_DEADLINE)
        return [reader_id for reader_id in ids if reader_id not in late]

    def _send(self, ids: Sequence[int]) -> str:
        ours = lanes.ours()
        cargo = Cargo(
            self._made,
            self.journal,
            self._fence,
            ledger.WINDOW,
            ledger.GROUP,
            attrgetter("email"),
            gate.Gate(ours),
        )
        patience = gate.Patience()
        ours.tend(len(ids))  # before anybody carries: what others have heard, and what is used up already
        with Crew(cargo, len(ids)) as crew:
            ids = self._fill(cargo, ids, ledger.FIRST)
            looked_at = time.monotonic()
            while not crew.is_gone:
                ours.tend(cargo.left + len(ids))
                self._hold_back(cargo, patience)
                results = cargo.collect(LOOK_EVERY)
                if results or time.monotonic() - looked_at >= LOOK_EVERY:
                    self._look(cargo, self._record(results))
                    self.turn.call_others()
                    looked_at = time.monotonic()
                if not self.is_interrupted and not self.is_held_back:
                    ids = self._fill(cargo, ids, ledger.AHEAD)
        self._record(cargo.collect(0))
        cargo.check()
        self.is_served = cargo.has_been_served
        return crew.trouble if (ids or cargo.left) and not self.is_interrupted and not self.is_held_back else ""

    def _hold_back(self, cargo: Cargo[Reader], patience: gate.Patience) -> None:
        """Let go on what may, and give the rest back if that takes too long."""
        cargo.look_again()
        opens_in = cargo.opens_in()
        is_over = patience.is_over(
            opens_in,
            is_down_to_those_aside=cargo.is_down_to_those_aside,
            is_other_work_due=sending_lanes.is_other_work_due,
        )
        if is_over and not self.is_interrupted:
            self.is_held_back, self.opens_in = True, opens_in
            cargo.call_off()

    def _look(self, cargo: Cargo[Reader], standing: Standing) -> None:
        """Stop giving out, if this is not the time: for the author, for who waits for a confirmation, for a deploy."""
        is_wanted = standing.state is MailingState.SENDING and not standing.has_notices_due
        if not is_wanted or stopping.is_asked() or time.monotonic() > self.turn.until:
            self.is_interrupted = True
            cargo.call_off()

    def _fill(self, cargo: Cargo[Reader], ids: Sequence[int], how_many: int) -> Sequence[int]:
        """Read the next readers as they are at this moment, if there is room for them. Returns the ids of the rest."""
        if ids and cargo.has_room:
            cargo.add(ledger.readers(ids[:how_many], self.turn.letters.newsletter.id, self.turn.letters.tier_ids))
            ids = ids[how_many:]
        if not ids:
            cargo.close()
        return ids

    def _record(self, results: Sequence[Result]) -> Standing:
        """Raises LeaseLost when the chunk is not ours any more."""
        answers, put_off = sorted_out(results)
        standing = ledger.record(self.claim, answers, put_off)
        if standing is None:
            raise LeaseLost
        refusals.take_at_once(self.claim.mailing_id, answers)
        return standing

    def _close(self, ids: Sequence[int], outcome: Outcome, why: str) -> None:
        ledger.record(self.claim, [Answer(reader_id, outcome, why) for reader_id in ids])

    def _made(self, readers: Sequence[Reader]) -> list[Outgoing | Answer]:
        wanting = [reader for reader in readers if reader.may_be_mailed]
        made: list[Outgoing | Answer] = [
            _outgoing(reader, message)
            for reader, message in zip(wanting, self.turn.letters.messages_for(wanting), strict=True)
        ]
        return made + [Answer(reader.id, Outcome.SKIPPED, LEFT) for reader in readers if not reader.may_be_mailed]


def _outgoing(reader: Reader, message: Message | emails.LetterError) -> Outgoing | Answer:
    if isinstance(message, emails.LetterError):
        return Answer(reader.id, Outcome.REFUSED, str(message))
    try:
        recipient = emails.mailable(reader.email)
    except emails.LetterError as error:
        return Answer(reader.id, Outcome.REFUSED, str(error))
    return Outgoing(
        reader.id, message.return_path, recipient, message.parts, message.token, variant_id=message.variant_id
    )


@contextmanager
def _signs_of_life(claim: Claim) -> Iterator[None]:
    """Extend the lease in the background for as long as we work. When that fails, the fence closes by itself."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a thread needs the app, not the proxy
    done = threading.Event()

    def beat() -> None:
        with app.app_context():
            while not done.wait(settings().lease_seconds / 3):
                try:
                    ledger.extend(claim)
                except LeaseLost:
                    return
                except SQLAlchemyError:  # whatever it is, it may pass before the lease has run out
                    db.session.rollback()

    thread = threading.Thread(target=beat, name=f"lease of chunk {claim.chunk_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
