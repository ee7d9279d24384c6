"""One notice: claim, hand over, record."""

import structlog

import emails
from newsletter import clock
from newsletter.sending.journal import Answer, Journal, PutOff
from newsletter.sending.ledger import LeaseLost
from newsletter.sending.models import Outcome
from newsletter.subscribers import notices
from newsletter.subscribers.notices import ClaimedNotice
from worker.courier import Courier
from worker.transports import Accepted, Deferred, NoAnswer, Refused, Unavailable

log = structlog.get_logger()


def send(notice_id: int) -> None:
    """Send one notice. Safe to run twice, or twice at once."""
    with Journal() as journal, Courier() as courier:
        claimed = notices.claim(notice_id, journal.token)  # committed: remember first, speak second
        if claimed is None:
            return
        try:
            said = _hand_over(claimed, journal, courier)
        except Unavailable as error:
            notices.put_off(claimed, str(error))
        except NoAnswer as error:
            notices.in_doubt(claimed, str(error))
        except emails.LetterError as error:
            notices.refused(claimed, str(error))
        else:
            _record(claimed, said)


def _hand_over(claimed: ClaimedNotice, journal: Journal, courier: Courier) -> Accepted | Refused | Deferred:
    def before_dot() -> None:
        if clock.seconds_awake_or_asleep() >= claimed.deadline:
            raise LeaseLost
        journal.handing_over(claimed.id, None)

    address = emails.mailable(claimed.address)
    said = courier.hand_over(claimed.sender, address, claimed.message, before_dot=before_dot)
    if isinstance(said, Deferred):
        journal.answered(PutOff(claimed.id, said.reply))
    else:
        outcome = Outcome.ACCEPTED if isinstance(said, Accepted) else Outcome.REFUSED
        journal.answered(Answer(claimed.id, outcome, said.reply))
    return said


def _record(claimed: ClaimedNotice, said: Accepted | Refused | Deferred) -> None:
    if isinstance(said, Accepted):
        notices.accepted(claimed, said.reply)
    elif isinstance(said, Deferred):
        notices.put_off(claimed, said.reply)
    else:
        notices.refused(claimed, said.reply)
