"""Who may read what: the one place that knows."""

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import InstrumentedAttribute

import emails
from newsletter.db import db
from newsletter.tiers.models import Membership

OPEN_TO = {
    "everyone": frozenset(emails.Audience),
    "subscribers": frozenset({emails.Audience.FREE, emails.Audience.PAYING}),
    "paying": frozenset({emails.Audience.PAYING}),
}


def may_read(post_audience: str, reader: emails.Audience) -> bool:
    """May this kind of reader see a post for that audience (a PostAudience) in full?"""
    return reader in OPEN_TO[post_audience]


def audience_of(subscriber_id: int | None) -> emails.Audience:
    """What kind of reader this is now; None is a visitor whom we do not know."""
    if subscriber_id is None:
        return emails.Audience.STRANGER
    paying = db.session.scalar(
        select(exists().where(Membership.subscriber_id == subscriber_id, Membership.is_current()))
    )
    return emails.Audience.PAYING if paying else emails.Audience.FREE


def is_paying(subscriber_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """True in SQL for a subscriber with a membership that holds now."""
    return exists().where(Membership.subscriber_id == subscriber_id, Membership.is_current())
