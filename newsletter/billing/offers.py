"""Tiers for less: who may take an offer, what it costs then, and how often it has been taken."""

import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select

from newsletter import clock
from newsletter.billing.models import Offer, OfferKind, OfferLasts, Redemption
from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NotFound
from newsletter.publication.settings import BadSetting, one_line
from newsletter.tiers import money
from newsletter.tiers.models import Cadence, Membership, MembershipKind, Price, Tier

HELD_FOR = timedelta(hours=2)  # as long as the page of the payment is open
A_DAY, A_MONTH, A_YEAR = timedelta(days=1), timedelta(days=31), timedelta(days=366)
LONGEST_CODE = 40
MOST_DAYS = 365
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


class NoSuchOffer(NotFound):
    """The same words for one that never was and for one that is over: nobody learns which codes there were."""

    def __init__(self) -> None:
        super().__init__("There is no such offer, or it is over.")


def add(offer: Offer) -> Offer:
    """Raises BadSetting."""
    offer.name = one_line(offer.name)
    offer.code = offer.code.strip().lower() or "".join(secrets.choice(_LETTERS) for _ in range(8))
    _check(offer)
    db.session.add(offer)
    db.session.flush()
    return offer


def find(code: str) -> Offer:
    """One that can be taken now, by somebody. Raises NoSuchOffer."""
    offer = Offer.by_code(code)
    if offer is None or not is_open(offer) or not prices(offer):
        raise NoSuchOffer
    return offer


def is_open(offer: Offer) -> bool:
    is_over = offer.archived_at or (offer.ends_at and offer.ends_at <= clock.now())
    return not is_over and (offer.most is None or taken(offer, and_held=True) < offer.most)


def prices(offer: Offer) -> list[Price]:
    """What it makes cheaper, of what is on offer."""
    return [price for tier in Tier.on_offer() for price in tier.prices if is_for(offer, price)]


def is_for(offer: Offer, price: Price) -> bool:
    fits = offer.tier_id in (None, price.tier_id) and offer.cadence in (None, price.cadence)
    return fits and (offer.kind is not OfferKind.AMOUNT or offer.currency == price.currency)


def hold(code: str, price: Price, subscriber_id: int | None) -> tuple[Offer, Redemption]:
    """Keep one for whoever goes to pay: of the last one, only one of two gets it. Raises NoSuchOffer."""
    offer = db.session.scalar(select(Offer).where(Offer.code == code.strip().lower()).with_for_update(of=Offer))
    if offer is None or not is_open(offer) or not is_for(offer, price):
        raise NoSuchOffer
    if offer.is_for_new and subscriber_id and _has_paid(subscriber_id):
        raise NoSuchOffer
    held = Redemption(offer_id=offer.id, subscriber_id=subscriber_id, held_until=clock.now() + HELD_FOR)
    db.session.add(held)
    db.session.flush()
    return offer, held


def used(redemption_id: int, membership: Membership) -> None:
    """Whoever held it has paid. Safe to hear twice."""
    held = db.session.get(Redemption, redemption_id)
    if held and held.used_at is None:
        held.used_at, held.membership_id = clock.now(), membership.id
        held.subscriber_id = membership.subscriber_id


def let_go(redemption_id: int) -> None:
    """Left the checkout without paying."""
    held = db.session.get(Redemption, redemption_id)
    if held and held.used_at is None:
        db.session.delete(held)


def taken(offer: Offer, *, and_held: bool = False) -> int:
    is_taken = Redemption.used_at.is_not(None)
    counted = or_(is_taken, Redemption.held_until > clock.now()) if and_held else is_taken
    query = select(func.count()).select_from(Redemption).where(Redemption.offer_id == offer.id, counted)
    return db.session.scalar(query) or 0


def running(membership: Membership) -> Offer | None:
    """What makes the next payment smaller than its price; one that lasts for ever is part of the price."""
    query = select(Redemption, Offer).join(Offer, Offer.id == Redemption.offer_id)
    query = query.where(Redemption.membership_id == membership.id, Redemption.used_at.is_not(None))
    found = db.session.execute(query.order_by(Redemption.used_at.desc()).limit(1)).one_or_none()
    if found is None or found[1].kind is OfferKind.TRIAL or membership.paid_until is None:
        return None
    redemption, offer, paid_until = found[0], found[1], membership.paid_until
    used_at = redemption.used_at
    if used_at is None:
        return None
    period = A_YEAR if membership.cadence is Cadence.YEAR else A_MONTH
    match offer.lasts:
        case OfferLasts.MONTHS if paid_until < clock.months_later(used_at, offer.months or 0) - A_DAY:
            return offer
        case OfferLasts.ONCE if redemption.held_until <= used_at and used_at > paid_until - period:
            return offer  # held at no checkout, but taken by who stays: the next payment is the one it makes smaller
    return None


