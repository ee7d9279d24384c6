"""Lists and counts of tiers."""

from sqlalchemy import and_, func, select

from newsletter.db import db
from newsletter.tiers.models import Membership, Tier


def with_holders() -> list[tuple[Tier, int]]:
    """Every tier in the author's order, with how many hold it now."""
    current = and_(Membership.tier_id == Tier.id, Membership.is_current())
    holders = func.count(func.distinct(Membership.subscriber_id))
    query = select(Tier, holders).outerjoin(Membership, current).group_by(Tier.id).order_by(Tier.position, Tier.id)
    return [(tier, count) for tier, count in db.session.execute(query)]


def of_subscriber(subscriber_id: int) -> list[Membership]:
    """What a reader holds or held, newest first."""
    query = select(Membership).where(Membership.subscriber_id == subscriber_id)
    return list(db.session.scalars(query.order_by(Membership.started_at.desc())))
