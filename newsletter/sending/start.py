"""A due post becomes a mailing: its variants compiled and frozen, its audience written down, in one transaction."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Select, func, insert, literal, select, true, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

import emails
from newsletter import clock
from newsletter.db import db
from newsletter.jobs import Job, enqueue
from newsletter.posts import content, publishing
from newsletter.posts.models import Post, PostAudience, PostStatus
from newsletter.publication.models import Newsletter
from newsletter.sending.models import Chunk, Mailing, MailingState, Variant
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import access

log = structlog.get_logger()

CHUNK = 2000  # readers at most: they take a fifth of a second of a processor, and claiming them costs next to nothing
SMALLEST_CHUNK = 250
SHARES = 20  # of an audience, between these: all processes have a part in it, and a lost one leaves few in doubt
TOO_LATE = timedelta(hours=6)  # later than this, the author is asked first
GIVE_UP_AFTER = timedelta(hours=72)  # temporary refusals are tried again for this long


def due() -> list[int]:
    """Posts whose moment has come."""
    query = select(Post.id).where(
        Post.status == PostStatus.SCHEDULED, Post.scheduled_for <= func.now(), Post.trashed_at.is_(None)
    )
    return list(db.session.scalars(query.order_by(Post.scheduled_for)))


def start(post_id: int) -> Mailing | None:
    """Publish a due post and begin its mailing. None if someone else did. Safe to run twice, or twice at once.

    Raises publishing.NotReady when what was fit to be sent at its scheduling is not any more.
    """
    scheduled_for = _claim(post_id)
    if scheduled_for is None:
        return None
    post = db.session.get_one(Post, post_id, populate_existing=True)
    publishing.must_be_ready(post)
    mailing = _freeze(post, scheduled_for)
    _write_audience(mailing, post)
    enqueue(Job.DELIVER, mailing.id)
    log.info("mailing started", mailing=mailing.id, readers=mailing.audience_count, state=mailing.state.value)
    return mailing


def take_back(post_id: int, reason: str) -> None:
    """A post that could not be started becomes a draft again, and says why."""
    db.session.execute(
        update(Post)
        .where(Post.id == post_id, Post.status == PostStatus.SCHEDULED)
        .values(status=PostStatus.DRAFT, scheduled_for=None, trouble=reason)
    )


def audience(post: Post) -> ColumnElement[bool]:
    """True in SQL for the readers that a post goes to, if it started now. A preview goes to all of the newsletter."""
    is_for_some = post.audience is PostAudience.PAYING and not content.has_preview(post)
    readers = Subscriber.may_be_mailed(post.newsletter_id)
    return readers & (access.is_paying(Subscriber.id, post.tier_ids) if is_for_some else true())


def count_audience(post: Post) -> int:
    return db.session.scalar(select(func.count()).select_from(Subscriber).where(audience(post))) or 0


def count_in_full(post: Post) -> int:
    """How many of them may read it to its end; the others get its beginning."""
    if post.audience is not PostAudience.PAYING:
        return count_audience(post)
    in_full = audience(post) & access.is_paying(Subscriber.id, post.tier_ids)
    return db.session.scalar(select(func.count()).select_from(Subscriber).where(in_full)) or 0


def _claim(post_id: int) -> datetime | None:
    return db.session.scalar(
        update(Post)
        .where(
            Post.id == post_id,
            Post.status == PostStatus.SCHEDULED,
            Post.scheduled_for <= func.now(),
            Post.trashed_at.is_(None),
        )
        .values(status=PostStatus.PUBLISHED, published_at=func.now())
        .returning(Post.scheduled_for)
    )


def _freeze(post: Post, scheduled_for: datetime) -> Mailing:
    revision = content.latest_revision(post)
    is_late = clock.now() - scheduled_for > TOO_LATE
    mailing = Mailing(
        post=post,
        newsletter_id=post.newsletter_id,
        revision_id=revision.id,
        state=MailingState.HELD if is_late else MailingState.SENDING,
        held_because="It was due more than six hours ago and could not start then." if is_late else "",
        tier_ids=post.tier_ids,
        audience_count=0,
        scheduled_for=scheduled_for,
        expires_at=clock.now() + GIVE_UP_AFTER,
    )
    db.session.add(mailing)
    db.session.flush()
    said, theme = content.post_content(post, revision), content.theme_of(post)
    envelope = mailing_envelope(post.newsletter, post, mailing.id, clock.now())
    for kind in emails.mailed_to(said):
        compiled = emails.compile_post(said, theme, kind)
        letter = emails.build_letter(compiled, envelope).to_bytes()
        db.session.add(Variant(mailing_id=mailing.id, audience=kind.value, subject=compiled.subject, letter=letter))
    return mailing


def mailing_envelope(newsletter: Newsletter, post: Post, mailing_id: int, at: datetime) -> emails.Envelope:
    """What all messages of a mailing have in common."""
    return emails.Envelope(
        sender=emails.Sender(newsletter.sender_name, newsletter.sender_email, newsletter.reply_to or None),
        date=at.replace(microsecond=0),
        message_id_domain=newsletter.sender_domain,
        list_id=f"{newsletter.name} <{newsletter.list_id}>",
        feedback_id=f"m{mailing_id}:n{newsletter.id}:post:newsletter",
        archive_url=content.url(post),
    )


def _write_audience(mailing: Mailing, post: Post) -> None:
    write_chunks(mailing, select(Subscriber.id).where(audience(post)))


def write_chunks(mailing: Mailing, readers: Select[int]) -> None:
    """Freeze readers as the audience of a mailing, as chunks of ids: one or two seconds for a million."""
    ids = readers.subquery("ids")
    size = chunk_size(db.session.scalar(select(func.count()).select_from(ids)) or 0)
    nth = func.row_number().over(order_by=ids.c[0])
    numbered = select(ids.c[0].label("id"), ((nth - 1) // size).label("number")).subquery("numbered")
    rows = select(
        literal(mailing.id),
        numbered.c.number,
        func.array_agg(aggregate_order_by(numbered.c.id, numbered.c.id)),
        func.count(),
    ).group_by(numbered.c.number)
    db.session.execute(insert(Chunk).from_select(["mailing_id", "number", "reader_ids", "size"], rows))
    counted = db.session.scalar(select(func.sum(Chunk.size)).where(Chunk.mailing_id == mailing.id))
    mailing.audience_count = int(counted or 0)
    db.session.flush()


def chunk_size(readers: int) -> int:
    """How many of an audience are claimed at once."""
    return min(CHUNK, max(SMALLEST_CHUNK, readers // SHARES))
