"""Tiers given by hand: for a while or for ever, and taken back."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.tiers.models import Membership, MembershipKind, Tier

SPANS: Final = (7, 30, 90, 365, None)  # days; None: for ever


class CannotGive(NewsletterError):
    status = 409


class IsPaidFor(NewsletterError):
    status = 409

    def __init__(self) -> None:
        super().__init__("That is paid for: it ends when its payer cancels it, or when you end it at Stripe.")


def give(subscriber_id: int, tier: Tier, days: int | None) -> Membership:
    """From now on, by the database's clock. What they hold of it already is made longer, never shorter.

    Raises CannotGive.
    """
    if tier.archived_at is not None:
        raise CannotGive(f"“{tier.name}” is archived: open it again before you give it to anybody.")
    if days not in SPANS:
        raise CannotGive("A tier is given for 7, 30, 90 or 365 days, or for ever.")
    ends_at = None if days is None else func.now() + timedelta(days=days)
    held = _held(subscriber_id, tier)
    if held is None:
        held = Membership(subscriber_id=subscriber_id, tier=tier, kind=MembershipKind.COMPLIMENTARY, ends_at=ends_at)
        db.session.add(held)
    elif held.ends_at is not None:
        held.ends_at = None if ends_at is None else func.greatest(Membership.ends_at, ends_at)
    db.session.flush()
    db.session.refresh(held)
    return held


def take_back(membership: Membership) -> None:
    """It ends now. What has ended already is left as it was. Raises IsPaidFor."""
    if membership.kind in (MembershipKind.PAID, MembershipKind.SEAT):
        raise IsPaidFor
    if membership.ends_at is None or db.session.scalar(select(membership.ends_at > func.now())):
        membership.ends_at = func.now()
        db.session.flush()
        db.session.refresh(membership)


def _held(subscriber_id: int, tier: Tier) -> Membership | None:
    """Locked, so that of two who make it longer at once the longer one holds."""
    query = select(Membership).where(
        Membership.subscriber_id == subscriber_id,
        Membership.tier_id == tier.id,
        Membership.kind == MembershipKind.COMPLIMENTARY,
        Membership.is_current(),
    )
    return db.session.scalar(query.order_by(Membership.id).limit(1).with_for_update(of=Membership))
