"""Who may read what: the one place that knows. Said twice, in Python and in SQL; a test compares the two."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, any_, case, cast, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

import emails
from newsletter.db import db
from newsletter.tiers.models import Membership

OPEN_TO = {
    "everyone": frozenset(emails.Audience),
    "subscribers": frozenset({emails.Audience.FREE, emails.Audience.PAYING, emails.Audience.OTHER}),
    "paying": frozenset({emails.Audience.PAYING}),
}


def may_read(post_audience: str, reader: emails.Audience) -> bool:
    """May this kind of reader see a post for that audience (a PostAudience) in full?"""
    return reader in OPEN_TO[post_audience]


def kind_of(held: Collection[int], tier_ids: Collection[int]) -> emails.Audience:
    """What kind of reader holds these tiers, for a post that is for those tiers (none: for any)."""
    if not held:
        return emails.Audience.FREE
    if not tier_ids or set(held) & set(tier_ids):
        return emails.Audience.PAYING
    return emails.Audience.OTHER


def audience_of(subscriber_id: int | None, tier_ids: Collection[int] = ()) -> emails.Audience:
    """What kind of reader this is now; None is a visitor whom we do not know."""
    if subscriber_id is None:
        return emails.Audience.STRANGER
    return kind_of(held(subscriber_id), tier_ids)


def held(subscriber_id: int) -> set[int]:
    """The tiers that somebody holds now."""
    of_reader = select(Membership.tier_id).where(Membership.subscriber_id == subscriber_id, Membership.is_current())
    return set(db.session.scalars(of_reader))


def is_paying(subscriber_id: InstrumentedAttribute[int], tier_ids: Sequence[int] | Any = ()) -> ColumnElement[bool]:
    """True in SQL for a subscriber with a membership that holds now, of one of these tiers (none: of any).

    `tier_ids` are numbers, or a bound parameter for an array of them.
    """
    of_reader = exists().where(Membership.subscriber_id == subscriber_id, Membership.is_current())
    if isinstance(tier_ids, Sequence):
        return of_reader.where(Membership.tier_id.in_(tier_ids)) if tier_ids else of_reader
    wanted = cast(tier_ids, ARRAY(BigInteger))
    return of_reader.where(or_(func.cardinality(wanted) == 0, Membership.tier_id == any_(wanted)))


def kind(subscriber_id: InstrumentedAttribute[int], tier_ids: Any) -> ColumnElement[str]:
    """The value of `kind_of` in SQL. `tier_ids` is a bound parameter for an array."""
    wanted = cast(tier_ids, ARRAY(BigInteger))
    is_other = (func.cardinality(wanted) > 0) & is_paying(subscriber_id)
    return case(
        (is_paying(subscriber_id, tier_ids), literal(emails.Audience.PAYING.value)),
        (is_other, literal(emails.Audience.OTHER.value)),
        else_=literal(emails.Audience.FREE.value),
    )
