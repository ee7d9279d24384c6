"""Asking for background work: the bell rings once what it is about is committed."""

from sqlalchemy import event
from sqlalchemy.orm import Session

from newsletter.bells import MAILINGS, NOTICES, Job, celery, configure, ring
from newsletter.db import db

__all__ = ["MAILINGS", "NOTICES", "Job", "celery", "configure", "enqueue", "ring"]

_WAITING = "jobs waiting for the commit"


def enqueue(job: Job, *ids: int) -> None:
    """Ask for work once the current transaction is committed; a rollback forgets it."""
    session = db.session()
    if not session.in_transaction():
        session.begin()  # else a rollback would pass unnoticed
    waiting = session.info.setdefault(_WAITING, {})
    waiting[(job, ids)] = None  # the same bell twice in one transaction rings once


@event.listens_for(Session, "after_commit")
def _publish(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint is not the commit
        return
    for job, ids in session.info.pop(_WAITING, {}):
        ring(job, *ids)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_WAITING, None)
