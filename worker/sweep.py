"""What a crash, a lost bell or the passing of time left to do. Safe to run twice, or twice at once."""

from collections.abc import Callable

import structlog
from sqlalchemy.exc import OperationalError

from newsletter.billing.models import PaymentEvent
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.posts import illustrating, snapshots
from newsletter.sending import bounces, breaker, refusals, resume, start, tally
from newsletter.subscribers import notices

log = structlog.get_logger()


def find() -> list[tuple[Job, tuple[int, ...]]]:
    """Take back what dead processes held, then name every job there is work for now."""
    resume.hold_copies()
    resume.take_back()
    _look_at_what_came_back()
    waiting: list[tuple[Job, tuple[int, ...]]] = [(Job.SEND_NOTICES, ())] if notices.is_any_due() else []
    posts: list[tuple[Job, tuple[int, ...]]] = [(Job.START_DUE_MAILINGS, ())] if start.due() else []
    mailings = [(Job.DELIVER, (mailing_id,)) for mailing_id in resume.mailings_with_work()]
    drawn = [(Job.FINISH_PICTURE, (media_id,)) for media_id in illustrating.unfinished()]
    links = [(Job.READ_LINK, (snapshot_id,)) for snapshot_id in snapshots.due()]
    payments: list[tuple[Job, tuple[int, ...]]] = [(Job.TAKE_PAYMENT_EVENTS, ())] if PaymentEvent.any_due() else []
    db.session.rollback()
    return [*waiting, *posts, *mailings, *drawn, *links, *payments]


def _look_at_what_came_back() -> None:
    """What is left to be drawn from refusals, bounces and reports, when whoever recorded them could not do it."""
    _apart(bounces.settle_proven)
    _apart(tally.forget_old)
    for mailing_id in refusals.mailings():
        while _apart(refusals.take, mailing_id) == refusals.A_BATCH:
            pass
        _apart(breaker.check, mailing_id)


def _apart(look: Callable[..., int | None], *what: int) -> int | None:
    """One transaction. What goes wrong here must not keep anything from being sent."""
    try:
        found = look(*what)
        db.session.commit()
    except OperationalError:
        raise
    except Exception:
        db.session.rollback()
        log.exception("what came back could not be looked at", what=what)
        return None
    return found
