"""Lists of posts: for the site, for feeds, for the desk."""

from datetime import datetime

from sqlalchemy import or_, select

from newsletter.db import db
from newsletter.posts.models import Post, PostStatus

_PUBLIC = (Post.status == PostStatus.PUBLISHED, Post.trashed_at.is_(None))


def published(limit: int, before: datetime | None = None) -> list[Post]:
    """Newest first; `before` the published_at of the last one seen gives the next page."""
    query = select(Post).where(*_PUBLIC).order_by(Post.published_at.desc(), Post.id.desc()).limit(limit)
    if before:
        query = query.where(Post.published_at < before)
    return list(db.session.scalars(query))


def published_by_slug(slug: str) -> Post | None:
    return db.session.scalar(select(Post).where(*_PUBLIC, Post.slug == slug))


def neighbours(post: Post) -> tuple[Post | None, Post | None]:
    """The public posts just before and just after this one."""
    query = select(Post).where(*_PUBLIC, Post.id != post.id).limit(1)
    earlier = query.where(Post.published_at <= post.published_at).order_by(Post.published_at.desc(), Post.id.desc())
    later = query.where(Post.published_at > post.published_at).order_by(Post.published_at, Post.id)
    return db.session.scalar(earlier), db.session.scalar(later)


def in_series(series: str) -> list[Post]:
    return list(
        db.session.scalars(
            select(Post).where(*_PUBLIC, Post.series == series).order_by(Post.series_number, Post.published_at)
        )
    )


def for_desk(
    status: PostStatus | None = None, words: str = "", *, trashed: bool = False, limit: int = 200
) -> list[Post]:
    """What staff see: drafts and scheduled posts first, then the newest."""
    query = select(Post).where(Post.trashed_at.is_not(None) if trashed else Post.trashed_at.is_(None))
    if status:
        query = query.where(Post.status == status)
    for word in words.split():
        query = query.where(
            or_(Post.title.icontains(word, autoescape=True), Post.slug.icontains(word, autoescape=True))
        )
    newest = (Post.published_at.desc().nulls_first(), Post.updated_at.desc())
    return list(db.session.scalars(query.order_by(*newest).limit(limit)))
