"""Notices about money: to readers, and to those who run the publication. Each once, on its occasion."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from newsletter.accounts.models import Role, User
from newsletter.billing import offers, promises, terms
from newsletter.billing.models import ChangeKind, Payment, Told
from newsletter.config import settings
from newsletter.db import Json, db
from newsletter.publication.models import Newsletter, Publication
from newsletter.subscribers import moving, notices
from newsletter.subscribers.models import Notice, NoticeKind, Subscriber
from newsletter.tiers import money
from newsletter.tiers.models import Membership, MembershipKind, MembershipState

LASTS = timedelta(days=3)
UNPAID = "payment_failed"  # why the provider has ended something by itself
A_MINUTE = timedelta(minutes=1)  # the provider's moments have no fractions, and its clock is not ours

_TO_READERS = {
    ChangeKind.NEW: NoticeKind.MEMBER_WELCOME,
    ChangeKind.TRIAL: NoticeKind.MEMBER_WELCOME,
    ChangeKind.RETURNED: NoticeKind.MEMBER_WELCOME,
    ChangeKind.UPGRADED: NoticeKind.MEMBERSHIP_CHANGED,
    ChangeKind.DOWNGRADED: NoticeKind.MEMBERSHIP_CHANGED,
    ChangeKind.CANCELLED: NoticeKind.MEMBERSHIP_CANCELLED,
    ChangeKind.ENDED: NoticeKind.MEMBERSHIP_ENDED,
}
_TO_STAFF = {
    ChangeKind.NEW: "holds {tier} now, for {price}.",
    ChangeKind.TRIAL: "tries {tier} until {until}.",
    ChangeKind.RETURNED: "holds {tier} again, for {price}.",
    ChangeKind.UPGRADED: "went up: {tier}, for {price}.",
    ChangeKind.DOWNGRADED: "went down: {tier}, for {price}.",
    ChangeKind.CANCELLED: "cancelled {tier}. It ends on {until}.",
}


def of_change(membership: Membership, kind: ChangeKind, tier_before: str) -> None:
    if kind is ChangeKind.NEW and membership.trial_ends_at:
        return  # the trial was their welcome; the receipt tells the rest
    if kind in _TO_READERS:
        to_reader(membership, _TO_READERS[kind], _values(membership) | {"before": tier_before})
    if kind in _TO_STAFF:
        said = _TO_STAFF[kind].format(tier=membership.tier.name, price=price(membership), until=day(membership.ends_at))
        reason = [f"“{membership.cancel_reason}”"] if kind is ChangeKind.CANCELLED and membership.cancel_reason else []
        to_staff(membership.subscriber_id, said, reason)


def receipt(payment: Payment, membership: Membership | None) -> None:
    """For what was paid; nothing is told of what cost nothing, or was paid before it was taken over from elsewhere."""
    if membership and membership.is_imported and payment.at < membership.created_at - A_MINUTE:
        return
    goes_on = membership is not None and membership.state is MembershipState.ACTIVE
    _receipt(
        payment,
        tier=membership.tier.name if membership else "",
        support=membership is None,
        next_date=day(membership.paid_until) if membership and goes_on else "",
        next_amount=next_price(membership) if membership and goes_on else "",
    )


def receipt_of_gift(payment: Payment, url: str, words: str) -> None:
    """With the link to the gift, so that its giver can hand it over."""
    _receipt(payment, gift_url=url, gift_words=words)


def _receipt(payment: Payment, **said: object) -> None:
    subscriber = db.session.get(Subscriber, payment.subscriber_id) if payment.subscriber_id else None
    if subscriber is None or not payment.amount or not once(f"payment {payment.reference}", "receipt"):
        return
    values = {
        "tier": "",
        "support": False,
        "gift_url": "",
        "gift_words": "",
        "next_date": "",
        "next_amount": "",
        "amount": money.written(payment.amount, payment.currency, _language()),
        "tax": money.written(payment.tax, payment.currency, _language()) if payment.tax else "",
        "date": day(payment.at),
        "number": payment.number,
        "invoice_url": payment.invoice_url,
    }
    _owe(subscriber, NoticeKind.RECEIPT, values | said)


def to_reader(membership: Membership, kind: NoticeKind, values: Json | None = None) -> Notice | None:
    """None: there is nobody to write to."""
    subscriber = db.session.get(Subscriber, membership.subscriber_id)
    return _owe(subscriber, kind, values or _values(membership)) if subscriber else None


def of_seat(membership: Membership, tier_before: str) -> None:
    """What its payer changed. The author counts what is paid for, not its seats."""
    to_reader(membership, NoticeKind.MEMBERSHIP_CHANGED, _values(membership) | {"before": tier_before})


def to_staff(subscriber_id: int | None, said: str, more: list[str]) -> None:
    """Owners alone: what readers pay is their affair."""
    publication = Publication.current()
    newsletters = Newsletter.open()
    if not newsletters or not terms.of(publication.id).is_author_told:
        return
    for owner in db.session.scalars(select(User).where(User.role == Role.OWNER)):
        notices.owe(
            NoticeKind.MEMBER_NEWS,
            address=owner.email,
            newsletter=newsletters[0],
            values={
                "headline": f"A reader {said}",
                "lines": more,
                "url": f"{settings().site_url}/desk/readers/{subscriber_id}" if subscriber_id else "",
            },
            lasts=LASTS,
        )


def once(about: str, occasion: str) -> bool:
    """Whether nobody was told of this yet. Remembered with what is owed, or not at all."""
    told = db.session.scalar(
        insert(Told).values(about=about, occasion=occasion).on_conflict_do_nothing().returning(Told.about)
    )
    return told is not None


def price(membership: Membership) -> str:
    """ "€5.00 a month", or "€2.50 a month (later €5.00)" while an offer makes it smaller."""
    if not membership.currency or membership.amount is None:
        return ""
    each = f" a {membership.cadence}" if membership.cadence else ""
    full = money.written(membership.amount, membership.currency, _language())
    offer = offers.running(membership)
    if offer is None:
        return full + each
    less = offers.reduced(offer, membership.amount)
    return f"{money.written(less, membership.currency, _language())}{each} (later {full})"


def next_price(membership: Membership) -> str:
    """What the next payment costs: where it is the first of a new price, what they were told of that."""
    to_come = promises.to_come(membership)
    if to_come is None or not membership.currency or not membership.paid_until:
        return price(membership)
    amount, due_at = to_come
    if membership.paid_until <= due_at - promises.A_DAY:
        return price(membership)
    return f"{money.written(amount, membership.currency, _language())} a {membership.cadence}"


def day(moment: datetime | None) -> str:
    """In the publication's own time: "3 December 2026"."""
    if moment is None:
        return ""
    local = moment.astimezone(Publication.current().zone)
    return f"{local.day} {local:%B %Y}"


