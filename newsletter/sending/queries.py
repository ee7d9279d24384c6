"""What a mailing has done so far, for people. Every number counts recorded outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from newsletter import clock
from newsletter.db import db
from newsletter.posts.models import Post
from newsletter.sending.models import Chunk, ChunkState, Delivery, Mailing, MailingState, Outcome, Waiting
from newsletter.subscribers.models import Subscriber


@dataclass(frozen=True)
class Progress:
    """One mailing in numbers: accepted + refused + skipped + expired + unconfirmed + waiting + remaining = due."""

    mailing_id: int
    state: MailingState
    due: int
    accepted: int
    refused: int
    skipped: int
    expired: int
    unconfirmed: int
    waiting: int  # put off by the server, to be tried again
    started_at: datetime
    finished_at: datetime | None
    next_try_at: datetime | None
    trouble: str
    trouble_at: datetime | None
    held_because: str

    @property
    def recorded(self) -> int:
        return self.accepted + self.refused + self.skipped + self.expired + self.unconfirmed

    @property
    def remaining(self) -> int:
        """Not yet reached, and not waiting either."""
        return max(0, self.due - self.recorded - self.waiting)

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None

    @property
    def rate_per_minute(self) -> float:
        """Outcomes a minute since the start, zero before the first."""
        seconds = ((self.finished_at or clock.now()) - self.started_at).total_seconds()
        return self.recorded * 60 / seconds if seconds >= 1 else float(self.recorded)

    @property
    def seconds_left(self) -> int | None:
        """A guess by the rate so far; None when there is nothing to go by."""
        if self.state is not MailingState.SENDING or not self.recorded or not self.remaining:
            return None
        return round(self.remaining * 60 / self.rate_per_minute)


@dataclass(frozen=True)
class TroubledReader:
    subscriber_id: int
    address: str  # empty once erased
    reply: str
    at: datetime


@dataclass(frozen=True)
class DeliveryLine:
    """One message to one reader, for that reader's page."""

    mailing_id: int
    title: str
    outcome: Outcome | None  # None: waiting to be tried again
    reply: str
    at: datetime


def progress(mailing_id: int) -> Progress:
    return progress_of([db.session.get_one(Mailing, mailing_id, populate_existing=True)])[mailing_id]


def progress_of(mailings: Sequence[Mailing]) -> dict[int, Progress]:
    """The progress of several mailings, in two queries."""
    ids = [mailing.id for mailing in mailings]
    sums = {
        row.mailing_id: row
        for row in db.session.execute(
            select(
                Chunk.mailing_id,
                *(func.sum(getattr(Chunk, outcome.value)).label(outcome.value) for outcome in Outcome),
                func.min(Chunk.send_after).filter(Chunk.state == ChunkState.FREE).label("next_try_at"),
            )
            .where(Chunk.mailing_id.in_(ids))
            .group_by(Chunk.mailing_id)
        )
    }
    waiting: dict[int, int] = dict(
        db.session.execute(
            select(Waiting.mailing_id, func.count()).where(Waiting.mailing_id.in_(ids)).group_by(Waiting.mailing_id)
        ).all()
    )
    return {mailing.id: _progress(mailing, sums.get(mailing.id), waiting.get(mailing.id, 0)) for mailing in mailings}


def mailings(limit: int = 50, before_id: int | None = None) -> list[Mailing]:
    """Newest first."""
    query = select(Mailing).order_by(Mailing.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(Mailing.id < before_id) if before_id else query))


def of_post(post_id: int) -> list[Mailing]:
    return list(db.session.scalars(select(Mailing).where(Mailing.post_id == post_id).order_by(Mailing.id)))


def troubled(mailing_id: int, outcome: Outcome, limit: int = 50, after_id: int = 0) -> list[TroubledReader]:
    """Readers with this outcome and the server's words, by id; `after_id` the last one seen."""
    rows = db.session.execute(
        select(Delivery.subscriber_id, Subscriber.email, Delivery.reply, Delivery.at)
        .outerjoin(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.mailing_id == mailing_id, Delivery.outcome == outcome, Delivery.subscriber_id > after_id)
        .order_by(Delivery.subscriber_id)
        .limit(limit)
    )
    return [TroubledReader(row.subscriber_id, row.email or "", row.reply, row.at) for row in rows]


def waiting(mailing_id: int, limit: int = 50, after_id: int = 0) -> list[TroubledReader]:
    """Readers whose message was put off, with the server's words and when it is tried again."""
    rows = db.session.execute(
        select(Waiting.subscriber_id, Subscriber.email, Waiting.reply, Waiting.send_after)
        .outerjoin(Subscriber, Subscriber.id == Waiting.subscriber_id)
        .where(Waiting.mailing_id == mailing_id, Waiting.subscriber_id > after_id)
        .order_by(Waiting.subscriber_id)
        .limit(limit)
    )
    return [TroubledReader(row.subscriber_id, row.email or "", row.reply, row.send_after) for row in rows]


def history_of(subscriber_id: int, limit: int = 100) -> list[DeliveryLine]:
    """What became of each mailing to this reader, newest first."""
    done = (
        select(Mailing.id, Post.title, Delivery.outcome, Delivery.reply, Delivery.at)
        .join(Delivery, Delivery.mailing_id == Mailing.id)
        .join(Post, Post.id == Mailing.post_id)
        .where(Delivery.subscriber_id == subscriber_id)
    )
    lines = [DeliveryLine(*row) for row in db.session.execute(done.order_by(Delivery.at.desc()).limit(limit))]
    later = (
        select(Mailing.id, Post.title, text("NULL"), Waiting.reply, Waiting.send_after)
        .join(Waiting, Waiting.mailing_id == Mailing.id)
        .join(Post, Post.id == Mailing.post_id)
        .where(Waiting.subscriber_id == subscriber_id)
    )
    lines += [DeliveryLine(*row) for row in db.session.execute(later)]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _progress(mailing: Mailing, sums, waiting: int) -> Progress:  # type: ignore[no-untyped-def]  # a row or None
    counted = {outcome.value: int(getattr(sums, outcome.value) or 0) if sums else 0 for outcome in Outcome}
    return Progress(
        mailing_id=mailing.id,
        state=mailing.state,
        due=mailing.audience_count,
        waiting=waiting,
        started_at=mailing.started_at,
        finished_at=mailing.finished_at,
        next_try_at=sums.next_try_at if sums else None,
        trouble=mailing.trouble,
        trouble_at=mailing.trouble_at,
        held_because=mailing.held_because,
        **counted,
    )
