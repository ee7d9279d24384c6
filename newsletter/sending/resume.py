"""The sweep: find what a crash, a lost job or the passing of time left to do. Safe to run twice, or twice at once."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from newsletter import clock
from newsletter.db import db
from newsletter.sending import control, journal, ledger
from newsletter.sending.models import Chunk, ChunkState, Heartbeat, Mailing, MailingState, Outcome
from newsletter.subscribers import notices
from newsletter.subscribers.notices import ClaimedNotice

log = structlog.get_logger()

LOST_AFTER = timedelta(hours=1)  # a disk with a journal on it gets this long to come back


def take_back() -> int:
    """Chunks of processes without a sign of life: what their journals know is recorded, the rest is free again.

    Those of other disks wait for the journal to come back with its machine, but not for ever.
    """
    is_lost = Chunk.lease_until < func.now() - LOST_AFTER
    claimed = db.session.execute(
        select(Chunk.id, Chunk.token).where(Chunk.state == ChunkState.CLAIMED, (Chunk.host == journal.host()) | is_lost)
    ).all()
    db.session.rollback()
    taken = sum(_apart(ledger.take_over, chunk_id, token) for chunk_id, token in claimed)
    for token, claimed_notices in notices.in_flight().items():
        _apart(_take_back_notices, token, claimed_notices)
    if taken:
        log.info("chunks taken back", chunks=taken)
    return taken


def _apart(take: Callable[..., bool], *what: object) -> bool:
    """One that cannot be taken back must not keep the others waiting."""
    try:
        return take(*what)
    except OperationalError:
        raise
    except Exception:
        db.session.rollback()
        log.exception("something cannot be taken back", what=what)
        return False


def _take_back_notices(token: str, claimed: Sequence[ClaimedNotice]) -> bool:
    if not journal.is_abandoned(token):
        return False
    told = journal.replay(token)
    answers = {answer.reader_id: answer for answer in told.answers}
    put_off = {each.reader_id: each.reply for each in told.put_off}
    for notice in claimed:
        if answer := answers.get(notice.id):
            end = notices.accepted if answer.outcome is Outcome.ACCEPTED else notices.refused
            end(notice, answer.reply)
        elif notice.id in told.in_doubt:
            notices.in_doubt(notice, ledger.NO_ANSWER)
        elif notice.id in put_off or told.is_complete:
            notices.put_off(notice, put_off.get(notice.id, ""))
        else:
            notices.in_doubt(notice, ledger.LOST)
    db.session.commit()
    journal.forget(token)
    return True


def hold_copies() -> None:
    held = control.hold_if_restored()
    db.session.commit()
    if held:
        log.warning("mailings held: this database was restored or copied", mailings=held)


def mailings_with_work() -> list[int]:
    """Mailings to ring for: chunks that are due, or nothing left but to finish."""
    has_due_chunk = (
        select(Chunk.id)
        .where(
            Chunk.mailing_id == Mailing.id,
            Chunk.state == ChunkState.FREE,
            Chunk.is_due() | (Mailing.state == MailingState.STOPPED),
        )
        .exists()
    )
    has_open_chunk = select(Chunk.id).where(Chunk.mailing_id == Mailing.id, Chunk.state != ChunkState.DONE).exists()
    query = select(Mailing.id).where(
        Mailing.state.in_((MailingState.SENDING, MailingState.STOPPED)),
        Mailing.finished_at.is_(None),
        has_due_chunk | ~has_open_chunk,
    )
    return list(db.session.scalars(query.order_by(Mailing.id)))


def seen(process: str) -> None:
    """A sign of life of one of our processes, for the doctor and the desk."""
    db.session.execute(
        insert(Heartbeat)
        .values(process=process)
        .on_conflict_do_update(index_elements=[Heartbeat.process], set_={"seen_at": func.now()})
    )
    db.session.execute(delete(Heartbeat).where(Heartbeat.seen_at < clock.now() - timedelta(days=1)))
