"""What the provider refuses about one reader keeps nobody else waiting, and no number of readers is too many."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from newsletter import clock
from newsletter.billing import adopting, dunning, reconciling, repricing, rounds
from newsletter.billing.books import LOST
from newsletter.billing.models import Account, Customer, Payment
from newsletter.billing.stripe import ProviderAway, Stripe, TurnedDown
from newsletter.billing.values import Paid, Subscribed
from newsletter.db import db
from newsletter.subscribers import erasure
from newsletter.subscribers.models import Notice, NoticeKind, Subscriber
from newsletter.tiers.models import Membership, MembershipState
from tests.billing.conftest import FAILS_LATER, GOOD, KEY, House
from tests.billing.test_adopting import elsewhere, payer
from tests.billing.test_plans import later
from tests.billing.test_repricing import announce, dearer, letters_leave

GRACE, EMMY = "grace@example.com", "emmy@example.com"


class Choosy(Stripe):
    """Refuses whatever is about one subscription."""

    def __init__(self, refused: str, error: type[Exception] = TurnedDown) -> None:
        super().__init__(KEY)
        self._refused, self._error = refused, error
        self.asked: list[str] = []  # invoices

    def change(self, reference: str, said: Mapping[str, Any], once: str = "") -> Subscribed:
        self._look(reference)
        return super().change(reference, said, once)

    def subscription(self, reference: str) -> Subscribed:
        self._look(reference)
        return super().subscription(reference)

    def drop_customer(self, reference: str) -> None:
        self._look(reference)
        super().drop_customer(reference)

    def invoice(self, reference: str) -> tuple[str, Paid, int]:
        self.asked.append(reference)
        self._look(reference)
        return super().invoice(reference)

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


def in_the_books() -> set[str]:
    return set(db.session.scalars(select(Payment.reference)))


def test_one_refusal_keeps_no_other_payment_out_of_the_books(house: House) -> None:
    for address in (GRACE, EMMY):
        house.buy(address)
    house.rung.clear()  # every call is lost
    refused, other = (invoice["id"] for invoice in house.till.all("invoice"))

    run = reconciling.reconcile(house.account, Choosy(refused))

    assert run.ended_at
    assert in_the_books() == {other}
    assert [each["is"] for each in run.differences][2:] == ["entered"]
    reconciling.reconcile(house.account, house.stripe)
    assert in_the_books() == {refused, other}


def test_nothing_is_asked_about_invoices_of_other_business(house: House) -> None:
    payer(house, EMMY, elsewhere(house))
    house.buy(GRACE)
    house.rung.clear()  # every call is lost
    watched = Choosy("")

    reconciling.reconcile(house.account, watched)

    ours, _ = house.till.all("invoice")
    assert watched.asked == [ours["id"]]
    assert in_the_books() == {ours["id"]}


def test_what_was_met_elsewhere_is_known_though_a_payment_could_not_be_asked_for(house: House) -> None:
    price = elsewhere(house)
    payer(house, EMMY, price)
    house.buy(GRACE)
    house.rung.clear()  # every call is lost

    with pytest.raises(ProviderAway):
        reconciling.reconcile(house.account, Choosy(house.till.all("invoice")[0]["id"], ProviderAway))
    db.session.rollback()

    assert [each.reference for each in adopting.found(house.account)] == [price["id"]]


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


def forgotten(house: House, *addresses: str) -> None:
    """Readers who pay, and are erased then."""
    for address in addresses:
        house.buy(address)
    house.deliver()
    for address in addresses:
        erasure.forget(Subscriber.by_key(address) or pytest.fail(address))
    db.session.commit()


def charged(house: House) -> list[str]:
    """The customers there who are still charged."""
    return [sub["customer"] for sub in house.till.all("subscription") if sub["status"] != "canceled"]


def test_one_refusal_keeps_no_other_erased_reader_paying(house: House) -> None:
    forgotten(house, GRACE, EMMY)
    refused = db.session.scalars(select(Customer.reference).order_by(Customer.id)).first() or ""
    house.buy("ada@example.com")
    house.deliver()
    db.session.scalars(select(Payment).where(Payment.membership_id.is_not(None))).one().dispute = LOST
    db.session.commit()

    dunning.stop_where_nothing_may_be_charged(house.account, Choosy(refused))
    db.session.commit()

    assert charged(house) == [refused]
    dunning.stop_where_nothing_may_be_charged(house.account, house.stripe)
    assert charged(house) == []


def test_who_was_erased_before_the_provider_went_away_is_done_with(house: House) -> None:
    forgotten(house, GRACE, EMMY)
    references = db.session.scalars(select(Customer.reference).order_by(Customer.id)).all()

    with pytest.raises(ProviderAway):
        dunning.stop_where_nothing_may_be_charged(house.account, Choosy(references[1], ProviderAway))
    db.session.rollback()

    still_there = db.session.scalars(select(Customer.reference).where(Customer.deleted_at.is_(None))).all()
    assert still_there == [references[1]]


def test_erased_readers_of_an_account_that_is_disconnected_keep_nobody_paying(house: House) -> None:
    before = Account(publication_id=house.account.publication_id, reference="acct_before", is_live=False)
    before.sealed_key = before.sealed_hook_secret = b""
    before.disconnected_at = clock.now()
    db.session.add(before)
    db.session.flush()
    db.session.add_all(
        Customer(account_id=before.id, reference=f"cus_{number}", closing_since=clock.now()) for number in range(101)
    )
    forgotten(house, GRACE)

    dunning.stop_where_nothing_may_be_charged(house.account, house.stripe)

    assert charged(house) == []


def test_who_has_paid_gets_no_letter_though_the_event_of_it_was_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewals_fail(house, monkeypatch, GRACE, EMMY)
    (grace,) = (each for each in house.till.all("customer") if each["email"] == GRACE)
    house.till.attach(grace, house.till.card(GOOD, 12, 2034))
    (open_,) = (
        each for each in house.till.all("invoice") if (each["customer"], each["status"]) == (grace["id"], "open")
    )
    assert house.till.pay(open_)
    house.rung.clear()

    for _ in range(2):
        dunning.remind_of_failed_payments(house.account, house.stripe)
        db.session.commit()

    assert told(NoticeKind.PAYMENT_FAILED) == [EMMY]
    states = select(Subscriber.email, Membership.state).join(Membership, Membership.subscriber_id == Subscriber.id)
    assert sorted((str(email), state) for email, state in db.session.execute(states)) == [
        (EMMY, MembershipState.PAST_DUE),
        (GRACE, MembershipState.ACTIVE),
    ]


def test_what_was_given_up_there_ends_here_and_asks_for_no_payment(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewals_fail(house, monkeypatch, GRACE)
    house.stripe.end(first())
    house.rung.clear()

    dunning.remind_of_failed_payments(house.account, house.stripe)

    assert told(NoticeKind.PAYMENT_FAILED) == []
    assert db.session.scalars(select(Membership)).one().state is MembershipState.ENDED


def test_letters_about_failed_payments_are_kept_though_the_provider_goes_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewals_fail(house, monkeypatch, GRACE, EMMY)
    last = db.session.scalars(select(Membership.reference).order_by(Membership.id.desc())).first() or ""

    with pytest.raises(ProviderAway):
        dunning.remind_of_failed_payments(house.account, Choosy(last, ProviderAway))
    db.session.rollback()

    assert len(told(NoticeKind.PAYMENT_FAILED)) == 1