def lasting(membership: Membership) -> Offer | None:
    """What makes every payment smaller, for ever."""
    query = select(Offer).join(Redemption, Redemption.offer_id == Offer.id)
    query = query.where(Redemption.membership_id == membership.id, Redemption.used_at.is_not(None))
    found = db.session.scalar(query.order_by(Redemption.used_at.desc()).limit(1))
    return found if found and found.lasts is OfferLasts.FOREVER and found.kind is not OfferKind.TRIAL else None


def url(offer: Offer) -> str:
    return f"{settings().site_url}/offers/{offer.code}"


def cost(offer: Offer, price: Price) -> int:
    """Of each payment, as long as it lasts."""
    return reduced(offer, price.amount)


def reduced(offer: Offer, amount: int) -> int:
    if offer.kind is OfferKind.PERCENT:
        return max(amount - round(amount * (offer.percent or 0) / 100), 0)
    if offer.kind is OfferKind.AMOUNT:
        return max(amount - (offer.amount or 0), 0)
    return amount


def in_words(offer: Offer, amount: int, currency: str, each: str, language: str, which: str = "first") -> str:
    """ "€2.50 a month for 3 months, then €5.00 a month". `which`: next, for those who pay already."""

    def written(value: int) -> str:
        return f"{money.written(value, currency, language)} a {each}"

    match offer:
        case Offer(kind=OfferKind.TRIAL):
            return f"The first {offer.days} days for nothing, then {written(amount)}"
        case Offer(lasts=OfferLasts.FOREVER):
            return f"{written(reduced(offer, amount))}, for as long as you stay"
        case Offer(lasts=OfferLasts.MONTHS):
            return f"{written(reduced(offer, amount))} for {offer.months} months, then {written(amount)}"
    first = money.written(reduced(offer, amount), currency, language)
    return f"{first} for the {which} {each}, then {written(amount)}"


def coupon(offer: Offer) -> Mapping[str, Any]:
    """As the provider wants it: docs.stripe.com/api/coupons."""
    lasts = {OfferLasts.ONCE: "once", OfferLasts.MONTHS: "repeating", OfferLasts.FOREVER: "forever"}[offer.lasts]
    said: dict[str, Any] = {"name": offer.name[:40], "duration": lasts, "metadata": {"offer": str(offer.id)}}
    if offer.lasts is OfferLasts.MONTHS:
        said["duration_in_months"] = offer.months
    if offer.kind is OfferKind.PERCENT:
        return said | {"percent_off": offer.percent}
    return said | {"amount_off": offer.amount, "currency": offer.currency.lower()}


def _has_paid(subscriber_id: int) -> bool:
    paid = exists().where(Membership.subscriber_id == subscriber_id, Membership.kind == MembershipKind.PAID)
    return bool(db.session.scalar(select(paid)))


def _check(offer: Offer) -> None:
    if not offer.name:
        raise BadSetting("name", "Give it a name: you find it again by that, and payers see it on their invoice.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", offer.code) or len(offer.code) > LONGEST_CODE:
        raise BadSetting("code", f"Letters, digits and dashes, {LONGEST_CODE} at most.")
    if Offer.by_code(offer.code):
        raise BadSetting("code", "There is an offer with this code already.")
    _check_size(offer)
    if offer.lasts is OfferLasts.MONTHS and not 1 <= (offer.months or 0) <= 36:
        raise BadSetting("months", "Between 1 and 36 months.")
    if offer.most is not None and offer.most < 1:
        raise BadSetting("most", "At least one, or empty for any number.")
    if offer.ends_at is not None and offer.ends_at <= clock.now():
        raise BadSetting("ends", "Choose a day to come, or leave it empty.")


def _check_size(offer: Offer) -> None:
    match offer.kind:
        case OfferKind.PERCENT if not 1 <= (offer.percent or 0) <= 100:
            raise BadSetting("size", "Between 1 and 100 percent.")
        case OfferKind.AMOUNT if not offer.amount or offer.currency not in money.CURRENCIES:
            raise BadSetting("size", "Say how much, and in which currency.")
        case OfferKind.TRIAL if not 1 <= (offer.days or 0) <= MOST_DAYS:
            raise BadSetting("size", f"Between 1 and {MOST_DAYS} days.")
