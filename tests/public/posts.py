"""Posts as they stand on the site."""

from datetime import UTC, datetime

from newsletter.db import db
from newsletter.posts.models import Post, PostStatus
from tests import factories


def published(title: str, body: str = "Hello.", at: datetime | None = None, **front: str) -> Post:
    lines = [f"title: {title}", *(f"{name}: {value}" for name, value in front.items())]
    post = factories.post(source="---\n" + "\n".join(lines) + f"\n---\n\n{body}\n")
    post.status = PostStatus.PUBLISHED
    post.published_at = at or datetime(2026, 11, 22, 8, tzinfo=UTC)
    db.session.commit()
    return post
