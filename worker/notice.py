"""Notices that are due, some at once: claim, hand over, record."""

from collections.abc import Sequence
from operator import attrgetter

import emails
from newsletter import clock, jobs
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending.journal import Answer, Journal, PutOff
from newsletter.sending.ledger import LeaseLost
from newsletter.sending.models import Outcome
from newsletter.subscribers import notices
from newsletter.subscribers.notices import ClaimedNotice
from worker import gate, lanes
from worker.cargo import Cargo, Result
from worker.fleet import Crew
from worker.transports import Outgoing

GROUP = 25  # notices that are recorded at once
NOT_TAKEN = "The mail server takes nothing at the moment."


def send_due() -> None:
    """Send what is due now. Safe to run twice, or twice at once."""
    with Journal() as journal:
        claimed = notices.claim(journal.token)  # committed: remember first, speak second
        if claimed:
            jobs.ring(Job.SEND_NOTICES)  # whoever is idle may take the next ones
            _send({notice.id: notice for notice in claimed}, journal)


def _send(claimed: dict[int, ClaimedNotice], journal: Journal) -> None:
    deadline = min(notice.deadline for notice in claimed.values())

    def fence() -> None:
        if clock.seconds_awake_or_asleep() >= deadline:
            raise LeaseLost

    open_ones = dict(claimed)
    ours = lanes.ours()
    ours.tend(0)
    cargo = Cargo(_made, journal, fence, len(claimed), GROUP, attrgetter("address"), gate.Gate(ours, overtakes=True))
    with Crew(cargo, len(claimed)) as crew:
        cargo.add(list(claimed.values()))
        cargo.close()
        while not crew.is_gone:
            _record(open_ones, cargo.collect(1.0))
            ours.tend(0)
            cargo.look_again()
    _record(open_ones, cargo.collect(0))
    cargo.check()
    _record(open_ones, [PutOff(notice_id, crew.trouble or NOT_TAKEN) for notice_id in open_ones])
    ours.settle()


def _made(claimed: Sequence[ClaimedNotice]) -> list[Outgoing | Answer]:
    return [_outgoing(notice) for notice in claimed]


def _outgoing(notice: ClaimedNotice) -> Outgoing | Answer:
    try:
        address = emails.mailable(notice.address)
    except emails.LetterError as error:
        return Answer(notice.id, Outcome.REFUSED, str(error))
    return Outgoing(notice.id, notice.sender, address, [notice.message], notice.mark)


def _record(open_ones: dict[int, ClaimedNotice], results: list[Result] | list[PutOff]) -> None:
    for result in results:
        notice = open_ones.pop(result.reader_id)
        if isinstance(result, PutOff):
            notices.put_off(notice, result.reply)
        elif result.outcome is Outcome.ACCEPTED:
            notices.accepted(notice, result.reply)
        elif result.outcome is Outcome.UNCONFIRMED:
            notices.in_doubt(notice, result.reply)
        else:
            notices.refused(notice, result.reply)
    db.session.commit()
