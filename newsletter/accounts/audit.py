"""What staff did, to what, when. Rows are only ever added."""

from typing import Any

from sqlalchemy import select

from newsletter.accounts.models import AuditEntry, User
from newsletter.db import db


def record(action: str, subject: str = "", *, by: User | None = None, **detail: Any) -> None:  # what JSON can hold
    """Remember an act. No addresses of readers here: name them by their number."""
    db.session.add(AuditEntry(user_id=by.id if by else None, action=action, subject=subject, detail=detail))


def latest(limit: int = 50) -> list[tuple[AuditEntry, str]]:
    """The newest entries, each with the name of who did it."""
    found = select(AuditEntry, User.name).outerjoin(User, User.id == AuditEntry.user_id)
    rows = db.session.execute(found.order_by(AuditEntry.id.desc()).limit(limit))
    return [(entry, name or "someone who has left") for entry, name in rows]
