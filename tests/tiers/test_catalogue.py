"""Tiers as an author makes them."""

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.publication.settings import BadSetting
from newsletter.tiers import catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Price, Tier
from tests import factories

MONTHLY, YEARLY = (Cadence.MONTH, "EUR"), (Cadence.YEAR, "EUR")


@pytest.fixture
def here(app: Flask) -> Publication:
    return factories.publication()


def prices(tier: Tier) -> dict[tuple[Cadence, str], int]:
    return {(price.cadence, price.currency): price.amount for price in tier.prices}


def test_a_new_price_replaces_the_old_one_which_is_kept(here: Publication) -> None:
    tier = catalogue.add(here, Listing("Patrons", prices={MONTHLY: 500, YEARLY: 5000}))
    yearly = next(price for price in tier.prices if price.cadence is Cadence.YEAR)

    catalogue.change(tier, Listing("Patrons", prices={MONTHLY: 600, YEARLY: 5000, (Cadence.MONTH, "USD"): 700}))

    assert prices(tier) == {MONTHLY: 600, YEARLY: 5000, (Cadence.MONTH, "USD"): 700}
    assert yearly in tier.prices, "what did not change is the same price"
    old = db.session.scalars(select(Price).where(Price.replaced_at.is_not(None))).all()
    assert [(price.amount, price.cadence) for price in old] == [(500, Cadence.MONTH)]


def test_its_address_stays_whatever_it_is_called(here: Publication) -> None:
    tier = catalogue.add(here, Listing("Freunde & Förderer"))
    catalogue.change(tier, Listing("Patrons"))
    second = catalogue.add(here, Listing("Freunde — Förderer"))

    assert (tier.slug, second.slug) == ("freunde-forderer", "freunde-forderer-2")


def test_they_stand_in_the_order_the_author_gives_them(here: Publication) -> None:
    first, second, third = (catalogue.add(here, Listing(name)) for name in ("One", "Two", "Three"))

    catalogue.move_up(third)
    assert Tier.in_order() == [first, third, second]
    catalogue.move_up(first)
    assert Tier.in_order() == [first, third, second]
    catalogue.archive(third)
    db.session.flush()
    assert Tier.in_order() == [first, second]
    with pytest.raises(catalogue.NothingToMove):
        catalogue.move_up(third)


def test_a_hidden_one_is_not_shown_and_can_be_given(here: Publication) -> None:
    hidden = catalogue.add(here, Listing("Press", is_hidden=True))

    assert (Tier.on_offer(), Tier.in_order()) == ([], [hidden])
    catalogue.change(hidden, Listing("Press"))
    assert Tier.on_offer() == [hidden]


@pytest.mark.parametrize(
    ("offer", "field"),
    [
        (Listing(" "), "name"),
        (Listing("a" * 61), "name"),
        (Listing("Patrons", benefits=["one"] * 13), "benefits"),
        (Listing("Patrons", trial_days=366), "trial_days"),
        (Listing("Patrons", is_minimum=True), "is_minimum"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(here: Publication, offer: Listing, field: str) -> None:
    with pytest.raises(BadSetting) as refused:
        catalogue.add(here, offer)
    assert refused.value.field == field
