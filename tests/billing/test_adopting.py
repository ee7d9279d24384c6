"""Subscriptions that were made elsewhere at the author's account: taken over as they are, once the author says so."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from newsletter import clock
from newsletter.billing import adopting, figures, plans, promises, reconciling
from newsletter.billing.models import MembershipChange, Payment
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.subscribers.models import Notice, NoticeKind, Subscriber
from newsletter.tiers import access, catalogue
from newsletter.tiers.models import Cadence, Membership, MembershipState, Tier
from newsletter.up.till.state import DAY, Thing
from tests import factories
from tests.billing.conftest import GOOD, House
from worker import tasks

EMMY, MILEVA = "emmy@example.com", "mileva@example.com"


def elsewhere(house: House, amount: int = 700, interval: str = "month", count: int = 1, currency: str = "eur") -> Thing:
    """A price that another platform made."""
    product = house.till.make("product", "prod", name="Letters by another platform", active=True)
    price = house.till.make("price", "price", currency=currency, unit_amount=amount, product=product["id"], active=True)
    price |= {"recurring": {"interval": interval, "interval_count": count}, "type": "recurring"}
    return price


def payer(house: House, email: str, price: Thing, quantity: int = 1, days: int = 10) -> Thing:
    """Somebody who has paid it for so many days."""
    house.till.ahead -= days * DAY
    customer = house.till.customer(email=email)
    house.till.attach(customer, house.till.card(GOOD, 12, 2034))
    made = house.till.subscribe(customer, price, quantity, 0, {})
    house.till.ahead += days * DAY
    return made


def patrons() -> Tier:
    return db.session.scalars(select(Tier)).one()


def held() -> list[Membership]:
    db.session.expire_all()
    return list(db.session.scalars(select(Membership).order_by(Membership.id)).unique())


def take_over(house: House, price: Thing) -> None:
    reconciling.reconcile(house.account, house.stripe)
    adopting.adopt(house.account, price["id"], patrons())
    db.session.commit()
    tasks.run(Job.RECONCILE)


def test_what_is_noted_on_them_is_about_readers_of_elsewhere(house: House) -> None:
    stranger = factories.subscriber(MILEVA)
    price = elsewhere(house)
    there = payer(house, EMMY, price)
    there["metadata"] = {"newsletter": "1", "subscriber": str(stranger.id), "post": "1", "redemption": "1"}
    house.till.things[there["customer"]]["metadata"] = {"subscriber": str(stranger.id)}
    house.deliver()

    take_over(house, price)

    (membership,) = held()
    assert membership.subscriber_id == Subscriber.by_key(EMMY).id  # type: ignore[union-attr]
    assert (membership.is_imported, membership.post_id) == (True, None)
    assert db.session.scalar(select(func.count(Notice.id)).where(Notice.kind == NoticeKind.MEMBER_WELCOME)) == 0


def test_a_discount_that_was_made_elsewhere_is_told_of_too(house: House) -> None:
    price = elsewhere(house, amount=500)
    there = payer(house, EMMY, price)
    house.till.discount(there, house.till.make("coupon", "co", percent_off=50, duration="forever")["id"])
    take_over(house, price)
    (membership,) = held()
    ours = next(each for each in patrons().prices if each.cadence is Cadence.MONTH)

    assert (membership.amount, membership.full_amount, ours.amount) == (250, 500, 500)
    assert not promises.is_about(house.account, ours, membership)  # half of it is not another price
    ours.amount = 600
    assert promises.amount(membership, ours) >= 300
    db.session.rollback()


def test_before_the_author_says_so_they_are_none_of_ours(house: House) -> None:
    price = elsewhere(house)
    payer(house, EMMY, price)
    payer(house, MILEVA, price)
    house.deliver()

    compared = reconciling.reconcile(house.account, house.stripe)

    assert (held(), compared.differences, compared.compared) == ([], [], 0)
    (found,) = adopting.found(house.account)
    assert (found.name, found.cadence, found.currency) == ("Letters by another platform", Cadence.MONTH, "EUR")
    assert (found.amount, found.payers) == (700, 2)


@pytest.mark.parametrize("days", [1, 10])
def test_taken_over_they_read_on_pay_as_before_and_hear_nothing(house: House, days: int) -> None:
    price = elsewhere(house)
    there = payer(house, EMMY, price, days=days)
    house.deliver()

    take_over(house, price)

    (membership,) = held()
    emmy = db.session.scalars(select(Subscriber).where(Subscriber.email == EMMY)).one()
    assert (membership.subscriber_id, membership.state, membership.tier) == (emmy.id, MembershipState.ACTIVE, patrons())
    assert (membership.amount, membership.is_imported) == (700, True)
    assert membership.reference == there["id"]
    assert membership.started_at < clock.now() - timedelta(days=days - 0.5)
    assert access.audience_of(emmy.id).value == "paying"
    assert db.session.scalars(select(Payment.amount)).all() == [700]  # in the books, too
    assert db.session.scalar(select(func.count(Notice.id))) == 0
    assert adopting.found(house.account) == []
    assert adopting.payers(house.account) == {price["id"]: 1}
    assert reconciling.reconcile(house.account, house.stripe).differences == []


def test_what_they_are_worth_counts_from_when_they_began(house: House) -> None:
    price = elsewhere(house)
    payer(house, EMMY, price)
    house.deliver()

    take_over(house, price)

    (change,) = db.session.scalars(select(MembershipChange)).all()
    assert change.at == held()[0].started_at
    assert figures.currencies() == ["EUR"]


def test_from_then_on_they_are_like_everybody(house: House) -> None:
    price = elsewhere(house)
    payer(house, EMMY, price, quantity=2)
    take_over(house, price)
    (membership,) = held()
    yearly = next(each for each in patrons().prices if each.cadence is Cadence.YEAR)

    told, _ = plans.preview(house.account, house.stripe, membership, yearly)
    plans.switch(house.account, house.stripe, membership, yearly, told)
    plans.cancel(house.account, house.stripe, membership)
    db.session.commit()
    house.deliver()

    (membership,) = held()
    assert (membership.state, membership.cadence, membership.seats) == (MembershipState.CANCELLED, Cadence.YEAR, 2)
    kinds = set(db.session.scalars(select(Notice.kind)))
    assert {NoticeKind.MEMBERSHIP_CHANGED, NoticeKind.MEMBERSHIP_CANCELLED, NoticeKind.RECEIPT} <= kinds


def test_who_begins_there_later_is_known_at_once(house: House) -> None:
    price = elsewhere(house)
    payer(house, EMMY, price)
    take_over(house, price)

    payer(house, MILEVA, price)
    house.deliver()

    assert len(held()) == 2


def test_what_is_paid_neither_by_month_nor_year_is_left_alone(house: House) -> None:
    price = elsewhere(house, interval="month", count=3)
    payer(house, EMMY, price)
    reconciling.reconcile(house.account, house.stripe)
    (found,) = adopting.found(house.account)
    assert found.cadence is None

    with pytest.raises(adopting.CannotAdopt, match="neither by the month nor by the year"):
        adopting.adopt(house.account, price["id"], patrons())


def test_what_is_paid_in_a_currency_that_no_tier_has_is_left_alone(house: House) -> None:
    """Stripe counts hundredths of an Icelandic króna, which has none: every sum would be wrong here."""
    price = elsewhere(house, amount=90000, currency="isk")
    payer(house, EMMY, price)
    reconciling.reconcile(house.account, house.stripe)

    with pytest.raises(adopting.CannotAdopt, match="paid in ISK"):
        adopting.adopt(house.account, price["id"], patrons())

    reconciling.reconcile(house.account, house.stripe)
    assert (held(), adopting.adopted(house.account)) == ([], [])


def test_what_nobody_pays_and_what_is_archived_cannot_be_taken(house: House) -> None:
    price = elsewhere(house)
    with pytest.raises(adopting.NoSuchPrice):
        adopting.adopt(house.account, price["id"], patrons())
    payer(house, EMMY, price)
    reconciling.reconcile(house.account, house.stripe)
    catalogue.archive(patrons())

    with pytest.raises(adopting.CannotAdopt, match="archived"):
        adopting.adopt(house.account, price["id"], patrons())


def test_who_has_left_there_is_not_met(house: House) -> None:
    there = payer(house, EMMY, elsewhere(house))
    house.stripe.end(there["id"])

    reconciling.reconcile(house.account, house.stripe)

    assert adopting.found(house.account) == []
