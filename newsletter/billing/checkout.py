"""From a price to the provider's page that takes the payment."""

import secrets
from datetime import timedelta

from sqlalchemy import exists, select

from newsletter import clock
from newsletter.billing import counterparts, customers, offers, terms
from newsletter.billing.models import Account, OfferKind, PaymentKind, TaxBehavior
from newsletter.billing.stripe import Stripe
from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import money
from newsletter.tiers.models import Membership, MembershipKind, MembershipState, Price

LASTS = timedelta(hours=2)


class NotForSale(NewsletterError):
    status = 410


class HeldAlready(NewsletterError):
    status = 409

    def __init__(self, tier: str) -> None:
        super().__init__(f"You hold {tier} already: nothing was charged. Change it in your account.")


def membership(
    account: Account,
    stripe: Stripe,
    price: Price,
    *,
    subscriber: Subscriber | None = None,
    email: str = "",
    amount: int | None = None,
    post_id: int | None = None,
    code: str = "",
    seats: int = 1,
) -> str:
    """The address of a page that takes the payment for a tier. `amount` is more than its minimum, `code` an offer's.

    `seats` are all of a group, with that of its payer: groups are not tried for nothing.

    Raises NotForSale, HeldAlready, NotAnAmount, NoSuchOffer.
    """
    must_be_for_sale(account, price)
    if subscriber and (pays := running(subscriber.id)):
        raise HeldAlready(pays.tier.name)
    notes = _notes(subscriber, post_id) | {"tier": str(price.tier_id)}
    offer, held = offers.hold(code, price, subscriber.id if subscriber else None) if code else (None, None)
    if held:
        notes["redemption"] = str(held.id)
    details: dict[str, object] = {"metadata": notes}
    trial_days = offer.days if offer and offer.kind is OfferKind.TRIAL else price.tier.trial_days
    if trial_days and seats == 1 and not (subscriber and had_trial(subscriber.id)):
        details["trial_period_days"] = trial_days
    said = _said(account, subscriber, email) | {
        "mode": "subscription",
        "line_items": [_line(account, stripe, price, amount, seats)],
        "subscription_data": details,
        "metadata": notes,
    }
    if offer and offer.kind is not OfferKind.TRIAL:
        said["discounts"] = [{"coupon": counterparts.of_offer(account, stripe, offer)}]
    return stripe.open_checkout(said, secrets.token_urlsafe(24)).url


def support(
    account: Account, stripe: Stripe, amount: int, *, subscriber: Subscriber | None = None, email: str = ""
) -> str:
    """A payment made once, to no tier. Raises NotForSale, NotAnAmount."""
    agreed = terms.of(account.publication_id)
    if agreed.supporter_minimum is None:
        raise NotForSale("Payments made once are not taken here.")
    if amount < agreed.supporter_minimum:
        least = money.written(agreed.supporter_minimum, agreed.supporter_currency)
        raise money.NotAnAmount(f"{least} at least, please: less than that goes to the card company.")
    notes = {"kind": PaymentKind.SUPPORT.value}
    return once(account, stripe, "Support", amount, agreed.supporter_currency, notes, subscriber, email)


def once(
    account: Account,
    stripe: Stripe,
    words: str,
    amount: int,
    currency: str,
    notes: dict[str, str],
    subscriber: Subscriber | None = None,
    email: str = "",
) -> str:
    """The address of a page that takes one payment; `notes` are found again on what comes of it."""
    notes = _notes(subscriber, None) | notes
    line = {
        "quantity": 1,
        "price_data": {"currency": currency.lower(), "unit_amount": amount, "product_data": {"name": words}},
    }
    said = _said(account, subscriber, email) | {
        "mode": "payment",
        "line_items": [line],
        "customer_creation": "always",
        "payment_intent_data": {"metadata": notes},
        "metadata": notes,
    }
    if "customer" in said:
        del said["customer_creation"]
    return stripe.open_checkout(said, secrets.token_urlsafe(24)).url


def must_be_for_sale(account: Account, price: Price) -> None:
    if price.replaced_at or price.tier.archived_at:
        raise NotForSale("This price is not on offer any more. Choose again: nothing was charged.")
    if terms.of(account.publication_id).paused_at:
        raise NotForSale("This publication takes a break, and takes no money while it does. Come back later.")


def running(subscriber_id: int) -> Membership | None:
    """A paid membership that is not over."""
    return db.session.scalar(
        select(Membership)
        .where(
            Membership.subscriber_id == subscriber_id,
            Membership.kind == MembershipKind.PAID,
            Membership.state != MembershipState.ENDED,
        )
        .order_by(Membership.id.desc())
        .limit(1)
    )


def had_trial(subscriber_id: int) -> bool:
    """One trial a reader."""
    return bool(
        db.session.scalar(
            select(exists().where(Membership.subscriber_id == subscriber_id, Membership.trial_ends_at.is_not(None)))
        )
    )


def _line(account: Account, stripe: Stripe, price: Price, amount: int | None, seats: int) -> dict[str, object]:
    if amount is None or amount == price.amount or not price.tier.is_minimum:
        return {"price": counterparts.of_price(account, stripe, price), "quantity": seats}
    if amount < price.amount:
        least = money.written(price.amount, price.currency)
        raise money.NotAnAmount(f"{price.tier.name} begins at {least} a {price.cadence}.")
    data: dict[str, object] = {
        "currency": price.currency.lower(),
        "unit_amount": amount,
        "product": counterparts.of_tier(account, stripe, price.tier),
        "recurring": {"interval": price.cadence.value},
    }
    behavior = terms.of(account.publication_id).tax_behavior
    if behavior is not TaxBehavior.UNSPECIFIED:
        data["tax_behavior"] = behavior.value
    return {"price_data": data, "quantity": seats}


def _said(account: Account, subscriber: Subscriber | None, email: str) -> dict[str, object]:
    site = settings().site_url
    said: dict[str, object] = {
        "success_url": f"{site}/support/thanks",
        "cancel_url": f"{site}/support",
        "expires_at": int((clock.now() + LASTS).timestamp()),
    }
    customer = customers.of_reader(account, subscriber.id) if subscriber else None
    if customer:
        said["customer"] = customer.reference
    elif subscriber and subscriber.email:
        said["customer_email"] = subscriber.email
    elif email:
        said["customer_email"] = email
    if subscriber:
        said["client_reference_id"] = str(subscriber.id)
    if terms.of(account.publication_id).is_tax_automatic:
        said["automatic_tax"] = {"enabled": True}
        if customer:
            said["customer_update"] = {"address": "auto"}
    return said


def _notes(subscriber: Subscriber | None, post_id: int | None) -> dict[str, str]:
    """What we find again on everything that comes of it."""
    notes = {"newsletter": "1"}
    if subscriber:
        notes["subscriber"] = str(subscriber.id)
    if post_id:
        notes["post"] = str(post_id)
    return notes
