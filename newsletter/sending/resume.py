"""The sweep: find what a crash, a lost job or the passing of time left to do. Safe to run twice, or twice at once."""

from datetime import timedelta

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from newsletter import clock
from newsletter.db import db
from newsletter.sending import control, journal, ledger
from newsletter.sending.models import Chunk, ChunkState, Heartbeat, Mailing, MailingState, Outcome
from newsletter.subscribers import notices

log = structlog.get_logger()

LOST_AFTER = timedelta(hours=1)  # a disk with a journal on it gets this long to come back


def take_back() -> int:
    """Chunks of processes without a sign of life: what their journals know is recorded, the rest is free again."""
    ours = db.session.execute(
        select(Chunk.id, Chunk.token, (Chunk.lease_until < func.now()).label("has_run_out")).where(
            Chunk.state == ChunkState.CLAIMED, Chunk.host == journal.host()
        )
    ).all()
    db.session.rollback()
    taken = [
        claimed.id
        for claimed in ours
        if (claimed.has_run_out or journal.is_abandoned(claimed.token)) and ledger.take_over(claimed.id, claimed.token)
    ]
    _take_back_notices()
    _declare_lost()
    if taken:
        log.info("chunks taken back", chunks=len(taken))
    return len(taken)


def _take_back_notices() -> None:
    for claimed in notices.in_flight():
        if not journal.is_abandoned(claimed.token):
            continue
        told = journal.replay(claimed.token)
        if told.in_doubt:
            notices.in_doubt(claimed, ledger.NO_ANSWER)
        elif told.answers and told.answers[0].outcome is Outcome.ACCEPTED:
            notices.accepted(claimed, told.answers[0].reply)
        elif told.answers:
            notices.refused(claimed, told.answers[0].reply)
        else:
            notices.put_off(claimed, told.put_off[0].reply if told.put_off else "")
        journal.forget(claimed.token)


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
            (Chunk.send_after <= func.now()) | (Mailing.state == MailingState.STOPPED),
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


def _declare_lost() -> None:
    lost = db.session.execute(
        select(Chunk.id, Chunk.token).where(
            Chunk.state == ChunkState.CLAIMED, Chunk.lease_until < func.now() - LOST_AFTER, Chunk.host != journal.host()
        )
    ).all()
    db.session.rollback()
    for chunk_id, token in lost:
        if token:
            ledger.declare_lost(chunk_id, token)
            log.warning("a chunk is lost with its machine", chunk=chunk_id)
