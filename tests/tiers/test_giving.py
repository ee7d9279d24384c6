"""Tiers given by hand."""

from datetime import timedelta

import pytest
from flask import Flask

import emails
from newsletter import clock
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.tiers import access, catalogue, giving, queries
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Membership, Tier
from tests import cast

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def ada(app: Flask) -> int:
    return cast.ada().id


@pytest.fixture
def patrons(ada: int) -> Tier:
    return catalogue.add(Publication.current(), Listing("Patrons"))


def kind(reader: int) -> emails.Audience:
    return access.audience_of(reader)


def days_left(held: Membership) -> int:
    assert held.ends_at
    return round((held.ends_at - clock.now()) / timedelta(days=1))


@pytest.mark.parametrize("days", [7, 30, 90, 365])
def test_who_is_given_a_tier_pays_until_it_ends(ada: int, patrons: Tier, days: int) -> None:
    held = giving.give(ada, patrons, days)

    assert kind(ada) is emails.Audience.PAYING
    assert days_left(held) == days
    held.started_at, held.ends_at = clock.now() - timedelta(days=days), clock.now() - timedelta(seconds=1)
    db.session.flush()
    assert kind(ada) is emails.Audience.FREE


def test_what_is_given_twice_is_one_and_never_gets_shorter(ada: int, patrons: Tier) -> None:
    first = giving.give(ada, patrons, 90)

    assert giving.give(ada, patrons, 7) is first
    assert days_left(first) == 90
    assert giving.give(ada, patrons, 365) is first
    assert days_left(first) == 365
    assert giving.give(ada, patrons, None).ends_at is None
    assert giving.give(ada, patrons, 7).ends_at is None
    assert len(queries.of_subscriber(ada)) == 1


def test_what_is_taken_back_ends_now_and_may_be_given_again(ada: int, patrons: Tier) -> None:
    held = giving.give(ada, patrons, None)
    giving.take_back(held)
    assert kind(ada) is emails.Audience.FREE
    ended_at = held.ends_at

    giving.take_back(held)
    assert held.ends_at == ended_at
    again = giving.give(ada, patrons, 30)
    assert again is not held
    assert kind(ada) is emails.Audience.PAYING


def test_an_archived_tier_is_given_to_nobody_and_kept_by_who_holds_it(ada: int, patrons: Tier) -> None:
    giving.give(ada, patrons, None)
    catalogue.archive(patrons)
    db.session.flush()

    assert kind(ada) is emails.Audience.PAYING
    with pytest.raises(giving.CannotGive, match="open it again"):
        giving.give(ada, patrons, 30)


@pytest.mark.parametrize("days", [0, -1, 8, 10**9])
def test_only_the_spans_there_are_can_be_given(ada: int, patrons: Tier, days: int) -> None:
    with pytest.raises(giving.CannotGive):
        giving.give(ada, patrons, days)
    assert kind(ada) is emails.Audience.FREE
