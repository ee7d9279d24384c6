"""What readers do with a plan of theirs: the provider is asked, and what it holds then is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter import clock
from newsletter.billing import counterparts, keeping, promises, seats, telling
from newsletter.billing.models import Account, Customer
from newsletter.billing.stripe import Stripe
from newsletter.billing.values import Difference
from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.tiers.models import Membership, MembershipState, Price, Tier

GOING_ON = frozenset({MembershipState.TRIALING, MembershipState.ACTIVE})
FAILING = frozenset({MembershipState.PAST_DUE, MembershipState.UNPAID})
MOST_MONTHS = 3  # of a pause
A_MONTH = timedelta(days=30)
LASTS = timedelta(hours=1)  # a price that was told
LONGEST_REASON = 500  # letters


class NotPossible(NewsletterError):
    status = 409


@dataclass(frozen=True)
class Told:
    """What a switch costs, as it was told before: what is carried out costs the same, or is not carried out."""

    at: datetime  # what is left of the old plan is reckoned at this moment
    due_now: int  # below nothing: so much is left over for the payments to come


@dataclass(frozen=True)
class Wanted:
    """What a plan is to become, in the provider's words for one line of it."""

    item: Mapping[str, object]
    is_cadence_kept: bool


def cancel(account: Account, stripe: Stripe, membership: Membership, reason: str = "") -> None:
    """Nothing more is charged. They read on to the end of what is paid; where nothing is paid, it ends now."""
    known = _asked_anew(account, stripe, membership)
    if known.state in {MembershipState.CANCELLED, MembershipState.ENDED}:
        return
    comment = reason.strip()[:LONGEST_REASON]
    if known.state in FAILING or (known.state is MembershipState.PAUSED and _has_passed(known.ends_at)):
        keeping.keep(account, stripe, stripe.end(_name(known), comment))
        return
    said: dict[str, object] = {"cancellation_details": {"comment": comment}} if comment else {}
    if known.state is MembershipState.PAUSED and known.ends_at:
        said["cancel_at"] = _seconds(known.ends_at)  # the provider's period includes the pause, which nobody paid for
    else:
        said["cancel_at_period_end"] = True
    _change(account, stripe, known, said)


def runs_until(membership: Membership) -> datetime | None:
    """To when whoever cancels now reads on."""
    if membership.state is MembershipState.TRIALING:
        return membership.trial_ends_at
    return membership.ends_at if membership.state is MembershipState.PAUSED else membership.paid_until


def take_back(account: Account, stripe: Stripe, membership: Membership) -> None:
    """A cancellation, for as long as what is paid runs. It goes on as if nothing had been."""
    known = _asked_anew(account, stripe, membership)
    if known.state is MembershipState.ENDED:
        raise NotPossible("It has ended already. You can choose a tier anew.")
    if known.state is MembershipState.CANCELLED:
        there = stripe.subscription(_name(known))
        said = {"cancel_at_period_end": False} if there.cancels_at_period_end else {"cancel_at": ""}
        _change(account, stripe, known, said)


def choices(membership: Membership) -> list[Price]:
    """What this plan can be switched to: every price on offer in its currency but its own, and its tier's others."""
    if membership.state not in GOING_ON:
        return []
    tiers = {tier.id: tier for tier in (*Tier.on_offer(), membership.tier) if tier.archived_at is None}
    return [
        price
        for tier in tiers.values()
        for price in tier.prices
        if price.currency == membership.currency
        and (price.tier_id, price.cadence) != (membership.tier_id, membership.cadence)
    ]


def preview(account: Account, stripe: Stripe, membership: Membership, price: Price) -> tuple[Told, Difference]:
    """What a switch would cost now, and what will be paid from then on. Changes nothing."""
    _must_be_open(account, membership, price)
    return _told(stripe, membership, _to_price(account, stripe, membership, price))


