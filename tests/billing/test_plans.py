"""What readers do with a plan of theirs, at a till that keeps state."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from newsletter import clock
from newsletter.billing import connecting, plans, reconciling
from newsletter.billing.models import ChangeKind, MembershipChange, Payment
from newsletter.billing.plans import NotPossible
from newsletter.billing.stripe import TurnedDown
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.tiers import catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Membership, MembershipState, Price, Tier
from tests.billing.conftest import FAILS_LATER, KEY, House


@pytest.fixture
def bought(house: House) -> Membership:
    friends = Listing(name="Friends", prices={(Cadence.MONTH, "EUR"): 300, (Cadence.MONTH, "USD"): 400})
    catalogue.add(Publication.current(), friends)
    db.session.commit()
    house.buy("grace@example.com")
    house.deliver()
    return held()


def held() -> Membership:
    db.session.expire_all()
    return db.session.scalars(select(Membership)).one()


def price(tier: str, cadence: Cadence) -> Price:
    return next(
        p for t in Tier.in_order() if t.name == tier for p in t.prices if (p.cadence, p.currency) == (cadence, "EUR")
    )


def paid() -> int:
    return db.session.scalar(select(func.sum(Payment.amount))) or 0


def changes() -> list[ChangeKind]:
    return list(db.session.scalars(select(MembershipChange.kind).order_by(MembershipChange.id)))


def later(house: House, monkeypatch: pytest.MonkeyPatch, days: float) -> datetime:
    """Days go by, here and there."""
    house.days_pass(days)
    moment = datetime.fromtimestamp(house.till.now(), tz=clock.now().tzinfo)
    monkeypatch.setattr(clock, "now", lambda: moment)
    house.deliver()
    return moment


def nothing_differs(house: House) -> bool:
    house.deliver()
    return reconciling.reconcile(house.account, house.stripe).differences == []


def test_a_cancelled_plan_runs_to_its_end_and_can_be_taken_back(house: House, bought: Membership) -> None:
    paid_until = bought.paid_until

    plans.cancel(house.account, house.stripe, bought, "Too many letters")
    plans.cancel(house.account, house.stripe, bought, "a second click")
    db.session.commit()

    assert held().state is MembershipState.CANCELLED
    assert (held().ends_at, held().cancel_reason) == (paid_until, "Too many letters")
    assert nothing_differs(house)

    plans.take_back(house.account, house.stripe, held())
    plans.take_back(house.account, house.stripe, held())
    db.session.commit()

    assert held().state is MembershipState.ACTIVE
    assert changes() == [ChangeKind.NEW, ChangeKind.CANCELLED, ChangeKind.KEPT]
    house.days_pass(31)
    house.deliver()
    assert paid() == 1000


def test_whoever_cancels_after_a_payment_failed_is_asked_for_no_more(house: House, bought: Membership) -> None:
    house.till.attach(house.till.all("customer")[0], house.till.card(FAILS_LATER, 12, 2034))
    house.days_pass(31)
    house.deliver()
    assert held().state is MembershipState.PAST_DUE

    plans.cancel(house.account, house.stripe, held())
    db.session.commit()
    house.days_pass(40)

    assert held().state is MembershipState.ENDED
    assert nothing_differs(house)
    assert paid() == 500


def test_going_from_a_month_to_a_year_costs_what_was_told(house: House, bought: Membership) -> None:
    yearly = price("Patrons", Cadence.YEAR)

    told, difference = plans.preview(house.account, house.stripe, bought, yearly)
    assert 4490 <= difference.due_now <= 4510  # a year, less the month that is hardly begun
    assert difference.next_amount == 5000
    assert difference.next_at - clock.now() > timedelta(days=360)
    assert changes() == [ChangeKind.NEW]  # looking costs nothing

    plans.switch(house.account, house.stripe, bought, yearly, told)
    plans.switch(house.account, house.stripe, held(), yearly, told)  # a second click
    db.session.commit()

    assert nothing_differs(house)
    assert paid() == 500 + difference.due_now
    assert held().cadence is Cadence.YEAR
    assert changes() == [ChangeKind.NEW, ChangeKind.UPGRADED]


def test_what_is_left_of_a_dearer_plan_pays_for_the_cheaper_one(house: House, bought: Membership) -> None:
    friends = price("Friends", Cadence.MONTH)

    told, difference = plans.preview(house.account, house.stripe, bought, friends)
    assert -205 <= difference.due_now <= -195
    assert (difference.next_amount, difference.next_at) == (300, bought.paid_until)
    plans.switch(house.account, house.stripe, bought, friends, told)
    db.session.commit()
    house.days_pass(31)
    house.deliver()

    assert 595 <= paid() <= 605
    assert held().tier.name == "Friends"


def test_what_was_told_is_what_is_paid_or_nothing_changes(
    house: House, bought: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    yearly = price("Patrons", Cadence.YEAR)
    told, _ = plans.preview(house.account, house.stripe, bought, yearly)

    with pytest.raises(NotPossible, match="has changed"):
        plans.switch(house.account, house.stripe, bought, yearly, replace(told, due_now=1))
    monkeypatch.setattr(clock, "now", lambda: told.at + timedelta(minutes=61))
    with pytest.raises(NotPossible, match="older than an hour"):
        plans.switch(house.account, house.stripe, bought, yearly, told)

    db.session.rollback()
    assert held().cadence is Cadence.MONTH
    assert paid() == 500


def test_a_card_that_is_declined_leaves_the_plan_as_it_is(house: House, bought: Membership) -> None:
    house.till.attach(house.till.all("customer")[0], house.till.card(FAILS_LATER, 12, 2034))
    yearly = price("Patrons", Cadence.YEAR)
    told, _ = plans.preview(house.account, house.stripe, bought, yearly)

    with pytest.raises(TurnedDown, match="declined"):
        plans.switch(house.account, house.stripe, bought, yearly, told)

    db.session.rollback()
    assert nothing_differs(house)
    assert (held().cadence, held().state) == (Cadence.MONTH, MembershipState.ACTIVE)


def test_only_prices_in_the_plans_own_currency_and_on_offer_can_be_chosen(house: House, bought: Membership) -> None:
    chosen = [(each.tier.name, each.cadence, each.currency) for each in plans.choices(bought)]
    assert chosen == [("Patrons", Cadence.YEAR, "EUR"), ("Friends", Cadence.MONTH, "EUR")]

    foreign = next(p for t in Tier.in_order() for p in t.prices if p.currency == "USD")
    with pytest.raises(NotPossible):
        plans.preview(house.account, house.stripe, bought, foreign)


def test_a_pause_begins_at_the_end_of_what_is_paid_and_ends_by_itself(
    house: House, bought: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid_until = bought.paid_until
    assert paid_until

    plans.pause(house.account, house.stripe, bought, 2)
    plans.pause(house.account, house.stripe, held(), 2)
    db.session.commit()

    assert held().state is MembershipState.PAUSED
    assert (held().ends_at, held().paused_until) == (paid_until, paid_until + timedelta(days=60))
    assert held().trial_ends_at is None
    later(house, monkeypatch, 50)
    assert paid() == 500
    assert nothing_differs(house)
    later(house, monkeypatch, 42)
    assert held().state is MembershipState.ACTIVE
    assert paid() == 1000
    assert changes() == [ChangeKind.NEW, ChangeKind.PAUSED, ChangeKind.RESUMED]


def test_whoever_goes_on_while_it_is_still_paid_pays_at_its_end(house: House, bought: Membership) -> None:
    paid_until = bought.paid_until
    plans.pause(house.account, house.stripe, bought, 3)
    plans.resume(house.account, house.stripe, held())
    db.session.commit()

    assert (held().state, held().paid_until) == (MembershipState.ACTIVE, paid_until)
    assert nothing_differs(house)
    house.days_pass(32)
    house.deliver()
    assert paid() == 1000


def test_whoever_goes_on_in_the_middle_of_a_pause_pays_at_once(
    house: House, bought: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.pause(house.account, house.stripe, bought, 3)
    db.session.commit()
    now = later(house, monkeypatch, 45)

    plans.resume(house.account, house.stripe, held())
    db.session.commit()

    assert nothing_differs(house)
    assert paid() == 1000
    assert held().state is MembershipState.ACTIVE
    assert (held().paid_until or now) > now + timedelta(days=27)


def test_a_pause_that_is_cancelled_gives_nothing_that_was_not_paid(
    house: House, bought: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid_until = bought.paid_until
    plans.pause(house.account, house.stripe, bought, 3)
    plans.cancel(house.account, house.stripe, held())
    db.session.commit()
    assert (held().state, held().ends_at) == (MembershipState.CANCELLED, paid_until)

    plans.take_back(house.account, house.stripe, held())
    db.session.commit()
    assert held().state is MembershipState.PAUSED
    later(house, monkeypatch, 45)
    plans.cancel(house.account, house.stripe, held())
    db.session.commit()

    assert held().state is MembershipState.ENDED
    assert nothing_differs(house)
    assert paid() == 500


def test_what_is_not_possible_says_why(house: House, bought: Membership) -> None:
    yearly = price("Patrons", Cadence.YEAR)
    plans.cancel(house.account, house.stripe, bought)
    db.session.commit()

    with pytest.raises(NotPossible, match="Take that back first"):
        plans.preview(house.account, house.stripe, held(), yearly)
    with pytest.raises(NotPossible, match="Only what is paid"):
        plans.pause(house.account, house.stripe, held(), 1)
    house.days_pass(32)
    house.deliver()
    with pytest.raises(NotPossible, match="has ended"):
        plans.take_back(house.account, house.stripe, held())


def test_the_portal_is_for_who_paid(house: House, bought: Membership) -> None:
    url = plans.portal(house.account, house.stripe, bought)

    assert url.startswith(f"{house.url}/portal/cus_")


def test_a_plan_of_an_account_that_was_left_is_not_touched(house: House, bought: Membership) -> None:
    house.account.reference = "acct_another"
    db.session.flush()

    there = connecting.connect(Publication.current(), KEY)

    with pytest.raises(NotPossible, match="not connected any more"):
        plans.cancel(there, house.stripe, bought)


def test_an_account_that_is_connected_again_is_the_one_it_was(house: House, bought: Membership) -> None:
    account = house.account
    connecting.disconnect(account)
    connecting.connect(Publication.current(), KEY)
    db.session.commit()

    plans.cancel(house.account, house.stripe, held())
    db.session.commit()

    assert house.account.id == account.id
    assert held().state is MembershipState.CANCELLED
    assert sorted(product["name"] for product in house.till.all("product")) == ["Friends", "Patrons"]
    assert nothing_differs(house)
