"""Subscriptions of earlier days, or of another platform, at the same account: taken over as they are.

Their payers, cards and next payments stay. Nothing is charged and nobody is written to by that: it goes on.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from newsletter.billing.models import Account, AdoptedPrice, Reconciliation
from newsletter.billing.stripe import Stripe
from newsletter.billing.values import Subscribed
from newsletter.db import Json, db
from newsletter.errors import NewsletterError, NotFound
from newsletter.jobs import Job, enqueue
from newsletter.tiers import money
from newsletter.tiers.models import Cadence, Membership, Tier

OVER = frozenset({"canceled", "incomplete", "incomplete_expired"})


class NoSuchPrice(NotFound):
    def __init__(self) -> None:
        super().__init__("Nobody pays such a price at the connected account. Compare with Stripe, and look again.")


class CannotAdopt(NewsletterError):
    status = 409


@dataclass(frozen=True)
class Elsewhere:
    """A price at the account that is none of ours, and who pays it."""

    reference: str
    name: str  # of the product there
    cadence: Cadence | None  # None: neither a month nor a year
    currency: str  # ISO 4217
    amount: int  # of one seat, in its smallest unit; what one of its payers pays
    payers: int


def found(account: Account) -> list[Elsewhere]:
    """What the last comparison met, without what is taken over by now. Most payers first.

    One that came as far as that counts, too: while payments are still looked for, and if that went wrong.
    """
    query = select(Reconciliation.elsewhere).where(
        Reconciliation.account_id == account.id,
        or_(Reconciliation.ended_at.is_not(None), Reconciliation.elsewhere != []),
    )
    met = db.session.scalar(query.order_by(Reconciliation.id.desc()).limit(1)) or []
    ours = {each.reference for each in adopted(account)}
    return [
        Elsewhere(**{**each, "cadence": Cadence(each["cadence"]) if each["cadence"] else None})
        for each in met
        if each["reference"] not in ours
    ]


def adopted(account: Account) -> list[AdoptedPrice]:
    query = select(AdoptedPrice).where(AdoptedPrice.account_id == account.id)
    return list(db.session.scalars(query.order_by(AdoptedPrice.adopted_at, AdoptedPrice.reference)))


def payers(account: Account) -> dict[str, int]:
    """How many memberships came of each adopted price, ended ones too."""
    return Counter(
        db.session.scalars(
            select(Membership.price_reference).where(
                Membership.price_reference.in_([each.reference for each in adopted(account)])
            )
        )
    )


def adopt(account: Account, reference: str, tier: Tier) -> None:
    """Who pays this price holds that tier from the next comparison on, which is asked for. Safe to say twice.

    Raises NoSuchPrice, CannotAdopt.
    """
    price = next((each for each in found(account) if each.reference == reference), None)
    if price is None:
        raise NoSuchPrice
    if price.cadence is None:
        raise CannotAdopt("It is paid neither by the month nor by the year, and cannot be taken over.")
    if price.currency not in money.CURRENCIES:  # its digits are not the ones that Stripe counts, perhaps
        raise CannotAdopt(f"It is paid in {price.currency}, a currency that no tier can have: it cannot be taken over.")
    if tier.archived_at:
        raise CannotAdopt(f"“{tier.name}” is archived: open it again first.")
    db.session.execute(
        insert(AdoptedPrice)
        .values(account_id=account.id, reference=reference, tier_id=tier.id, name=price.name)
        .on_conflict_do_nothing()
    )
    enqueue(Job.RECONCILE)


def met(stripe: Stripe, strangers: Iterable[Subscribed]) -> list[Json]:
    """The prices of subscriptions that are none of ours, as `found` reads them."""
    strange: dict[str, Subscribed] = {}
    count: Counter[str] = Counter()
    for each in strangers:
        if each.held.status not in OVER:
            strange.setdefault(each.price, each)
            count[each.price] += 1
    if not strange:
        return []
    names = {price["id"]: price["product"]["name"] for price in stripe.prices_there() if price["id"] in strange}
    return [
        {
            "reference": reference,
            "name": names.get(reference, reference),
            "cadence": strange[reference].cadence,
            "currency": strange[reference].currency,
            "amount": strange[reference].amount // strange[reference].quantity,
            "payers": number,
        }
        for reference, number in count.most_common()
    ]
