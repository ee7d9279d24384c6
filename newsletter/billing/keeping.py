"""A membership is what the provider holds of it: asked for, and written down. Safe in any order, and twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from newsletter.billing import changes, counterparts, customers, offers, promises, seats, terms
from newsletter.billing.models import Account, Customer
from newsletter.billing.stripe import NotThere, Stripe
from newsletter.billing.values import Subscribed
from newsletter.db import db
from newsletter.jobs import Job, enqueue
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import life
from newsletter.tiers.models import Membership, MembershipKind, MembershipState, Tier


@dataclass(frozen=True)
class Kept:
    membership: Membership
    was: "changes.Snapshot | None"  # None: it is new
    differs: bool


def refresh(account: Account, stripe: Stripe, reference: str) -> Membership | None:
    """Ask for one subscription and keep what it is now. None if it is none of ours."""
    _one_at_a_time(reference)
    try:
        subscribed = stripe.subscription(reference)
    except NotThere:
        return None
    kept = keep(account, stripe, subscribed)
    return kept.membership if kept else None


def keep(account: Account, stripe: Stripe, subscribed: Subscribed, *, is_told: bool = False) -> Kept | None:
    """Write down what the provider holds; whoever calls holds the lock of `refresh`, or has asked just now.

    `is_told`: its reader has heard of what changed before, and not by their own doing.
    """
    tier = counterparts.tier_of(account, subscribed)
    if tier is None:
        return None
    known = _locked(subscribed.reference)
    if known is None and life.state(subscribed.held) is None:
        return None  # begun, and never paid
    # What is noted on a subscription that was made elsewhere is about readers and posts of elsewhere.
    notes = subscribed.notes if counterparts.is_ours(account, subscribed) else {}
    customer = customers.take(account, stripe.customer(subscribed.customer), _said_to_be(notes))
    if customer.closing_since:
        enqueue(Job.KEEP_MEMBERSHIPS)
    if customer.subscriber_id is None:
        return None  # nobody to hold anything: erased, or without an address
    was = changes.snapshot(known) if known else None
    membership = known or _new(subscribed, notes, customer, tier)
    _write(account, membership, subscribed, tier, customer)
    db.session.flush()
    if known is None and notes.get("redemption", "").isdecimal():
        offers.used(int(notes["redemption"]), membership)
    is_now = changes.snapshot(membership)
    is_promised = promises.keep(account, membership, subscribed.price)
    is_told = is_told or (is_promised and was is not None and was.is_like(is_now))
    if was != is_now:
        changes.record(membership, was, is_now, is_told=is_told)
    seats.follow(membership)
    return Kept(membership, was, differs=was != is_now)


def agrees(known: Membership, listed: Subscribed, grace: timedelta) -> bool:
    """Whether writing this down would change nothing of the life of what is known."""
    held, lives = life.since_first_failure(listed.held, known), life.state(listed.held)
    if lives is None:
        return known.state is MembershipState.ENDED
    return (known.state, known.paid_until, known.cancelled_for, known.ended_at, known.ends_at) == (
        lives,
        held.paid_until,
        held.cancelled_for,
        held.ended_at,
        life.holds_until(held, grace),
    )


def _write(account: Account, membership: Membership, subscribed: Subscribed, tier: Tier, customer: Customer) -> None:
    membership.tier = tier
    membership.customer_id = customer.id
    membership.price_reference = subscribed.price
    membership.cadence = subscribed.cadence
    membership.currency = subscribed.currency
    membership.amount = subscribed.amount
    membership.full_amount = subscribed.full_amount
    membership.seats = subscribed.quantity
    if life.state(subscribed.held) is None:  # what was begun did not come to be paid in time
        membership.state = MembershipState.ENDED
        membership.ended_at = membership.ended_at or subscribed.held.ended_at or func.now()
        membership.ends_at = membership.ended_at
        return
    life.write(membership, subscribed.held, terms.grace(account.publication_id))


def _new(subscribed: Subscribed, notes: Mapping[str, str], customer: Customer, tier: Tier) -> Membership:
    assert customer.subscriber_id is not None
    post = notes.get("post", "")
    made = Membership(
        subscriber_id=customer.subscriber_id,
        tier=tier,
        kind=MembershipKind.PAID,
        reference=subscribed.reference,
        post_id=int(post) if post.isdecimal() else None,
        is_imported="newsletter" not in notes,
    )
    db.session.add(made)
    return made


def _said_to_be(notes: Mapping[str, str]) -> Subscriber | None:
    """Whom we noted on it ourselves, when they were signed in."""
    noted = notes.get("subscriber", "")
    found = db.session.get(Subscriber, int(noted)) if noted.isdecimal() else None
    return found if found and found.erased_at is None else None


def _locked(reference: str) -> Membership | None:
    return db.session.scalar(
        select(Membership)
        .where(Membership.reference == reference)
        .with_for_update(of=Membership)
        .execution_options(populate_existing=True)
    )


def _one_at_a_time(reference: str) -> None:
    """What is asked for later is written later: until the commit nobody else asks about this subscription."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"subscription {reference}", 0))))
