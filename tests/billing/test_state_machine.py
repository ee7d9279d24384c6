"""Any order, repetition and loss of events, whatever payers, the author and their banks do meanwhile, and the clock
moving on: after a comparison we hold what the provider holds, and the books have every payment once.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from newsletter import clock
from newsletter.billing import figures, plans, reconciling, terms
from newsletter.billing import stripe as provider
from newsletter.billing.models import MembershipChange, Payment, PaymentEvent
from newsletter.billing.stripe import ProviderAway
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.jobs import Job
from newsletter.publication.models import Publication
from newsletter.subscribers import erasure
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import life
from newsletter.tiers.models import Cadence, Membership, MembershipState, Price
from newsletter.up.till.state import Thing
from tests.billing.conftest import FAILS_LATER, GOOD, House
from tests.conftest import _empty_tables
from worker import tasks

LONG = os.environ.get("FAULTS") == "long"
EXAMPLES, STEPS = (300, 60) if LONG else (15, 25)
EMAILS = ("ada@example.com", "grace@example.com", "ken@example.com")
who = st.sampled_from(EMAILS)


class Money(RuleBasedStateMachine):
    """Three readers, one author, and a provider whose calls get lost."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        db.session.rollback()
        _empty_tables()
        self.house.open()
        self.calls: list[Thing] = []  # rung, and not heard yet
        self.erased: set[str] = set()

    def teardown(self) -> None:
        try:
            self.end()
        finally:
            db.session.rollback()
            super().teardown()

    # What payers do

    @rule(email=who, cadence=st.sampled_from(Cadence), trial=st.sampled_from((0, 0, 7)))
    def buy(self, email: str, cadence: Cadence, trial: int) -> None:
        """As at the checkout, whoever they are: also twice, and with the address of somebody who was erased."""
        till = self.house.till
        customer = next((c for c in till.all("customer") if c["email"] == email and not c.get("deleted")), None)
        if customer is None:
            customer = till.customer(email=email)
            till.attach(customer, till.card(GOOD, 12, 2034))
        prices = [p for p in till.all("price") if (p["recurring"] or {}).get("interval") == cadence.value]
        till.subscribe(customer, prices[0], 1, trial, {"newsletter": "1"})

    @precondition(lambda self: self.house.till.all("customer"))
    @rule(data=st.data(), number=st.sampled_from((GOOD, FAILS_LATER)))
    def put_in_a_card(self, data: st.DataObject, number: str) -> None:
        customer = data.draw(st.sampled_from(self.house.till.all("customer")))
        self.house.till.attach(customer, self.house.till.card(number, 12, 2034))

    @precondition(lambda self: self._open_invoices())
    @rule(data=st.data())
    def pay_an_open_invoice(self, data: st.DataObject) -> None:
        self.house.till.pay(data.draw(st.sampled_from(self._open_invoices())))

    @precondition(lambda self: self._held())
    @rule(data=st.data(), months=st.integers(1, 3))
    def use_the_account(self, data: st.DataObject, months: int) -> None:
        membership = data.draw(st.sampled_from(self._held()))
        yearly = db.session.scalars(select(Price).where(Price.cadence == Cadence.YEAR)).one()
        account, stripe = self.house.account, self.house.stripe

        def switch() -> None:
            told, _ = plans.preview(account, stripe, membership, yearly)
            plans.switch(account, stripe, membership, yearly, told)

        acts: list[Callable[[], Any]] = [
            lambda: plans.cancel(account, stripe, membership, "a reason"),
            lambda: plans.take_back(account, stripe, membership),
            lambda: plans.pause(account, stripe, membership, months),
            lambda: plans.resume(account, stripe, membership),
            switch,
        ]
        try:
            acts[data.draw(st.integers(0, len(acts) - 1))]()
            db.session.commit()
        except NewsletterError:
            db.session.rollback()  # it said why not

    @rule(email=who)
    def be_forgotten(self, email: str) -> None:
        reader = Subscriber.by_key(email)
        if reader:
            erasure.forget(reader)
            db.session.commit()
            self.erased.add(email)

    # What the provider, the bank and the author do

    @precondition(lambda self: self.house.till.all("subscription"))
    @rule(data=st.data())
    def end_it_there_by_hand(self, data: st.DataObject) -> None:
        sub = data.draw(st.sampled_from(self.house.till.all("subscription")))
        if sub["status"] != "canceled":
            self.house.till.end(sub, "cancellation_requested")

    @rule(words=st.sampled_from(("canceled", "unpaid")))
    def decide_what_becomes_of_failed_payments(self, words: str) -> None:
        self.house.till.gives_up_with = words

    @rule()
    def take_a_break_or_go_on(self) -> None:
        agreed = terms.of(Publication.current().id)
        agreed.paused_at = None if agreed.paused_at else clock.now()
        db.session.commit()

    @rule(days=st.sampled_from((1, 4, 15, 31, 366)))
    def days_pass(self, days: int) -> None:
        self.house.days_pass(days)

    # What happens on the way

    @rule(data=st.data())
    def calls_come(self, data: st.DataObject) -> None:
        """Some of those on their way, in any order; some are lost, some come twice."""
        self._listen()
        for event in data.draw(st.permutations(self.calls)) if len(self.calls) < 12 else self.calls[:12]:
            fate = data.draw(st.sampled_from(("once", "once", "twice", "lost", "later")))
            if fate == "later":
                continue
            self.calls.remove(event)
            for _ in range({"once": 1, "twice": 2, "lost": 0}[fate]):
                assert self.house.ring(event) == 200

    @rule(failing=st.sampled_from((0, 0, 0, 2, 9)))
    def look_into_them(self, failing: int) -> None:
        """The provider may be away meanwhile."""
        self.house.till.failing = [500] * failing
        tasks.run(Job.TAKE_PAYMENT_EVENTS)
        self.house.till.failing = []

    @rule()
    def make_the_hourly_round(self) -> None:
        tasks.run(Job.KEEP_MEMBERSHIPS)

    @rule(failing=st.sampled_from((0, 0, 5)))
    def compare(self, failing: int) -> None:
        self.house.till.failing = [500] * failing
        try:
            reconciling.reconcile(self.house.account, self.house.stripe)
        except ProviderAway:
            db.session.rollback()
        self.house.till.failing = []

    # What is always true

    @invariant()
    def the_figures_add_up(self) -> None:
        months = figures.by_month("EUR", Publication.current().zone)
        told = figures.now("EUR", months)
        assert (months[-1].mrr if months else 0, months[-1].members if months else 0) == (told.mrr, told.members)

    @invariant()
    def no_payment_is_in_the_books_twice(self) -> None:
        references = list(db.session.scalars(select(Payment.reference)))
        assert len(references) == len(set(references))

    def end(self) -> None:
        """Whatever happened: the night comes, and the provider answers."""
        for _ in range(2):  # what a comparison changes there rings, and is heard
            tasks.run(Job.KEEP_MEMBERSHIPS)
            reconciling.reconcile(self.house.account, self.house.stripe)
        assert reconciling.reconcile(self.house.account, self.house.stripe).differences == []
        db.session.expire_all()
        there = {each.reference: each for each in self.house.stripe.subscriptions()}
        grace = terms.grace(Publication.current().id)
        for membership in db.session.scalars(select(Membership)).unique():
            held = there.pop(membership.reference or "").held
            assert membership.state is (life.state(held) or MembershipState.ENDED)
            assert membership.ends_at == life.holds_until(held, grace)
            assert membership.paid_until == held.paid_until
        for left in there.values():  # of who was erased, or began and never paid
            assert left.held.status in {"canceled", "incomplete", "incomplete_expired"}
        paid = [i["id"] for i in self.house.till.all("invoice") if i["status"] == "paid" and self._is_ours(i)]
        assert set(paid) <= set(db.session.scalars(select(Payment.reference)))
        assert not db.session.scalar(select(func.count(PaymentEvent.reference)).where(PaymentEvent.tries > 50))
        assert db.session.scalar(select(func.count(MembershipChange.id))) is not None

    # For the rules

    def _listen(self) -> None:
        self.calls += [event for event in self.house.rung if event["type"] in provider.EVENTS]
        self.house.rung.clear()

    def _held(self) -> list[Membership]:
        return list(db.session.scalars(select(Membership).order_by(Membership.id)).unique())

    def _open_invoices(self) -> list[Thing]:
        return [invoice for invoice in self.house.till.all("invoice") if invoice["status"] == "open"]

    def _is_ours(self, invoice: Thing) -> bool:
        """Of a membership that is still known here; and recent enough for the nightly look."""
        sub = invoice["parent"]["subscription_details"]["subscription"]
        is_recent = invoice["created"] > clock.now().timestamp() - reconciling.LOOKS_BACK.total_seconds()
        return is_recent and Membership.by_reference(sub) is not None


@pytest.mark.slow
def test_whatever_happens_we_hold_in_the_end_what_the_provider_holds(house: House) -> None:
    class Here(Money):
        pass

    Here.house = house
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink] if LONG else [Phase.generate],
        ),
    )
