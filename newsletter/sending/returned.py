"""What came back of a mailing, and what its readers wrote, for people."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from newsletter.db import db
from newsletter.posts.models import Post
from newsletter.sending.models import Bounce, BounceKind, Mailing, Reply
from newsletter.subscribers.models import Subscriber


@dataclass(frozen=True)
class ReturnedLine:
    """One bounce or complaint of a reader."""

    id: int
    subscriber_id: int
    address: str  # empty once erased
    kind: BounceKind
    status: str
    words: str
    at: datetime


@dataclass(frozen=True)
class ReaderLine:
    """The same, for that reader's page."""

    mailing_id: int | None  # None: a notice
    title: str
    kind: BounceKind
    status: str
    words: str
    at: datetime


@dataclass(frozen=True)
class ReplyLine:
    subscriber_id: int | None  # None: nobody knows whether the sender is a reader
    sender: str
    subject: str
    words: str
    at: datetime


def counts(mailing_id: int) -> dict[BounceKind, int]:
    """How many of each kind; those without any are left out."""
    rows = db.session.execute(
        select(Bounce.kind, func.count()).where(Bounce.mailing_id == mailing_id).group_by(Bounce.kind)
    )
    found: dict[BounceKind, int] = dict(rows.all())
    return {kind: found[kind] for kind in BounceKind if kind in found}


def lines(mailing_id: int, kind: BounceKind, limit: int, before_id: int | None = None) -> list[ReturnedLine]:
    """Newest first; `before_id` the last one seen."""
    query = (
        select(Bounce.id, Bounce.subscriber_id, Subscriber.email, Bounce.kind, Bounce.status, Bounce.words, Bounce.at)
        .outerjoin(Subscriber, Subscriber.id == Bounce.subscriber_id)
        .where(Bounce.mailing_id == mailing_id, Bounce.kind == kind)
        .order_by(Bounce.id.desc())
        .limit(limit)
    )
    rows = db.session.execute(query.where(Bounce.id < before_id) if before_id else query)
    return [
        ReturnedLine(row.id, row.subscriber_id or 0, row.email or "", row.kind, row.status, row.words, row.at)
        for row in rows
    ]


def replies(mailing_id: int, limit: int) -> list[ReplyLine]:
    """Newest first."""
    columns = (Reply.subscriber_id, Reply.sender, Reply.subject, Reply.words, Reply.at)
    query = select(*columns).where(Reply.mailing_id == mailing_id).order_by(Reply.at.desc(), Reply.id.desc())
    return [ReplyLine(*row) for row in db.session.execute(query.limit(limit))]


def replies_count(mailing_id: int) -> int:
    return db.session.scalar(select(func.count()).where(Reply.mailing_id == mailing_id)) or 0


def of_reader(subscriber_id: int, limit: int = 50) -> list[ReaderLine]:
    """What came back from one reader, newest first."""
    rows = db.session.execute(
        select(Bounce.mailing_id, Post.title, Bounce.kind, Bounce.status, Bounce.words, Bounce.at)
        .outerjoin(Mailing, Mailing.id == Bounce.mailing_id)
        .outerjoin(Post, Post.id == Mailing.post_id)
        .where(Bounce.subscriber_id == subscriber_id)
        .order_by(Bounce.at.desc(), Bounce.id.desc())
        .limit(limit)
    )
    return [ReaderLine(row.mailing_id, row.title or "", row.kind, row.status, row.words, row.at) for row in rows]
