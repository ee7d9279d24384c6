"""Everybody who may use the desk."""

from datetime import datetime

from sqlalchemy import func, select

from newsletter.accounts.models import StaffSession, User
from newsletter.db import db


def everybody() -> list[tuple[User, datetime | None]]:
    """Each with when they were last seen, if they are signed in anywhere."""
    seen = func.max(StaffSession.seen_at)
    query = select(User, seen).outerjoin(StaffSession, StaffSession.user_id == User.id).group_by(User.id)
    return [(user, at) for user, at in db.session.execute(query.order_by(User.id))]
