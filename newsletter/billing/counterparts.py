"""What our tiers and prices are called at the provider: made there when they are needed, and kept in step."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from newsletter.billing import offers, terms
from newsletter.billing.apart import apart
from newsletter.billing.models import Account, AdoptedPrice, Counterpart, CounterpartKind, Offer, TaxBehavior
from newsletter.billing.stripe import NotThere, Stripe
from newsletter.billing.values import Subscribed
from newsletter.db import db
from newsletter.tiers.models import Price, Tier

LONGEST_DESCRIPTION = 500  # letters that readers see at the checkout


def of_tier(account: Account, stripe: Stripe, tier: Tier) -> str:
    """The product there."""
    said = {"name": tier.name, "active": tier.archived_at is None, "metadata": {"tier": str(tier.id)}}
    if tier.description:
        said["description"] = tier.description[:LONGEST_DESCRIPTION]
    return _put(account, CounterpartKind.TIER, tier.id, said, {}, stripe.put_product)


def of_price(account: Account, stripe: Stripe, price: Price) -> str:
    """The price there. One that is replaced is closed to those who come; who pays it goes on."""
    said: dict[str, Any] = {"active": price.replaced_at is None, "metadata": {"price": str(price.id)}}
    behavior = terms.of(account.publication_id).tax_behavior
    first = {
        "product": of_tier(account, stripe, price.tier),
        "currency": price.currency.lower(),
        "unit_amount": price.amount,
        "recurring": {"interval": price.cadence.value},
    }
    if behavior is not TaxBehavior.UNSPECIFIED:
        first["tax_behavior"] = behavior.value
    return _put(account, CounterpartKind.PRICE, price.id, said, first, stripe.put_price)


def of_offer(account: Account, stripe: Stripe, offer: Offer) -> str:
    """The coupon there: what it takes off can be said at its making alone."""
    return _put(account, CounterpartKind.OFFER, offer.id, {}, dict(offers.coupon(offer)), _put_coupon(stripe))


def _put_coupon(stripe: Stripe) -> Callable[[str | None, dict[str, Any], str], str]:
    return lambda known, said, once: known or stripe.put_coupon(said, once)


def keep_in_step(account: Account, stripe: Stripe) -> int:
    """Tell the provider of every tier and price that it does not know as it is now. How many it was told of.

    What it refuses of one keeps no other waiting.
    """
    before = {(each.kind, each.our_id): each.said for each in _all(account)}
    for tier in db.session.scalars(select(Tier).where(Tier.publication_id == account.publication_id)).all():
        with apart("a tier", tier.id):
            of_tier(account, stripe, tier)
    prices = select(Price).join(Tier).where(Tier.publication_id == account.publication_id)
    for price in db.session.scalars(prices).all():
        if price.replaced_at is None or (CounterpartKind.PRICE, price.id) in before:
            with apart("a price", price.id):
                of_price(account, stripe, price)
    return sum(before.get((each.kind, each.our_id)) != each.said for each in _all(account))


def tell_again(account: Account, reference: str) -> bool:
    """What is ours is to be told once more. False: it is none of ours."""
    found = db.session.scalar(
        select(Counterpart).where(Counterpart.account_id == account.id, Counterpart.reference == reference)
    )
    if found:
        found.said = ""
    return found is not None


def price_of(account: Account, subscribed: Subscribed) -> Price | None:
    """Ours, that somebody pays there. None: a subscription to something that is none of ours."""
    query = select(Counterpart.our_id).where(
        Counterpart.account_id == account.id,
        Counterpart.kind == CounterpartKind.PRICE,
        Counterpart.reference == subscribed.price,
    )
    our_id = db.session.scalar(query)
    return db.session.get(Price, our_id) if our_id else None


def is_ours(account: Account, subscribed: Subscribed) -> bool:
    """Made here, and not taken over from elsewhere."""
    return price_of(account, subscribed) is not None or _tier_made_here(account, subscribed) is not None


def tier_of(account: Account, subscribed: Subscribed) -> Tier | None:
    """Also for a price that was made for one reader, such as more than the minimum, or elsewhere."""
    price = price_of(account, subscribed)
    if price:
        return price.tier
    our_id = _tier_made_here(account, subscribed)
    if our_id is None:
        adopted = db.session.get(AdoptedPrice, (account.id, subscribed.price))
        our_id = adopted.tier_id if adopted else None
    return db.session.get(Tier, our_id) if our_id else None


def _tier_made_here(account: Account, subscribed: Subscribed) -> int | None:
    query = select(Counterpart.our_id).where(
        Counterpart.account_id == account.id,
        Counterpart.kind == CounterpartKind.TIER,
        Counterpart.reference == subscribed.product,
    )
    return db.session.scalar(query)


def _put(
    account: Account,
    kind: CounterpartKind,
    our_id: int,
    said: dict[str, Any],
    first: dict[str, Any],
    put: Callable[[str | None, dict[str, Any], str], str],
) -> str:
    """Make it there, or change it if it has changed here. `first` is what can be said at its making alone.

    What was deleted there is made once more, under a key of its own: to the first one the provider would only repeat
    its answer of then.
    """
    found = db.session.get(Counterpart, (account.id, kind, our_id), with_for_update=True)
    words = _fingerprint(said)
    once = f"{account.reference}-{kind}-{our_id}-{_fingerprint({**said, **first})[:16]}"
    if found is None:
        found = Counterpart(
            account_id=account.id, kind=kind, our_id=our_id, reference=put(None, {**said, **first}, once), said=words
        )
        db.session.add(found)
    elif found.said != words:
        try:
            put(found.reference, said, "")
        except NotThere:
            found.reference = put(None, {**said, **first}, f"{once}-{found.reference}")
            if kind is CounterpartKind.TIER:
                _look_at_prices_again(account, our_id)
        found.said = words
    db.session.flush()
    return found.reference


def _fingerprint(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _look_at_prices_again(account: Account, tier_id: int) -> None:
    """They went with the product that was deleted there."""
    prices = select(Price.id).where(Price.tier_id == tier_id)
    of_it = select(Counterpart).where(
        Counterpart.account_id == account.id,
        Counterpart.kind == CounterpartKind.PRICE,
        Counterpart.our_id.in_(prices),
    )
    for price in db.session.scalars(of_it):
        price.said = ""


def _all(account: Account) -> list[Counterpart]:
    return list(db.session.scalars(select(Counterpart).where(Counterpart.account_id == account.id)))
