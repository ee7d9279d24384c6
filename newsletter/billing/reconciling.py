"""All that we hold is compared with all that the provider holds, and put right: what no event told, this finds."""

from datetime import timedelta

from sqlalchemy import select

from newsletter import clock
from newsletter.billing import adopting, books, changes, counterparts, keeping, seats, terms
from newsletter.billing.apart import apart
from newsletter.billing.models import Account, Customer, Payment, Reconciliation
from newsletter.billing.stripe import NotThere, Stripe
from newsletter.billing.values import Subscribed
from newsletter.db import Json, db
from newsletter.tiers.models import Membership, MembershipKind, MembershipState

PAUSED_BY_US = "publication_paused"
LOOKS_BACK = timedelta(days=35)  # at invoices: longer than a month, so that each is seen more than once


def reconcile(account: Account, stripe: Stripe) -> Reconciliation:
    """Every difference is repaired and reported. Commits after each subscription, and can be run again at any time."""
    run = Reconciliation(account_id=account.id, started_at=clock.now())
    db.session.add(run)
    counterparts.keep_in_step(account, stripe)
    db.session.commit()
    seen = set()
    differences: list[Json] = []
    strange = []
    for listed in stripe.subscriptions():
        seen.add(listed.reference)
        if counterparts.tier_of(account, listed) is None:
            strange.append(listed)
            continue
        run.compared += 1
        with apart("a comparison", listed.reference):
            _pause_or_go_on(account, stripe, listed)
            if found := _compare(account, stripe, listed):
                differences.append(found)
        db.session.commit()
    differences += _gone(account, stripe, seen)
    run.elsewhere = adopting.met(stripe, strange)
    db.session.commit()
    differences += _missing_payments(account, stripe)
    run.differences, run.ended_at = differences, clock.now()
    db.session.commit()
    return run


def last(account: Account) -> Reconciliation | None:
    query = select(Reconciliation).where(Reconciliation.account_id == account.id)
    return db.session.scalar(query.order_by(Reconciliation.id.desc()).limit(1))


def _pause_or_go_on(account: Account, stripe: Stripe, listed: Subscribed) -> None:
    """Nobody is charged while the publication takes a break. What the author paused there by hand stays so."""
    is_wanted = terms.of(account.publication_id).paused_at is not None
    is_ours = listed.notes.get(PAUSED_BY_US) == "1"
    if listed.held.status in adopting.OVER:
        return
    if is_wanted and not listed.is_collection_paused:
        said = {"pause_collection": {"behavior": "void"}, "metadata": {PAUSED_BY_US: "1"}}
        stripe.change(listed.reference, said)
    elif not is_wanted and listed.is_collection_paused and is_ours:
        stripe.change(listed.reference, {"pause_collection": "", "metadata": {PAUSED_BY_US: ""}})


def _compare(account: Account, stripe: Stripe, listed: Subscribed) -> Json | None:
    """The list may be older than what an event has brought meanwhile: what differs is asked for once more."""
    known = Membership.by_reference(listed.reference)
    if known and _agrees(account, known, listed):
        return None
    was = _words(known)
    kept = keeping.refresh(account, stripe, listed.reference)
    is_now = _words(kept)
    if was == is_now:
        return None
    return {"about": f"membership {kept.id}" if kept else listed.reference, "was": was, "is": is_now}


def _agrees(account: Account, known: Membership, listed: Subscribed) -> bool:
    paid = (known.price_reference, known.amount, known.currency, known.seats)
    if paid != (listed.price, listed.amount, listed.currency, listed.quantity):
        return False
    return keeping.agrees(known, listed, terms.grace(account.publication_id))


def _gone(account: Account, stripe: Stripe, seen: set[str]) -> list[Json]:
    """Those that the provider does not know at all: a restored database, say, or another account."""
    found = []
    query = select(Membership).where(
        Membership.kind == MembershipKind.PAID,
        Membership.state != MembershipState.ENDED,
        Membership.customer_id.in_(select(Customer.id).where(Customer.account_id == account.id)),
    )
    for membership in db.session.scalars(query).all():
        assert membership.reference
        if membership.reference in seen:
            continue
        try:  # begun since the list was made
            stripe.subscription(membership.reference)
        except NotThere:
            was, before = _words(membership), changes.snapshot(membership)
            membership.state = MembershipState.ENDED
            membership.ended_at = membership.ends_at = clock.now()
            changes.record(membership, before, changes.snapshot(membership))
            seats.follow(membership)
            found.append({"about": f"membership {membership.id}", "was": was, "is": "not there"})
    db.session.commit()
    return found


def _missing_payments(account: Account, stripe: Stripe) -> list[Json]:
    """Of our memberships: nothing is asked about the invoices of the author's other business."""
    known = set(db.session.scalars(select(Payment.reference).where(Payment.account_id == account.id)))
    ours = set(db.session.scalars(select(Membership.reference).where(Membership.kind == MembershipKind.PAID)))
    found: list[Json] = []
    for paid in stripe.invoices(clock.now() - LOOKS_BACK):
        if paid.reference in known or paid.subscription not in ours:
            continue
        with apart("a missing payment", paid.reference):
            if entered := books.enter_invoice(account, stripe, paid.reference):
                found.append({"about": f"payment {entered.id}", "was": "not in the books", "is": "entered"})
        db.session.commit()
    return found


def _words(membership: Membership | None) -> str:
    if membership is None:
        return "unknown"
    until = f" until {membership.ends_at:%Y-%m-%d}" if membership.ends_at else ""
    return f"{membership.tier.name}: {membership.state}{until}"
