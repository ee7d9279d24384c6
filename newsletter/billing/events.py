"""What the provider rings about: written down when it comes, and looked into afterwards, once and in any order."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from newsletter import clock
from newsletter.billing import books, counterparts, customers, gifts, keeping, offers, telling
from newsletter.billing.models import Account, PaymentEvent, PaymentKind
from newsletter.billing.stripe import NotThere, ProviderAway, Stripe, of
from newsletter.billing.values import Bell, Bought
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.jobs import Job, enqueue
from newsletter.subscribers.models import Subscriber

log = structlog.get_logger()

LONGEST_WAIT = timedelta(hours=6)


def write_down(account: Account, bell: Bell) -> bool:
    """Remember it before anything is done about it. False: it was known already."""
    new = db.session.scalar(
        insert(PaymentEvent)
        .values(
            account_id=account.id,
            reference=bell.reference,
            type=bell.type,
            about=bell.about,
            hints=bell.hints,
            created_at=bell.created_at,
            tries=0,
            trouble="",
        )
        .on_conflict_do_nothing()
        .returning(PaymentEvent.reference)
    )
    if new:
        enqueue(Job.TAKE_PAYMENT_EVENTS)
    return new is not None


def take_next() -> bool:
    """Look into one event that is due, in a transaction that whoever calls commits. False: there is none."""
    event = db.session.scalar(
        select(PaymentEvent)
        .where(PaymentEvent.taken_at.is_(None), PaymentEvent.next_try_at <= func.now())
        .order_by(PaymentEvent.created_at, PaymentEvent.received_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if event is None:
        return False
    try:
        with db.session.begin_nested():
            account = db.session.get_one(Account, event.account_id)
            look_into(account, of(account), event)
        event.taken_at, event.trouble = clock.now(), ""
    except OperationalError:
        raise
    except NotThere as error:  # gone since: there is nothing left to look into
        event.taken_at, event.trouble = clock.now(), str(error)
    except Exception as error:
        _put_off(event, error)
    return True


def look_into(account: Account, stripe: Stripe, event: PaymentEvent) -> None:
    for beginning, look in _LOOKS.items():
        if event.type.startswith(beginning):
            look(account, stripe, event)
            return


def _checkout(account: Account, stripe: Stripe, event: PaymentEvent) -> None:
    bought = stripe.checkout(event.about)
    notes = bought.notes if bought.notes.get("newsletter") else {}  # those of another seller are about others
    if bought.status == "expired" and notes.get("redemption", "").isdecimal():
        offers.let_go(int(notes["redemption"]))
    if bought.status != "complete" or not bought.customer:
        return  # left without buying
    noted = notes.get("subscriber", "")
    reader = db.session.get(Subscriber, int(noted)) if noted.isdecimal() else None
    customer = customers.take(account, stripe.customer(bought.customer), reader)
    if notes and customer.subscriber:
        customers.ask_to_confirm(customer.subscriber)
    if bought.subscription:
        _subscription_named(account, stripe, bought.subscription)
    elif bought.payment and notes:
        _paid_once(account, stripe, bought)


def _paid_once(account: Account, stripe: Stripe, bought: Bought) -> None:
    gift = bought.notes.get("gift", "")
    if bought.is_paid:
        payment = books.enter_once(account, stripe, bought.payment, _kind(bought))
        if payment and payment.kind is PaymentKind.GIFT:
            gifts.paid(payment, gift)
    elif gift:  # by bank debit: it takes days until the bank has answered
        gifts.wait_for_bank(gift)


def _kind(bought: Bought) -> PaymentKind:
    return PaymentKind(bought.notes.get("kind", PaymentKind.OTHER))


def _subscription(account: Account, stripe: Stripe, event: PaymentEvent) -> None:
    _subscription_named(account, stripe, event.about)


def _invoice(account: Account, stripe: Stripe, event: PaymentEvent) -> None:
    if reference := event.hints.get("subscription"):
        _subscription_named(account, stripe, reference)
    if event.type == "invoice.paid":
        books.enter_invoice(account, stripe, event.about)


def _refund(_: Account, stripe: Stripe, event: PaymentEvent) -> None:
    payment = books.refunded(stripe, event.about)
    if payment and payment.refunded >= payment.amount:
        gifts.void(payment)


def _dispute(_: Account, stripe: Stripe, event: PaymentEvent) -> None:
    payment = books.disputed(stripe, event.about)
    if payment is None or not telling.once(f"dispute {event.about}", payment.dispute):
        return
    if payment.dispute == books.LOST:
        gifts.void(payment)
        if payment.membership_id:
            enqueue(Job.KEEP_MEMBERSHIPS)
    said = f"disputes a payment at their bank ({payment.dispute.replace('_', ' ')})."
    telling.to_staff(payment.subscriber_id, said, ["Answer it in your Stripe dashboard: there is a date to keep."])


def _customer(account: Account, stripe: Stripe, event: PaymentEvent) -> None:
    if customers.is_known(account, event.about):
        customers.take(account, stripe.customer(event.about))


def _catalogue(account: Account, _: Stripe, event: PaymentEvent) -> None:
    """Somebody changed it there; what it is called and costs is decided here."""
    if counterparts.tell_again(account, event.about):
        enqueue(Job.KEEP_TIERS_IN_STEP)


def _subscription_named(account: Account, stripe: Stripe, reference: str) -> None:
    keeping.refresh(account, stripe, reference)


_LOOKS: dict[str, Callable[[Account, Stripe, PaymentEvent], None]] = {
    "checkout.session.": _checkout,
    "customer.subscription.": _subscription,
    "customer.": _customer,
    "invoice.": _invoice,
    "charge.refunded": _refund,
    "charge.dispute.": _dispute,
    "product.": _catalogue,
    "price.": _catalogue,
}


def _put_off(event: PaymentEvent, error: Exception) -> None:
    """Tried again after 1, 2, 4 … minutes: nothing is dropped."""
    event.tries += 1
    event.trouble = str(error)[:500] if isinstance(error, NewsletterError) else type(error).__name__
    wait = min(timedelta(minutes=2 ** min(event.tries - 1, 12)), LONGEST_WAIT)
    event.next_try_at = clock.now() + wait
    if isinstance(error, ProviderAway):
        log.warning("payment event put off", type=event.type, tries=event.tries, reason="provider away")
    else:
        log.error("payment event failed", type=event.type, tries=event.tries, exc_info=error)