def switch(account: Account, stripe: Stripe, membership: Membership, price: Price, told: Told) -> None:
    """At once. Raises NotPossible if it would cost something else than was told, TurnedDown if the card is declined."""
    known = _asked_anew(account, stripe, membership)
    if (known.tier_id, known.cadence) == (price.tier_id, price.cadence):
        return
    _must_be_open(account, known, price)
    _as_told(account, stripe, known, _to_price(account, stripe, known, price), told)


def preview_seats(account: Account, stripe: Stripe, membership: Membership, number: int) -> tuple[Told, Difference]:
    """What another number of seats would cost, the payer's own among them. Changes nothing."""
    _must_go_on(account, membership)
    _must_be_enough(membership, number)
    return _told(stripe, membership, _to_seats(stripe, membership, number))


def change_seats(account: Account, stripe: Stripe, membership: Membership, number: int, told: Told) -> None:
    """At once. Raises NotPossible if it would cost something else than was told, TurnedDown if the card is declined."""
    known = _asked_anew(account, stripe, membership)
    if known.seats == number:
        return
    _must_go_on(account, known)
    _must_be_enough(known, number)
    _as_told(account, stripe, known, _to_seats(stripe, known, number), told)


def pause(account: Account, stripe: Stripe, membership: Membership, months: int) -> None:
    """Nothing is charged for some months from the end of what is paid on, and then it goes on by itself."""
    known = _asked_anew(account, stripe, membership)
    if known.state is MembershipState.PAUSED:
        return
    if known.state is not MembershipState.ACTIVE or known.paid_until is None:
        raise NotPossible("Only what is paid and goes on can be paused.")
    if not 1 <= months <= MOST_MONTHS:
        raise NotPossible(f"Choose between 1 and {MOST_MONTHS} months.")
    until = known.paid_until + months * A_MONTH
    # The provider knows no pause that ends by itself and moves the next payment, but it knows trials that do.
    said = {
        "trial_end": _seconds(until),
        "proration_behavior": "none",
        "metadata": {"paused_from": str(_seconds(known.paid_until)), "paused_until": str(_seconds(until))},
    }
    _change(account, stripe, known, said)


def resume(account: Account, stripe: Stripe, membership: Membership) -> None:
    """As long as what is paid runs, the next payment is due at its end; afterwards it is due at once."""
    known = _asked_anew(account, stripe, membership)
    if known.state is not MembershipState.PAUSED or known.ends_at is None:
        return
    paid_until, is_over = _seconds(known.ends_at), _has_passed(known.ends_at)
    if is_over and (day := promises.applied_early(known)):
        raise NotPossible(f"Your plan goes on by itself on {telling.day(day)}, at the price that we wrote to you of.")
    notes = {"paused_from": "", "paused_until": ""} if is_over else {"paused_until": str(paid_until)}
    said = {"trial_end": "now" if is_over else paid_until, "proration_behavior": "none", "metadata": notes}
    _change(account, stripe, known, said)


def portal(account: Account, stripe: Stripe, membership: Membership) -> str:
    """The provider's page for the card and the invoices of who pays for it: good once, for some minutes."""
    customer = _customer(account, membership)
    return stripe.open_portal(customer.reference, f"{settings().site_url}/account", account.portal_reference)


def _asked_anew(account: Account, stripe: Stripe, membership: Membership) -> Membership:
    """As the provider holds it now. Until the commit nobody else changes it: a second click finds it done."""
    _customer(account, membership)
    known = keeping.refresh(account, stripe, _name(membership))
    if known is None:
        raise NotPossible("The payment provider does not know this plan. Write to us, and we look into it.")
    return known


def _change(account: Account, stripe: Stripe, membership: Membership, said: Mapping[str, object]) -> None:
    keeping.keep(account, stripe, stripe.change(_name(membership), said))


