"""What time itself brings about: reminders that are due, days of grace that end, readers who are erased."""

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, select

from newsletter import clock
from newsletter.billing import customers, gifts, keeping, telling, terms
from newsletter.billing.apart import apart
from newsletter.billing.books import LOST
from newsletter.billing.models import Account, Customer, Payment
from newsletter.billing.stripe import NotThere, Stripe
from newsletter.db import db
from newsletter.subscribers.models import NoticeKind
from newsletter.tiers.models import Membership, MembershipKind, MembershipState

TRIAL_REMINDER = timedelta(days=3)
CARD_REMINDER = timedelta(days=30)
REMINDERS = (0.0, 0.3, 0.75)  # parts of the days of grace: three letters, at growing distance
GIVEN_REMINDER = timedelta(days=7)
FAILING = "past_due"  # the provider's word
NEWS_FOR = timedelta(days=3)
GIVEN = (MembershipKind.COMPLIMENTARY, MembershipKind.GIFT)
PAID_BY_OTHERS = (*GIVEN, MembershipKind.SEAT)  # who holds one hears of its end, and of no payment


def remind() -> None:
    """Each reminder that is due and was not sent yet. Asks nobody."""
    _trials_that_end()
    _cards_that_expire()
    _given_that_end_soon()
    _given_that_ended()
    gifts.mail_due()
    gifts.forget_unpaid()


def remind_of_failed_payments(account: Account, stripe: Stripe) -> None:
    """With the page at the provider that takes the payment now."""
    grace = terms.grace(account.publication_id)
    failing = select(Membership.id).where(
        Membership.state == MembershipState.PAST_DUE,
        Membership.ends_at > func.now(),
        Membership.customer_id.in_(select(Customer.id).where(Customer.account_id == account.id)),
    )
    for known in db.session.scalars(failing.order_by(Membership.id)).all():
        membership = db.session.get(Membership, known)
        if membership is None or membership.failing_since is None:
            continue  # erased meanwhile; or what failed was voided, by the author at the provider, say
        attempt = sum(clock.now() >= membership.failing_since + part * grace for part in REMINDERS)
        if attempt:
            with apart("a page to pay", membership.id):
                _remind_of_failed_payment(account, stripe, membership, attempt)
            db.session.commit()


def _remind_of_failed_payment(account: Account, stripe: Stripe, membership: Membership, attempt: int) -> None:
    """Who has paid by now gets no letter: the event that tells of it may be late, or lost."""
    occasion = f"failing since {membership.failing_since:%Y-%m-%d}, {attempt}"
    if not telling.once(f"membership {membership.id}", occasion):
        return
    assert membership.reference
    there = stripe.subscription(membership.reference)
    if there.held.status != FAILING:
        keeping.refresh(account, stripe, membership.reference)
        return
    values = {
        "tier": membership.tier.name,
        "amount": telling.price(membership),
        "pay_url": stripe.open_invoice_page(there.latest_invoice) if there.latest_invoice else "",
        "until": telling.day(membership.ends_at),
        "attempt": attempt,
    }
    telling.to_reader(membership, NoticeKind.PAYMENT_FAILED, values)


def stop_where_nothing_may_be_charged(account: Account, stripe: Stripe) -> None:
    """Readers who are erased, and who got their money back by their bank, are charged no more."""
    for customer in customers.to_be_closed(account):
        with apart("an erased payer", customer.reference):
            with suppress(NotThere):
                stripe.drop_customer(customer.reference)
            customer.deleted_at = clock.now()
        db.session.commit()
    disputed = (
        select(Membership)
        .join(Payment, Payment.membership_id == Membership.id)
        .where(Payment.dispute == LOST, Payment.account_id == account.id, Membership.state != MembershipState.ENDED)
    )
    for membership in db.session.scalars(disputed).all():
        assert membership.reference
        with apart("an end", membership.id):
            keeping.keep(account, stripe, stripe.end(membership.reference, "The payer disputed a payment."))


def _trials_that_end() -> None:
    query = select(Membership).where(
        Membership.state == MembershipState.TRIALING,
        Membership.trial_ends_at.between(func.now(), func.now() + TRIAL_REMINDER),
    )
    for membership in db.session.scalars(query).all():
        if telling.once(f"membership {membership.id}", f"trial ends {membership.trial_ends_at:%Y-%m-%d}"):
            telling.to_reader(membership, NoticeKind.TRIAL_ENDING)


def _given_that_end_soon() -> None:
    """A week before; not of what was given for little more than that."""
    query = select(Membership).where(
        Membership.kind.in_(GIVEN),
        Membership.state == MembershipState.ACTIVE,
        Membership.ends_at.between(clock.now(), clock.now() + GIVEN_REMINDER),
        Membership.ends_at - Membership.started_at > 2 * GIVEN_REMINDER,
    )
    for membership in db.session.scalars(query).all():
        if telling.once(f"membership {membership.id}", f"given ends {membership.ends_at:%Y-%m-%d}"):
            values = {"tier": membership.tier.name, "date": telling.day(membership.ends_at)}
            telling.to_reader(membership, NoticeKind.GIVEN_ENDING, values)


def _given_that_ended() -> None:
    """Nobody tells us of it but the clock. What ended long ago is written down, and no news to anybody.

    Two rounds at once end none of them twice: who is held by the other one is left to it.
    """
    query = (
        select(Membership)
        .where(
            Membership.kind.in_(PAID_BY_OTHERS),
            Membership.state == MembershipState.ACTIVE,
            Membership.ends_at <= clock.now(),
        )
        .with_for_update(of=Membership, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for membership in db.session.scalars(query).all():
        membership.state, membership.ended_at = MembershipState.ENDED, membership.ends_at
        if membership.ends_at and membership.ends_at > clock.now() - NEWS_FOR:
            telling.to_reader(membership, NoticeKind.MEMBERSHIP_ENDED)


def _cards_that_expire() -> None:
    """Only of those who will be charged again."""
    query = (
        select(Membership, Customer)
        .join(Customer, Customer.id == Membership.customer_id)
        .where(
            Membership.state.in_((MembershipState.ACTIVE, MembershipState.TRIALING)),
            Customer.card_expires < Membership.paid_until,
            Customer.card_expires <= func.current_date() + CARD_REMINDER,
        )
    )
    for membership, customer in db.session.execute(query).all():
        assert customer.card_expires
        if telling.once(f"customer {customer.id}", f"card expires {customer.card_expires}"):
            card = f"{customer.card_brand.title()} ending in {customer.card_last4}"
            values = {
                "tier": membership.tier.name,
                "card": card,
                "date": f"{customer.card_expires.day} {customer.card_expires:%B %Y}",
            }
            telling.to_reader(membership, NoticeKind.CARD_EXPIRING, values)
