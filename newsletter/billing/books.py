"""The books: what came in, what the provider kept of it, and what went back."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from newsletter import clock
from newsletter.billing import customers, telling
from newsletter.billing.models import Account, Customer, Payment, PaymentKind
from newsletter.billing.reading import Thing, name
from newsletter.billing.stripe import Stripe
from newsletter.billing.values import Paid
from newsletter.db import db
from newsletter.tiers.models import Membership

LOST = "lost"


def enter_invoice(account: Account, stripe: Stripe, reference: str) -> Payment | None:
    """What was paid for a subscription. None if it is not paid, or none of ours."""
    state, paid, _ = stripe.invoice(reference)
    if state != "paid":
        return None
    return enter(account, paid)


def enter(account: Account, paid: Paid) -> Payment | None:
    """An invoice of a membership; those of the author's other business are not for these books."""
    membership = Membership.by_reference(paid.subscription) if paid.subscription else None
    if membership is None:
        return None
    customer = db.session.get(Customer, membership.customer_id) if membership.customer_id else None
    payment = _write(account, paid, PaymentKind.MEMBERSHIP, customer, membership)
    telling.receipt(payment, membership)
    return payment


def enter_once(account: Account, stripe: Stripe, reference: str, kind: PaymentKind) -> Payment | None:
    """A payment made once."""
    state, paid = stripe.payment(reference)
    if state != "succeeded":
        return None
    customer = customers.take(account, stripe.customer(paid.customer)) if paid.customer else None
    payment = _write(account, paid, kind, customer, None)
    if kind is not PaymentKind.GIFT:  # whose receipt says to whom it goes: see gifts.paid
        telling.receipt(payment, None)
    return payment


def refunded(stripe: Stripe, charge: str) -> Payment | None:
    """The whole sum that went back by now."""
    payment = _by_charge(charge)
    if payment:
        payment.refunded = stripe.charge(charge)["amount_refunded"]
    return payment


def disputed(stripe: Stripe, reference: str) -> Payment | None:
    """A payer says to their bank that this was not theirs to pay."""
    dispute: Thing = stripe.dispute(reference)
    payment = _by_charge(name(dispute["charge"]))
    if payment is None:
        return None
    payment.dispute = dispute["status"]
    payment.disputed_at = payment.disputed_at or clock.now()
    return payment


def _write(
    account: Account, paid: Paid, kind: PaymentKind, customer: Customer | None, membership: Membership | None
) -> Payment:
    """Once for each invoice; asked again, what has become known since (the fee, say) is filled in."""
    values = {
        "charge": paid.charge,
        "number": paid.number,
        "fee": paid.fee,
        "fee_currency": paid.fee_currency,
        "refunded": paid.refunded,
        "country": paid.country,
        "invoice_url": paid.invoice_url,
    }
    post = paid.notes.get("post", "")
    entry = insert(Payment).values(
        account_id=account.id,
        reference=paid.reference,
        kind=kind,
        customer_id=customer.id if customer else None,
        subscriber_id=customer.subscriber_id if customer else None,
        membership_id=membership.id if membership else None,
        tier_id=membership.tier_id if membership else None,
        post_id=membership.post_id if membership else int(post) if post.isdecimal() else None,
        at=paid.at,
        currency=paid.currency,
        amount=paid.amount,
        tax=paid.tax,
        dispute="",
        **values,
    )
    known = {key: value for key, value in values.items() if value not in ("", None)}
    db.session.execute(
        entry.on_conflict_do_update(index_elements=["account_id", "reference"], set_=known or {"amount": paid.amount})
    )
    return db.session.scalars(
        select(Payment)
        .where(Payment.account_id == account.id, Payment.reference == paid.reference)
        .execution_options(populate_existing=True)
    ).one()


def _by_charge(charge: str) -> Payment | None:
    return db.session.scalar(select(Payment).where(Payment.charge == charge).limit(1)) if charge else None
