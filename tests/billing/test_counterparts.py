"""Our tiers and prices at the provider, where somebody changes and deletes them by hand."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from newsletter.billing import counterparts, reconciling
from newsletter.billing.models import Counterpart, CounterpartKind
from newsletter.billing.stripe import NotThere, Stripe, TurnedDown
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.publication.models import Publication
from newsletter.tiers import catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Membership, Tier
from newsletter.up.till.state import Thing
from tests.billing.conftest import KEY, House
from worker import tasks

GRACE = "grace@example.com"


class Refusing(Stripe):
    """Takes no change of one product or price."""

    def __init__(self, refused: str) -> None:
        super().__init__(KEY)
        self._refused = refused

    def put_product(self, reference: str | None, said: Mapping[str, Any], once: str) -> str:
        self._look(reference)
        return super().put_product(reference, said, once)

    def put_price(self, reference: str | None, said: Mapping[str, Any], once: str) -> str:
        self._look(reference)
        return super().put_price(reference, said, once)

    def _look(self, reference: str | None) -> None:
        if reference == self._refused:
            raise TurnedDown("No.")


class Watched(Stripe):
    """Remembers what was said under which key."""

    def __init__(self) -> None:
        super().__init__(KEY)
        self.said: dict[str, list[Mapping[str, Any]]] = {}

    def put_price(self, reference: str | None, said: Mapping[str, Any], once: str) -> str:
        if once:
            self.said.setdefault(once, []).append(said)
        return super().put_price(reference, said, once)


def deleted_there(house: House, thing: Thing) -> None:
    """By the author, in Stripe's dashboard."""
    del house.till.things[thing["id"]]
    house.till.tell(f"{thing['object']}.deleted", thing)


def called(kind: CounterpartKind) -> list[str]:
    db.session.expire_all()
    query = select(Counterpart.reference).where(Counterpart.kind == kind).order_by(Counterpart.our_id)
    return list(db.session.scalars(query))


def there(house: House, kind: str) -> set[str]:
    return {thing["id"] for thing in house.till.all(kind)}


def test_a_price_that_was_deleted_there_is_made_once_more(house: House) -> None:
    deleted_there(house, house.till.all("price")[0])
    house.deliver()
    tasks.run(Job.KEEP_TIERS_IN_STEP)

    assert set(called(CounterpartKind.PRICE)) == there(house, "price")
    assert len(there(house, "price")) == 2
    assert house.account.trouble == ""
    house.buy(GRACE)
    house.buy("emmy@example.com", cadence=Cadence.YEAR)
    house.deliver()
    assert len(db.session.scalars(select(Membership.reference)).all()) == 2


@pytest.mark.parametrize("are_prices_told", [True, False])
def test_a_product_that_was_deleted_there_is_made_once_more_with_its_prices(
    house: House, are_prices_told: bool
) -> None:
    for price in house.till.all("price"):
        if are_prices_told:
            deleted_there(house, price)
        else:
            del house.till.things[price["id"]]
    deleted_there(house, house.till.all("product")[0])
    house.deliver()
    tasks.run(Job.KEEP_TIERS_IN_STEP)

    assert set(called(CounterpartKind.TIER)) == there(house, "product")
    assert set(called(CounterpartKind.PRICE)) == there(house, "price")
    assert {price["product"] for price in house.till.all("price")} == there(house, "product")
    house.buy(GRACE)
    house.deliver()
    assert reconciling.reconcile(house.account, house.stripe).differences == []


def test_what_is_deleted_there_again_and_again_is_made_again_and_again(house: House) -> None:
    """To a key that it knows, Stripe repeats its answer of then: the name of what is deleted."""
    for _ in range(3):
        for thing in (*house.till.all("price"), *house.till.all("product")):
            deleted_there(house, thing)
        house.deliver()
        tasks.run(Job.KEEP_TIERS_IN_STEP)

    assert set(called(CounterpartKind.TIER)) == there(house, "product")
    assert set(called(CounterpartKind.PRICE)) == there(house, "price")


def test_a_price_that_is_looked_at_before_its_product_is_said_anew_and_under_another_key(house: House) -> None:
    """Stripe remembers the refusal, too: other words under the same key are an error for a day."""
    watched = Watched()
    product = house.till.all("product")[0]
    del house.till.things[product["id"]]
    for price in house.till.all("price"):
        deleted_there(house, price)
    house.deliver()
    counterparts.keep_in_step(house.account, watched)
    assert there(house, "price") == set()

    house.till.tell("product.deleted", product)
    house.deliver()
    counterparts.keep_in_step(house.account, watched)
    db.session.commit()

    assert set(called(CounterpartKind.PRICE)) == there(house, "price")
    assert len(there(house, "price")) == 2
    assert all(said == each[0] for each in watched.said.values() for said in each)


@pytest.mark.parametrize("kind", [CounterpartKind.TIER, CounterpartKind.PRICE])
def test_one_refusal_keeps_no_other_tier_and_no_comparison_waiting(house: House, kind: CounterpartKind) -> None:
    house.buy(GRACE)
    house.rung.clear()  # every call is lost
    refused = called(kind)[0]
    catalogue.add(Publication.current(), Listing(name="Friends", prices={(Cadence.MONTH, "EUR"): 300}))
    assert counterparts.tell_again(house.account, refused)
    db.session.commit()

    run = reconciling.reconcile(house.account, Refusing(refused))

    assert run.ended_at
    assert db.session.scalars(select(Membership)).unique().one()
    friends = next(tier for tier in Tier.in_order() if tier.name == "Friends")
    assert {(each.kind, each.our_id) for each in db.session.scalars(select(Counterpart))} >= {
        (CounterpartKind.TIER, friends.id),
        (CounterpartKind.PRICE, friends.prices[0].id),
    }


def test_the_till_knows_nothing_any_more_of_what_was_deleted(house: House) -> None:
    product = house.till.all("product")[0]
    deleted_there(house, product)

    with pytest.raises(NotThere):
        house.stripe.put_product(product["id"], {"name": "Patrons"}, "")
    with pytest.raises(NotThere):
        house.stripe.put_price(None, {"product": product["id"], "currency": "eur", "unit_amount": 500}, "once")
