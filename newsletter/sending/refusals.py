"""A refusal of the mail server, said at once to our face, means the same as a bounce that comes by mail later."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from newsletter import clock
from newsletter.db import db
from newsletter.sending import breaker, consequences, severity
from newsletter.sending.journal import Answer
from newsletter.sending.models import Bounce, BounceKind, Delivery, Mailing, Outcome
from newsletter.subscribers.models import Subscriber

SOURCE = "reply"
A_BATCH = 500
LOOKED_AFTER = timedelta(days=1)  # since a mailing has finished

_SMTP_REPLY = "^[45][0-9][0-9]"  # what we refused ourselves, such as an address nobody can write to, is no bounce


def take(mailing_id: int, reader_ids: Sequence[int] | None = None) -> int:
    """Classify refusals of a mailing that are not classified yet: of these readers, or of up to 500.

    Returns how many. Safe to run twice, or twice at once. Leaves the commit to its caller.
    """
    fresh = _unclassified(mailing_id, reader_ids)
    if not fresh:
        return 0
    written = insert(Bounce).values(fresh).on_conflict_do_nothing()
    taken = db.session.execute(written.returning(Bounce.subscriber_id, Bounce.kind)).all()
    for kind in (BounceKind.HARD, BounceKind.SOFT):
        readers = _held([row.subscriber_id for row in taken if row.kind is kind])
        said = Bounce(mailing_id=mailing_id, kind=kind, source=SOURCE)
        if kind is BounceKind.HARD:
            consequences.never_again(readers, said)
        else:
            consequences.lose_patience(readers, said)
    if any(row.kind is BounceKind.HARD for row in taken):
        breaker.check(mailing_id)
    return len(fresh)


def take_at_once(mailing_id: int, answers: Sequence[Answer]) -> None:
    """The refusals among what has just been recorded, so that the breaker sees them in time. Commits.

    If somebody else is in the way, the sweep finds them a little later.
    """
    refused = [answer.reader_id for answer in answers if answer.outcome is Outcome.REFUSED]
    if not refused:
        return
    try:
        take(mailing_id, refused)
        db.session.commit()
    except OperationalError:
        db.session.rollback()


def mailings() -> list[int]:
    """Those whose refusals are still looked after."""
    recent = Mailing.finished_at.is_(None) | (Mailing.finished_at > clock.now() - LOOKED_AFTER)
    return list(db.session.scalars(select(Mailing.id).where(recent).order_by(Mailing.id)))


def _unclassified(mailing_id: int, reader_ids: Sequence[int] | None) -> list[dict[str, object]]:
    is_said = exists().where(Bounce.mailing_id == Delivery.mailing_id, Bounce.subscriber_id == Delivery.subscriber_id)
    query = select(Delivery.subscriber_id, Delivery.outcome, Delivery.reply, Delivery.at).where(
        Delivery.mailing_id == mailing_id,
        Delivery.outcome.in_((Outcome.REFUSED, Outcome.EXPIRED)),
        Delivery.reply.op("~")(_SMTP_REPLY),
        ~is_said,
    )
    if reader_ids is not None:
        query = query.where(Delivery.subscriber_id.in_(reader_ids))
    rows = db.session.execute(query.order_by(Delivery.subscriber_id).limit(A_BATCH))
    return [_bounce(mailing_id, row.subscriber_id, row.outcome, row.reply) | {"at": row.at} for row in rows]


def _bounce(mailing_id: int, reader_id: int, outcome: Outcome, reply: str) -> dict[str, object]:
    kind, status = severity.of_reply(reply)
    if outcome is Outcome.EXPIRED and kind is BounceKind.HARD:
        kind = BounceKind.SOFT  # put off to the end is not refused, whatever the words were
    return {
        "kind": kind,
        "mailing_id": mailing_id,
        "subscriber_id": reader_id,
        "status": status,
        "words": reply[:1000],
        "source": SOURCE,
    }


def _held(ids: Sequence[int]) -> list[Subscriber]:
    """These readers as they are now, held until the commit, always in one order."""
    if not ids:
        return []
    query = select(Subscriber).where(Subscriber.id.in_(ids)).order_by(Subscriber.id).with_for_update()
    return list(db.session.scalars(query.execution_options(populate_existing=True)))
