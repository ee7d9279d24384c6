"""The last part of a post's address."""

from sqlalchemy import select

from newsletter import slugs
from newsletter.db import db
from newsletter.posts.models import Post


def from_title(title: str) -> str:
    return slugs.of(title, otherwise="post")


def free(wanted: str, *, apart_from: int | None = None) -> str:
    """The wanted slug, or the first of wanted-2, wanted-3 … that no other post has (not even one in the trash)."""
    others = select(Post.slug).where(Post.slug.startswith(wanted), Post.id != (apart_from or 0))
    return slugs.first_free(wanted, set(db.session.scalars(others)))
