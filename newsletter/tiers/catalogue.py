"""What the publication offers for money: tiers, their order, and what they cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from newsletter import clock, slugs
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.publication.models import Publication
from newsletter.publication.settings import BadSetting, one_line
from newsletter.tiers.models import Cadence, Price, Tier

MOST_BENEFITS = 12
LONGEST_TRIAL = 365  # days

Prices = Mapping[tuple[Cadence, str], int]  # by currency, in its smallest unit


class NothingToMove(NewsletterError):
    status = 409


@dataclass(frozen=True)
class Listing:
    """What an author says of a tier."""

    name: str
    description: str = ""
    benefits: Sequence[str] = ()
    trial_days: int = 0
    is_minimum: bool = False
    is_hidden: bool = False
    prices: Prices = field(default_factory=dict)


def add(publication: Publication, said: Listing) -> Tier:
    """Raises BadSetting."""
    _check(said)
    last = db.session.scalar(select(func.max(Tier.position))) or 0
    tier = Tier(publication_id=publication.id, slug=_free_slug(said.name), position=last + 1, prices=[])
    db.session.add(tier)
    _write(tier, said)
    db.session.flush()
    return tier


def change(tier: Tier, said: Listing) -> None:
    """Its address stays. A new price is for those who come; who pays the old one goes on. Raises BadSetting."""
    _check(said)
    _write(tier, said)
    db.session.flush()


def move_up(tier: Tier) -> None:
    """Before the one it stands behind; the first stays first."""
    tiers = Tier.in_order()
    if tier not in tiers:
        raise NothingToMove(f"“{tier.name}” is archived, and has no place among the others.")
    at = tiers.index(tier)
    tiers.insert(max(at - 1, 0), tiers.pop(at))
    for position, each in enumerate(tiers, 1):
        each.position = position


def archive(tier: Tier) -> None:
    tier.archived_at = tier.archived_at or clock.now()


def reopen(tier: Tier) -> None:
    tier.archived_at = None


def _check(said: Listing) -> None:
    if not said.name.strip():
        raise BadSetting("name", "A tier needs a name.")
    if len(said.name) > 60:
        raise BadSetting("name", "A name of 60 letters at most: it stands on buttons.")
    if len(said.benefits) > MOST_BENEFITS:
        raise BadSetting("benefits", f"{MOST_BENEFITS} at most: nobody reads more before they decide.")
    if not 0 <= said.trial_days <= LONGEST_TRIAL:
        raise BadSetting("trial_days", f"Between 0 and {LONGEST_TRIAL} days.")
    if said.is_minimum and not said.prices:
        raise BadSetting("is_minimum", "Where readers may pay more, there must be a price to begin with.")


def _write(tier: Tier, said: Listing) -> None:
    tier.name = one_line(said.name)
    tier.description = said.description.replace("\r\n", "\n").strip()
    tier.benefits = [one_line(benefit) for benefit in said.benefits if benefit.strip()]
    tier.trial_days = said.trial_days
    tier.is_minimum = said.is_minimum
    tier.hidden_at = (tier.hidden_at or clock.now()) if said.is_hidden else None
    _write_prices(tier, said.prices)


def _write_prices(tier: Tier, wanted: Prices) -> None:
    present = {(price.cadence, price.currency): price for price in tier.prices}
    for key, price in present.items():
        if wanted.get(key) != price.amount:
            price.replaced_at = clock.now()
    db.session.flush()  # the old price ends before the new one begins: of each there is one at a time
    db.session.add_all(
        Price(tier=tier, cadence=cadence, currency=currency, amount=amount)
        for (cadence, currency), amount in wanted.items()
        if (cadence, currency) not in present or present[cadence, currency].amount != amount
    )
    db.session.flush()
    db.session.expire(tier, ["prices"])


def _free_slug(name: str) -> str:
    wanted = slugs.of(name, otherwise="tier", longest=40)
    return slugs.first_free(wanted, set(db.session.scalars(select(Tier.slug).where(Tier.slug.startswith(wanted)))))
