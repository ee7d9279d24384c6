"""The versions of a post."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from newsletter.accounts.models import User
from newsletter.db import db
from newsletter.errors import NotFound
from newsletter.posts.models import Post, Revision


@dataclass(frozen=True)
class Version:
    """A revision in a list, without its text."""

    number: int
    created_at: datetime
    by: str
    characters: int


def versions(post: Post, limit: int = 200) -> list[Version]:
    """Newest first."""
    query = (
        select(Revision.number, Revision.created_at, User.name, func.length(Revision.source))
        .outerjoin(User, User.id == Revision.user_id)
        .where(Revision.post_id == post.id)
        .order_by(Revision.number.desc())
        .limit(limit)
    )
    return [Version(number, at, by or "", characters) for number, at, by, characters in db.session.execute(query)]


def version(post: Post, number: int) -> Revision:
    """Raises NotFound."""
    found = db.session.scalar(select(Revision).where(Revision.post_id == post.id, Revision.number == number))
    if found is None:
        raise NotFound(f"“{post.title}” has no version {number}.")
    return found
