"""The last part of a post's address: short, readable, unique, and the same for ever."""

import re
import unicodedata

from sqlalchemy import select

from newsletter.db import db
from newsletter.posts.models import Post

LONGEST = 60


def from_title(title: str) -> str:
    """ "What I’ve been reading (#2): …" becomes "what-ive-been-reading-2", cut at a word."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", re.sub(r"[’']", "", plain))
    slug = ""
    for word in words:
        if slug and len(slug) + 1 + len(word) > LONGEST:
            break
        slug = f"{slug}-{word}" if slug else word[:LONGEST]
    return slug or "post"


def free(wanted: str, *, apart_from: int | None = None) -> str:
    """The wanted slug, or the first of wanted-2, wanted-3 … that no other post has (not even one in the trash)."""
    taken = set(db.session.scalars(select(Post.slug).where(Post.slug.startswith(wanted), Post.id != (apart_from or 0))))
    number = 1
    slug = wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug
