"""One chunk of a mailing: claim, splice, hand over, record."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

import emails
from newsletter import clock, jobs
from newsletter.config import settings
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import control, ledger, letters
from newsletter.sending.journal import Answer, Journal, PutOff
from newsletter.sending.ledger import Claim, LeaseLost, Reader
from newsletter.sending.letters import MailingLetters, Message
from newsletter.sending.models import MailingState, Outcome
from newsletter.subscribers import notices
from worker import stopping
from worker.courier import Courier
from worker.transports import Accepted, BrokenOff, Deferred, NoAnswer, Unavailable

log = structlog.get_logger()

LOOK_EVERY = 1.0  # seconds between looks at what the author wants, within a group
LONGEST = 40.0  # seconds that one job may take; then others have their turn
FIRST_PAUSE = timedelta(seconds=5)  # while the server takes nothing
LONGEST_PAUSE = timedelta(minutes=5)

LEFT = "Left, paused or is not written to any more."
PAST_DEADLINE = "The mail server did not take it in time."


def deliver(mailing_id: int) -> None:
    """Send one chunk of a mailing's readers. Safe to run twice, or twice at once."""
    try:
        with Journal() as journal:
            claim = ledger.claim(mailing_id, journal.token)  # committed: remember first, speak second
            if claim:
                jobs.ring(Job.DELIVER, mailing_id)  # whoever is idle may take the next chunk
            trouble = _work(claim, journal) if claim else ""
    except LeaseLost:
        log.warning("lease lost, nothing more is sent from here", mailing=mailing_id)
        return
    if not _finish(mailing_id) and claim and not trouble and not stopping.is_asked():
        jobs.ring(Job.DELIVER, mailing_id)


def _work(claim: Claim, journal: Journal) -> str:
    """Do what can be done, and give the chunk back. Returns the words of a server that takes nothing, else nothing."""
    with _signs_of_life(claim), Courier() as courier:
        work = Round(claim, journal, courier, letters.load(claim.mailing_id))
        trouble = work.go()
    attempts = (0 if work.is_served else claim.attempts) + 1 if trouble else 0
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE) if trouble else None
    ledger.release(claim, after=pause, attempts=attempts, trouble=trouble)
    return trouble


def _finish(mailing_id: int) -> bool:
    is_over = ledger.finish(mailing_id)
    if is_over:
        log.info("mailing finished", mailing=mailing_id)
    return is_over


@dataclass
class Round:
    """The work on one claimed chunk."""

    claim: Claim
    journal: Journal
    courier: Courier
    letters: MailingLetters
    is_served: bool = field(default=False, init=False)  # the server has answered to at least one message
    _looked_at: float = field(default=0.0, init=False)

    def go(self) -> str:
        """Work through the chunk. Returns the words of a server that takes nothing now, else an empty text."""
        began = time.monotonic()
        ids = self.claim.reader_ids
        for start in range(0, len(ids), ledger.GROUP):
            trouble = self._group(ids[start : start + ledger.GROUP])
            if trouble is not None:
                return trouble
            if stopping.is_asked() or time.monotonic() - began > LONGEST or notices.is_any_due():
                return ""  # a confirmation must not wait for a mailing to end
        return ""

    def _group(self, ids: Sequence[int]) -> str | None:
        """One group, recorded. None: go on; else stop here, for this reason (which may be empty)."""
        state = self._state()
        if state is MailingState.STOPPED:
            self._close(ids, Outcome.SKIPPED, control.STOPPED)
            return None
        if state is not MailingState.SENDING:
            return ""
        if clock.now() >= self.claim.expires_at:
            self._close(ids, Outcome.EXPIRED, PAST_DEADLINE)
            return None
        answers: list[Answer] = []
        put_off: list[PutOff] = []
        try:
            for reader in ledger.readers(ids, self.letters.newsletter.id):
                if stopping.is_asked() or self._is_called_off():
                    return ""
                try:
                    answer = self._one(reader)
                except BrokenOff as error:  # nobody else has to wait behind a reader at whom the server stumbles
                    put_off.append(PutOff(reader.id, str(error)))
                    raise
                (put_off if isinstance(answer, PutOff) else answers).append(answer)  # type: ignore[arg-type]
        except Unavailable as error:
            return str(error)
        finally:
            ledger.record(self.claim, answers, put_off)
        return None

    def _state(self) -> MailingState:
        self._looked_at = time.monotonic()
        return ledger.state_of(self.claim)

    def _is_called_off(self) -> bool:
        """Whether the author has paused or stopped the mailing since: a slow server takes minutes for a group."""
        return time.monotonic() - self._looked_at >= LOOK_EVERY and self._state() is not MailingState.SENDING

    def _close(self, ids: Sequence[int], outcome: Outcome, why: str) -> None:
        ledger.record(self.claim, [Answer(reader_id, outcome, why) for reader_id in ids])

    def _one(self, reader: Reader) -> Answer | PutOff:
        if not reader.may_be_mailed:
            return Answer(reader.id, Outcome.SKIPPED, LEFT)
        try:
            message = self.letters.message_for(reader)
        except emails.LetterError as error:
            return Answer(reader.id, Outcome.REFUSED, str(error))
        answer = self._hand_over(reader, message)
        self.journal.answered(answer)
        return answer

    def _hand_over(self, reader: Reader, message: Message) -> Answer | PutOff:
        def before_dot() -> None:
            self.claim.check()
            self.journal.handing_over(reader.id, message.variant_id)
            self.claim.check()  # the machine may have slept while we wrote

        try:
            said = self.courier.hand_over(
                self.letters.sender, emails.mailable(reader.email), message.content, before_dot=before_dot
            )
        except NoAnswer as error:
            return Answer(reader.id, Outcome.UNCONFIRMED, str(error), message.variant_id)
        self.is_served = True
        if isinstance(said, Deferred):
            return PutOff(reader.id, said.reply)
        outcome = Outcome.ACCEPTED if isinstance(said, Accepted) else Outcome.REFUSED
        return Answer(reader.id, outcome, said.reply, message.variant_id)


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
