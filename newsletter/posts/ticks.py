"""What an author has read and does not mind: each warning wants a tick before the post may go out."""

from collections.abc import Collection, Iterable

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

import emails
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.posts.models import Post, Tick


class NotAccepted(NewsletterError):
    """There are warnings that nobody has said yes to."""

    status = 422

    def __init__(self, findings: list[emails.Finding]) -> None:
        many = f"{len(findings)} warnings want" if len(findings) > 1 else "One warning wants"
        told = " ".join(finding.full_sentence for finding in findings)
        super().__init__(f"{many} a word from you first. {told}")
        self.findings = findings


def given(post: Post) -> set[str]:
    """Keys of the findings that are accepted."""
    return set(db.session.scalars(select(Tick.key).where(Tick.post_id == post.id)))


def give(
    post: Post, findings: Iterable[emails.Finding], accepted: Collection[str], *, user_id: int | None = None
) -> None:
    """Remember which of these warnings are accepted: by their keys, or all of a kind by its code."""
    rows = [
        {"post_id": post.id, "key": finding.key, "user_id": user_id}
        for finding in findings
        if finding.level == "warning" and (finding.key in accepted or finding.code in accepted)
    ]
    if rows:
        db.session.execute(insert(Tick).values(rows).on_conflict_do_nothing())


def take_back(post: Post, *, apart_from: Collection[str]) -> None:
    """Whoever unticks a box means it."""
    db.session.execute(delete(Tick).where(Tick.post_id == post.id, Tick.key.not_in(list(apart_from))))


def missing(post: Post, findings: Iterable[emails.Finding]) -> list[emails.Finding]:
    """The warnings that nobody has said yes to."""
    accepted = given(post)
    return [finding for finding in findings if finding.level == "warning" and finding.key not in accepted]