def _values(membership: Membership) -> Json:
    trial = membership.state is MembershipState.TRIALING
    return {
        "tier": membership.tier.name,
        "benefits": list(membership.tier.benefits),
        "given_until": "" if _goes_on(membership) else day(membership.ends_at),
        "is_seat": membership.kind is MembershipKind.SEAT,
        "trial_until": day(membership.trial_ends_at) if trial else "",
        "next_date": day(membership.paid_until),
        "next_amount": next_price(membership),
        "amount": next_price(membership) if trial else price(membership),
        "date": day(membership.trial_ends_at or membership.paid_until),
        "until": day(membership.ends_at),
        "because": "failed" if membership.failing_since or membership.cancel_reason == UNPAID else "",
    }


def _goes_on(membership: Membership) -> bool:
    """With no end that is known: it is paid for again and again."""
    if membership.kind is not MembershipKind.SEAT:
        return membership.kind is MembershipKind.PAID
    group = db.session.get(Membership, membership.group_id) if membership.group_id else None
    return group is not None and group.state is MembershipState.ACTIVE


def _owe(subscriber: Subscriber, kind: NoticeKind, values: Json) -> Notice | None:
    if subscriber.email is None:
        return None
    return notices.owe(
        kind,
        address=subscriber.email,
        newsletter=moving.voice_for(subscriber),
        subscriber=subscriber,
        values=values,
        lasts=LASTS,
    )


def _language() -> str:
    return Publication.current().language
