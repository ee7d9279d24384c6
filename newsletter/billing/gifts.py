"""Tiers given away: bought once by somebody, mailed on a day, taken by somebody else."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import and_, exists, func, or_, select

from newsletter import clock, links
from newsletter.billing import checkout, customers, telling, terms
from newsletter.billing.models import Account, Gift, Payment, PaymentKind, Told
from newsletter.billing.stripe import Stripe
from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.links import Purpose
from newsletter.publication.models import Newsletter, Publication
from newsletter.subscribers import notices
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.models import NoticeKind, Subscriber
from newsletter.tiers.models import Cadence, Membership, MembershipKind, MembershipState, Price

MONTHS = {Cadence.MONTH: (1, 3, 6), Cadence.YEAR: (12,)}  # that can be given, for a price of that kind
LONGEST_MESSAGE, LONGEST_NAME = 500, 80  # letters
FURTHEST = timedelta(days=366)
REMINDED_AFTER = timedelta(days=14)
IN_THE_MORNING = time(8)
UNPAID_FOR = timedelta(days=3)  # then what was begun and never paid is forgotten
LONGEST_DEBIT = timedelta(days=30)  # until a bank has said whether there is money
_WAITS = "waits for a bank"
LASTS = timedelta(days=3)  # of a letter whose mail server does not take it
A_BATCH = 100
_LINK = re.compile(r"https?:|www\.|\w\.(?:com|net|org|io|info|biz|ru|cn|xyz|top|link)\b", re.IGNORECASE)


class BadGift(NewsletterError):
    status = 422


class NoSuchGift(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no gift at this address. Try copying it again from the letter.")


class NotForYou(NewsletterError):
    status = 409


@dataclass(frozen=True)
class Wrapping:
    """What the giver says."""

    giver: str
    recipient: Address | None  # None: the giver hands the link over
    message: str
    day: date | None  # None: at once


def buy(
    account: Account,
    stripe: Stripe,
    price: Price,
    months: int,
    wrapping: Wrapping,
    *,
    giver: Subscriber | None = None,
) -> str:
    """The address of the page that takes the payment. Raises BadGift, NotForSale."""
    if not terms.of(account.publication_id).has_gifts:
        raise checkout.NotForSale("Tiers are not given away here.")
    checkout.must_be_for_sale(account, price)
    if months not in MONTHS[price.cadence]:
        raise BadGift("Choose for how long.")
    gift = Gift(
        publication_id=account.publication_id,
        tier=price.tier,
        months=months,
        currency=price.currency,
        amount=cost(price, months),
        giver_name=_plain(wrapping.giver, "Your name", LONGEST_NAME),
        giver_id=giver.id if giver else None,
        recipient_email=wrapping.recipient.email if wrapping.recipient else "",
        message=_plain(wrapping.message, "The message", LONGEST_MESSAGE),
        deliver_for=_moment(wrapping.day),
    )
    if not gift.giver_name:
        raise BadGift("Say your name: whoever gets the gift is told from whom it is.")
    db.session.add(gift)
    db.session.flush()
    notes = {"kind": PaymentKind.GIFT.value, "gift": str(gift.id)}
    words = f"{gift.tier.name} for {span(gift.months)}, a gift"
    return checkout.once(account, stripe, words, gift.amount, gift.currency, notes, giver)


def paid(payment: Payment, noted: str) -> None:
    """The money is there: the gift is mailed when its day has come. Safe to hear twice."""
    gift = _locked(int(noted)) if noted.isdecimal() else None
    if gift is None or gift.paid_at:
        return
    gift.paid_at, gift.payment_id = clock.now(), payment.id
    gift.giver_id = gift.giver_id or payment.subscriber_id
    payment.tier_id = gift.tier_id
    telling.receipt_of_gift(payment, url(gift), in_words(gift))
    telling.to_staff(payment.subscriber_id, f"gives {gift.tier.name} away, for {span(gift.months)}.", [])
    db.session.flush()
    mail_due()


def mail_due() -> None:
    """Every gift whose day has come, and once more those that nobody has taken for two weeks."""
    waiting = select(Gift).where(
        Gift.paid_at.is_not(None), Gift.redeemed_at.is_(None), Gift.voided_at.is_(None), Gift.recipient_email != ""
    )
    first = waiting.where(Gift.mailed_at.is_(None), Gift.deliver_for <= clock.now())
    for gift in db.session.scalars(first.limit(A_BATCH).with_for_update(of=Gift, skip_locked=True)).all():
        gift.mailed_at = clock.now()
        _mail(gift, is_reminder=False)
    again = waiting.where(Gift.reminded_at.is_(None), Gift.mailed_at <= clock.now() - REMINDED_AFTER)
    for gift in db.session.scalars(again.limit(A_BATCH).with_for_update(of=Gift, skip_locked=True)).all():
        gift.reminded_at = clock.now()
        _mail(gift, is_reminder=True)


def by_link(token: str) -> Gift:
    """Changes nothing. Raises BadLink, NoSuchGift."""
    (gift_id,) = links.read(Purpose.GIFT, token)
    gift = db.session.get(Gift, gift_id)
    if gift is None or gift.paid_at is None or gift.voided_at:
        raise NoSuchGift
    return gift


def take(token: str, reader: Subscriber | Address) -> Membership | None:
    """It begins now, or at the end of an earlier gift of the same tier. None: it was taken before. Raises NotForYou."""
    gift = _locked(by_link(token).id)
    assert gift
    if gift.redeemed_at:
        return None
    taker = customers.reader_with(reader, gift.publication_id, "gift") if isinstance(reader, Address) else reader
    if taker is None or taker.email is None:
        raise NoSuchGift
    if checkout.running(taker.id):
        raise NotForYou(
            "You pay for a tier already, and would lose by taking it now. The gift stays good: take it when that has "
            "ended, or hand the link on."
        )
    begins = _end_of_earlier(taker, gift)
    membership = Membership(
        subscriber_id=taker.id,
        tier=gift.tier,
        kind=MembershipKind.GIFT,
        state=MembershipState.ACTIVE,
        started_at=begins,
        ends_at=db.session.scalar(select(begins + func.make_interval(0, gift.months))),
    )
    db.session.add(membership)
    db.session.flush()
    gift.redeemed_at, gift.membership_id, gift.recipient_email = clock.now(), membership.id, ""
    db.session.refresh(membership)
    customers.ask_to_confirm(taker)
    telling.to_reader(membership, NoticeKind.MEMBER_WELCOME)
    return membership


def void(payment: Payment) -> None:
    """The money went back: what is not taken can be taken no more, and what was taken ends now."""
    gift = db.session.scalar(select(Gift).where(Gift.payment_id == payment.id).with_for_update(of=Gift))
    if gift is None or gift.voided_at:
        return
    gift.voided_at = clock.now()
    membership = db.session.get(Membership, gift.membership_id) if gift.membership_id else None
    if membership and (membership.ends_at is None or membership.ends_at > clock.now()):
        membership.ends_at = clock.now()


def wait_for_bank(noted: str) -> None:
    """The money is under way: the gift is not forgotten before the bank has answered."""
    telling.once(f"gift {noted}", _WAITS)


def forget_unpaid() -> None:
    """With the address of whoever was to get it."""
    waits = exists().where(Told.about == func.concat("gift ", Gift.id), Told.occasion == _WAITS)
    old = or_(
        and_(Gift.created_at < clock.now() - UNPAID_FOR, ~waits),
        Gift.created_at < clock.now() - LONGEST_DEBIT,
    )
    for gift in db.session.scalars(select(Gift).where(Gift.paid_at.is_(None), old).limit(A_BATCH)).all():
        db.session.delete(gift)


def recent(limit: int = 50) -> list[Gift]:
    """Those that are paid, newest first."""
    query = select(Gift).where(Gift.paid_at.is_not(None)).order_by(Gift.paid_at.desc(), Gift.id.desc())
    return list(db.session.scalars(query.limit(limit)))


def url(gift: Gift) -> str:
    return f"{settings().site_url}/gifts/{links.sign(Purpose.GIFT, gift.id)}"


def cost(price: Price, months: int) -> int:
    return price.amount * months if price.cadence is Cadence.MONTH else price.amount


def span(months: int) -> str:
    return {1: "a month", 12: "a year"}.get(months, f"{months} months")


def in_words(gift: Gift) -> str:
    """For its giver: what it is, and what becomes of it."""
    what = f"{gift.tier.name} for {span(gift.months)}"
    if not gift.recipient_email:
        return f"{what}, for you to hand over."
    if gift.deliver_for <= clock.now():
        return f"{what}, for {gift.recipient_email}. It is on its way there."
    return f"{what}, for {gift.recipient_email}. It goes there on {telling.day(gift.deliver_for)}."


def _mail(gift: Gift, *, is_reminder: bool) -> None:
    newsletters = Newsletter.open()
    if not newsletters:
        return
    notices.owe(
        NoticeKind.GIFT,
        address=gift.recipient_email,
        newsletter=newsletters[0],
        values={
            "giver": gift.giver_name,
            "tier": gift.tier.name,
            "span": span(gift.months),
            "lines": [] if is_reminder else gift.message.splitlines(),
            "gift_url": url(gift),
            "is_reminder": is_reminder,
        },
        lasts=LASTS,
    )


def _locked(gift_id: int) -> Gift | None:
    query = select(Gift).where(Gift.id == gift_id).with_for_update(of=Gift)
    return db.session.scalar(query.execution_options(populate_existing=True))


def _end_of_earlier(taker: Subscriber, gift: Gift) -> datetime:
    last = select(func.max(Membership.ends_at)).where(
        Membership.subscriber_id == taker.id,
        Membership.tier_id == gift.tier_id,
        Membership.kind == MembershipKind.GIFT,
        Membership.ends_at > clock.now(),
    )
    return db.session.scalar(last) or clock.now()


def _plain(text: str, what: str, longest: int) -> str:
    """What is mailed to somebody who has not asked for mail carries no links. Raises BadGift."""
    said = "\n".join(line.strip() for line in text.strip().splitlines())
    if len(said) > longest:
        raise BadGift(f"{what} can have {longest} letters; this has {len(said)}.")
    if _LINK.search(said):
        raise BadGift(f"{what} is mailed as it is, and can hold no web addresses.")
    return said


def _moment(day: date | None) -> datetime:
    """In the morning of that day, where the publication lives. Raises BadGift."""
    if day is None:
        return clock.now()
    zone = Publication.current().zone
    moment = datetime.combine(day, IN_THE_MORNING, zone)
    if moment.date() < clock.now().astimezone(zone).date() or moment > clock.now() + FURTHEST:
        raise BadGift("Choose a day from today on, within a year.")
    return moment
