"""What the provider refuses about one reader keeps nobody else waiting, and no number of readers is too many."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from newsletter.billing import dunning, reconciling, repricing, rounds
from newsletter.billing.models import Account
from newsletter.billing.stripe import ProviderAway, Stripe, TurnedDown
from newsletter.billing.values import Subscribed
from newsletter.db import db
from newsletter.subscribers.models import Notice, NoticeKind
from newsletter.tiers.models import Membership
from tests.billing.conftest import FAILS_LATER, KEY, House
from tests.billing.test_plans import later
from tests.billing.test_repricing import announce, dearer, letters_leave

GRACE, EMMY = "grace@example.com", "emmy@example.com"


class Choosy(Stripe):
    """Refuses whatever is about one subscription."""

    def __init__(self, refused: str, error: type[Exception] = TurnedDown) -> None:
        super().__init__(KEY)
        self._refused, self._error = refused, error

    def change(self, reference: str, said: Mapping[str, Any], once: str = "") -> Subscribed:
        self._look(reference)
        return super().change(reference, said, once)

    def subscription(self, reference: str) -> Subscribed:
        self._look(reference)
        return super().subscription(reference)

    def _look(self, reference: str) -> None:
        if reference == self._refused:
            raise self._error("No.") if self._error is TurnedDown else self._error()


def first() -> str:
    return db.session.scalars(select(Membership.reference).order_by(Membership.id)).first() or ""


def renewals_fail(house: House, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    for address in addresses:
        house.buy(address)
    for customer in house.till.all("customer"):
        house.till.attach(customer, house.till.card(FAILS_LATER, 12, 2034))
    house.deliver()
    later(house, monkeypatch, 32)


def told(kind: NoticeKind) -> list[str]:
    return list(db.session.scalars(select(Notice.address).where(Notice.kind == kind).order_by(Notice.id)))


def test_one_refusal_keeps_nobody_from_their_letter_about_a_failed_payment(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewals_fail(house, monkeypatch, GRACE, EMMY)

    dunning.remind_of_failed_payments(house.account, Choosy(first()))
    db.session.commit()
    assert told(NoticeKind.PAYMENT_FAILED) == [EMMY]

    dunning.remind_of_failed_payments(house.account, house.stripe)
    db.session.commit()
    assert sorted(told(NoticeKind.PAYMENT_FAILED)) == [EMMY, GRACE]


def test_one_refusal_keeps_nobody_from_a_new_price(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (GRACE, EMMY):
        house.buy(address)
    house.deliver()
    announce(house, dearer())
    refused = first()
    for _ in range(60):
        later(house, monkeypatch, 1)
        repricing.carry_out(house.account, Choosy(refused))
        letters_leave()

    amounts = {each.reference: each.amount for each in db.session.scalars(select(Membership)).unique()}
    assert amounts.pop(refused) == 500
    assert list(amounts.values()) == [600]


def test_one_refusal_keeps_the_nightly_comparison_going(house: House) -> None:
    for address in (GRACE, EMMY):
        house.buy(address)
    house.rung.clear()  # every call is lost
    subs = house.till.all("subscription")

    reconciling.reconcile(house.account, Choosy(subs[0]["id"]))

    assert db.session.scalars(select(Membership.reference)).all() == [subs[1]["id"]]


def test_whoever_is_away_stops_the_round_and_the_desk_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.rung.clear()
    away = Choosy(house.till.all("subscription")[0]["id"], ProviderAway)
    monkeypatch.setattr(rounds, "connected", lambda: (house.account, away))

    rounds.reconcile()

    assert "cannot be reached" in db.session.scalars(select(Account.trouble)).one()


def test_a_failed_payment_that_was_voided_stops_no_round(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    renewals_fail(house, monkeypatch, GRACE)
    db.session.scalars(select(Membership)).one().failing_since = None
    db.session.commit()

    dunning.remind_of_failed_payments(house.account, house.stripe)

    assert told(NoticeKind.PAYMENT_FAILED) == []