def _must_be_open(account: Account, membership: Membership, price: Price) -> None:
    _must_go_on(account, membership)
    if price not in choices(membership):
        raise NotPossible("This price is not on offer to you. Choose again: nothing has changed.")


def _must_go_on(account: Account, membership: Membership) -> None:
    _customer(account, membership)
    if membership.state not in GOING_ON:
        raise NotPossible(_WHY_NOT.get(membership.state, "This plan cannot be switched now."))


def _must_be_enough(membership: Membership, number: int) -> None:
    if membership.state is MembershipState.TRIALING:
        raise NotPossible("You try it for nothing, and seats are not tried. Change their number once it is paid.")
    used = 1 + len(seats.of(membership))
    if not 1 <= number <= seats.MOST:
        raise NotPossible(f"Choose between 1 and {seats.MOST} seats.")
    if number < used:
        raise NotPossible(f"{used} seats are given, yours among them. Take some back first.")


def _to_price(account: Account, stripe: Stripe, membership: Membership, price: Price) -> Wanted:
    there = stripe.subscription(_name(membership))
    item = {"id": there.item, "price": counterparts.of_price(account, stripe, price), "quantity": there.quantity}
    return Wanted(item, is_cadence_kept=price.cadence is membership.cadence)


def _to_seats(stripe: Stripe, membership: Membership, number: int) -> Wanted:
    """At the price they pay now, even where it is not on offer any more."""
    return Wanted({"id": stripe.subscription(_name(membership)).item, "quantity": number}, is_cadence_kept=True)


def _told(stripe: Stripe, membership: Membership, wanted: Wanted) -> tuple[Told, Difference]:
    at = clock.now().replace(microsecond=0)
    found = _difference(stripe, membership, wanted, at)
    return Told(at, found.due_now), found


def _as_told(account: Account, stripe: Stripe, known: Membership, wanted: Wanted, told: Told) -> None:
    """Raises NotPossible."""
    if not timedelta(0) <= clock.now() - told.at <= LASTS:
        raise NotPossible("This page is older than an hour, and the price has moved on with it. Look at it once more.")
    if _difference(stripe, known, wanted, told.at).due_now != told.due_now:
        raise NotPossible("What it costs has changed since this page was made. Look at it once more.")
    _change(account, stripe, known, _said(known, wanted, told.at) | {"payment_behavior": "error_if_incomplete"})


def _difference(stripe: Stripe, membership: Membership, wanted: Wanted, at: datetime) -> Difference:
    goes_on = wanted.is_cadence_kept or membership.state is MembershipState.TRIALING
    return stripe.preview(
        _name(membership), _said(membership, wanted, at), next_at=membership.paid_until if goes_on else None
    )


def _said(known: Membership, wanted: Wanted, at: datetime) -> dict[str, object]:
    if known.state is MembershipState.TRIALING:
        return {"items": [wanted.item], "proration_behavior": "none"}
    return {"items": [wanted.item], "proration_behavior": "always_invoice", "proration_date": _seconds(at)}


def _customer(account: Account, membership: Membership) -> Customer:
    customer = db.session.get(Customer, membership.customer_id) if membership.customer_id else None
    if customer is None or customer.account_id != account.id or customer.deleted_at:
        raise NotPossible("It is paid through an account that is not connected any more. Write to us to change it.")
    return customer


def _name(membership: Membership) -> str:
    assert membership.reference
    return membership.reference


def _has_passed(moment: datetime | None) -> bool:
    return moment is not None and moment <= clock.now()


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


_WHY_NOT = {
    MembershipState.CANCELLED: "It is cancelled. Take that back first, and then change it.",
    MembershipState.PAST_DUE: "The last payment did not go through. Pay it first, and then change it.",
    MembershipState.UNPAID: "The last payment did not go through. Pay it first, and then change it.",
    MembershipState.PAUSED: "It is paused. Go on with it first, and then change it.",
    MembershipState.ENDED: "It has ended. Choose a tier anew.",
}
