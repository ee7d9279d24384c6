"""The life of a paid membership, from the button on our page to its end, at a till that keeps state."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from newsletter import clock, links
from newsletter.billing import dunning, reconciling, terms
from newsletter.billing.models import ChangeKind, Customer, MembershipChange, Payment, PaymentEvent
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.links import Purpose
from newsletter.publication.models import Publication
from newsletter.subscribers import codes, erasure, moving, signup
from newsletter.subscribers.models import Notice, NoticeKind, Subscriber
from newsletter.tiers import access
from newsletter.tiers.models import Cadence, Membership, MembershipState
from newsletter.up.till.state import DAY
from tests import factories
from tests.billing.conftest import DECLINED, FAILS_LATER, House, serve_pages
from tests.doubles import Outbox
from worker import tasks


def held() -> Membership:
    db.session.expire_all()
    return db.session.scalars(select(Membership)).one()


def changes() -> list[ChangeKind]:
    return list(db.session.scalars(select(MembershipChange.kind).order_by(MembershipChange.id)))


def subjects(outbox: Outbox) -> list[str]:
    tasks.run(Job.SEND_NOTICES)
    return [str(message["Subject"]) for message in (outbox[at] for at in range(len(outbox)))]


def test_a_stranger_buys_a_tier_and_is_asked_to_confirm_before_any_letter(house: House, outbox: Outbox) -> None:
    house.buy("grace@example.com")
    house.deliver()

    grace = Subscriber.by_key("grace@example.com") or pytest.fail("nobody")
    assert held().state is MembershipState.ACTIVE
    assert held().amount == 500
    assert db.session.scalar(select(access.is_paying(Subscriber.id)).where(Subscriber.id == grace.id))
    assert grace.confirmed_at is None
    assert grace.newsletters == []
    payment = db.session.scalars(select(Payment)).one()
    assert (payment.amount, payment.fee, payment.country) == (500, 33, "DE")
    told = subjects(outbox)
    assert "You hold Patrons" in told
    assert "Your receipt: €5.00" in told
    assert len(told) == 3  # and the question whether this is their address


def test_a_card_that_is_declined_holds_nothing(house: House) -> None:
    assert house.buy("grace@example.com", card=DECLINED) == 402
    house.deliver()

    assert db.session.scalar(select(func.count(Membership.id))) == 0
    assert db.session.scalar(select(func.count(Payment.id))) == 0


def test_a_reader_who_is_known_holds_it_under_the_same_name(house: House) -> None:
    ada = factories.subscriber("ada@example.com")
    db.session.commit()

    house.buy("Ada@Example.com")
    house.deliver()

    assert held().subscriber_id == ada.id


def test_months_go_by_and_each_is_paid_once(house: House) -> None:
    house.buy("grace@example.com")
    house.deliver()
    house.days_pass(70)
    house.deliver()

    assert db.session.scalar(select(func.count(Payment.id))) == 3
    assert (held().paid_until or clock.now()) > clock.now() + timedelta(days=70)
    assert changes() == [ChangeKind.NEW]


def test_time_can_pass_for_one_payer_alone(house: House) -> None:
    house.buy("grace@example.com")
    house.buy("ada@example.com")
    ada, grace = house.till.all("customer")
    until = house.till.until_next(ada)

    pages = serve_pages(house.till)
    pages.post(f"/portal/{grace['id']}", data={"number": FAILS_LATER})
    pages.post(f"/portal/{grace['id']}/days")  # on to the next payment
    pages.post(f"/portal/{grace['id']}/days", data={"days": "12"})
    house.deliver()

    graces, adas = db.session.scalars(select(Membership).order_by(Membership.id)).all()
    assert (graces.state, adas.state) == (MembershipState.PAST_DUE, MembershipState.ACTIVE)
    assert clock.now() - (graces.failing_since or clock.now()) == pytest.approx(
        timedelta(days=12), abs=timedelta(hours=1)
    )
    assert house.till.all("invoice")[0]["attempt_count"] == 3  # tried again after three days, and five more
    assert house.till.until_next(ada) == pytest.approx(until, abs=60)


@pytest.mark.parametrize("seed", range(4))
def test_events_in_any_order_twice_and_with_losses_end_where_the_provider_is(house: House, seed: int) -> None:
    chance = random.Random(seed)

    def mangled(events: list[dict[str, object]]) -> list[dict[str, object]]:
        kept = [event for event in events if chance.random() > 0.3]
        kept += [event for event in kept if chance.random() > 0.5]
        chance.shuffle(kept)
        return kept

    house.buy("grace@example.com")
    if seed % 2:
        house.till.attach(house.till.all("customer")[0], house.till.card(FAILS_LATER, 12, 2034))
    house.deliver(mangled)
    for _ in range(3):
        house.days_pass(chance.choice((2, 15, 31)))
        house.deliver(mangled)
    reconciling.reconcile(house.account, house.stripe)

    there = next(house.stripe.subscriptions())
    here = held()
    assert (here.state is MembershipState.ENDED) == (there.held.status == "canceled")
    assert here.paid_until == there.held.paid_until
    assert here.ended_at == there.held.ended_at
    paid = [invoice for invoice in house.till.all("invoice") if invoice["status"] == "paid"]
    assert db.session.scalar(select(func.count(Payment.id))) == len(paid)
    again = reconciling.reconcile(house.account, house.stripe)
    assert again.differences == []


def test_a_failed_card_gets_three_letters_then_access_ends_and_comes_back_when_paid(
    house: House, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.till.gives_up_with = "unpaid"
    customer = house.till.customer(email="grace@example.com")
    house.till.attach(customer, house.till.card(FAILS_LATER, 12, 2034))
    sub = house.till.subscribe(customer, house.till.all("price")[-1], 1, 3, {"newsletter": "1"})
    house.deliver()
    house.days_pass(3.01)
    house.deliver()
    assert held().state is MembershipState.PAST_DUE
    grace = terms.grace(Publication.current().id)
    assert held().ends_at == (held().failing_since or clock.now()) + grace

    for days in (0, 5, 11):
        moment = (held().failing_since or clock.now()) + timedelta(days=days, minutes=5)
        with monkeypatch.context() as patched:
            patched.setattr(clock, "now", lambda moment=moment: moment)
            for _ in range(2):  # a round made twice tells nobody twice
                dunning.remind_of_failed_payments(house.account, house.stripe)
                db.session.commit()
    told = subjects(outbox)
    assert told.count("Your payment did not go through") == 2
    assert told.count("Last reminder: your payment did not go through") == 1

    house.days_pass(20)
    house.deliver()
    assert held().state is MembershipState.UNPAID
    invoice = house.till.things[sub["latest_invoice"]]
    house.till.attach(customer, house.till.card("4242424242424242", 12, 2034))
    assert house.till.pay(invoice)
    house.deliver()
    assert held().state is MembershipState.ACTIVE
    assert changes()[-3:] == [ChangeKind.FAILING, ChangeKind.ADJUSTED, ChangeKind.RECOVERED]


def test_who_is_given_up_does_not_read_on_because_the_months_go_by(house: House) -> None:
    house.till.gives_up_with = "unpaid"
    house.buy("grace@example.com")
    house.till.attach(house.till.all("customer")[0], house.till.card(FAILS_LATER, 12, 2034))
    house.days_pass(33)
    house.deliver()
    began = held().failing_since
    assert began
    for _ in range(4):
        house.days_pass(31)
        house.deliver()
        reconciling.reconcile(house.account, house.stripe)

    assert held().state is MembershipState.UNPAID
    assert house.till.all("invoice")[0]["status"] == "draft"
    assert (held().failing_since, held().ends_at) == (began, began + terms.grace(Publication.current().id))
    assert reconciling.reconcile(house.account, house.stripe).differences == []


def test_a_trial_is_announced_before_it_ends_and_then_paid(house: House, outbox: Outbox) -> None:
    house.buy("grace@example.com")
    house.till.subscribe(
        house.till.customer(email="ada@example.com"), house.till.all("price")[0], 1, 2, {"newsletter": "1"}
    )
    house.deliver()
    ada = db.session.scalars(select(Membership).where(Membership.state == MembershipState.TRIALING)).one()
    assert ada.ends_at == (ada.trial_ends_at or clock.now()) + timedelta(days=2)

    dunning.remind()
    dunning.remind()

    assert len([subject for subject in subjects(outbox) if subject.startswith("Your trial")]) == 1


def test_cancelled_runs_to_the_end_of_what_is_paid_and_no_further(house: House, outbox: Outbox) -> None:
    house.buy("grace@example.com")
    house.deliver()
    reference = held().reference or ""
    house.stripe.change(reference, {"cancel_at_period_end": True, "cancellation_details": {"comment": "Too dear"}})
    house.deliver()

    assert held().state is MembershipState.CANCELLED
    assert held().ends_at == held().paid_until
    assert held().cancel_reason == "Too dear"

    house.stripe.change(reference, {"cancel_at_period_end": False})
    house.deliver()
    assert held().state is MembershipState.ACTIVE

    house.stripe.change(reference, {"cancel_at_period_end": True})
    house.days_pass(32)
    house.deliver()
    assert held().state is MembershipState.ENDED
    assert changes() == [ChangeKind.NEW, ChangeKind.CANCELLED, ChangeKind.KEPT, ChangeKind.ENDED]
    assert "Patrons has ended" in subjects(outbox)


def test_a_change_to_the_yearly_price_is_counted_as_one(house: House) -> None:
    house.buy("grace@example.com")
    house.deliver()
    yearly = next(price for price in house.till.all("price") if price["recurring"]["interval"] == "year")
    there = house.stripe.subscription(held().reference or "")

    house.stripe.change(
        there.reference,
        {"items": [{"id": there.item, "price": yearly["id"]}], "proration_behavior": "always_invoice"},
    )
    house.deliver()

    assert held().cadence is Cadence.YEAR
    assert changes() == [ChangeKind.NEW, ChangeKind.UPGRADED]
    last = db.session.scalars(select(MembershipChange).order_by(MembershipChange.id.desc())).first()
    assert last
    assert (last.monthly_before, last.monthly_after) == (500_000, 416_666)


def test_whoever_is_erased_is_charged_no_more_and_the_books_stay(house: House) -> None:
    house.buy("grace@example.com")
    house.deliver()
    erasure.forget(Subscriber.by_key("grace@example.com") or pytest.fail("nobody"))
    db.session.commit()
    tasks.run(Job.KEEP_MEMBERSHIPS)
    house.deliver()

    assert [sub["status"] for sub in house.till.all("subscription")] == ["canceled"]
    assert db.session.scalar(select(func.count(Payment.id))) == 1
    assert db.session.scalar(select(func.count(Membership.id))) == 0
    assert db.session.scalars(select(Customer)).one().subscriber_id is None


def test_what_the_provider_lost_ends_and_is_reported(house: House) -> None:
    house.buy("grace@example.com")
    house.deliver()
    del house.till.things[held().reference or ""]

    found = reconciling.reconcile(house.account, house.stripe)

    assert held().state is MembershipState.ENDED
    assert [difference["is"] for difference in found.differences] == ["not there"]


def test_nothing_is_lost_while_the_provider_is_away(house: House) -> None:
    house.buy("grace@example.com")
    house.till.failing = [500] * 60
    house.deliver()
    waiting = db.session.scalar(select(func.count()).where(PaymentEvent.taken_at.is_(None)))
    assert waiting
    assert db.session.scalar(select(func.count(Membership.id))) == 0

    house.till.failing = []
    for event in db.session.scalars(select(PaymentEvent)):
        event.next_try_at = clock.now() - timedelta(seconds=1)
    db.session.commit()
    tasks.run(Job.TAKE_PAYMENT_EVENTS)

    assert held().state is MembershipState.ACTIVE
    assert db.session.scalar(select(func.count()).where(PaymentEvent.taken_at.is_(None))) == 0


def test_access_does_not_go_on_for_ever_when_nothing_is_heard_any_more(house: House) -> None:
    house.buy("grace@example.com")
    house.deliver()

    ends_at, paid_until = held().ends_at, held().paid_until
    assert ends_at
    assert paid_until
    assert timedelta(0) < ends_at - paid_until <= timedelta(seconds=3 * DAY)


def test_while_the_publication_takes_a_break_nobody_is_charged_and_nobody_is_locked_out(house: House) -> None:
    house.buy("grace@example.com")
    house.deliver()
    terms.of(Publication.current().id).paused_at = clock.now()
    db.session.commit()
    reconciling.reconcile(house.account, house.stripe)
    house.days_pass(70)
    house.deliver()

    assert db.session.scalar(select(func.count(Payment.id))) == 1
    assert held().state is MembershipState.ACTIVE
    assert house.client.post("/support/tiers/1").status_code == 410

    terms.of(Publication.current().id).paused_at = None
    db.session.commit()
    reconciling.reconcile(house.account, house.stripe)
    house.days_pass(31)
    house.deliver()
    assert db.session.scalar(select(func.count(Payment.id))) == 2


def test_a_payer_who_moves_to_an_address_they_paid_with_keeps_what_they_pay_for(house: House) -> None:
    house.buy("ada@new.example.com")  # and never confirmed it
    house.deliver()
    ada = factories.subscriber("ada@example.com")
    db.session.commit()
    _, digits = codes.make(ada, codes.ADDRESS, email="ada@new.example.com")
    moving.change_address(ada, digits)
    db.session.commit()

    assert held().subscriber_id == ada.id
    house.days_pass(31)
    house.deliver()
    assert held().state is MembershipState.ACTIVE
    assert set(db.session.scalars(select(Payment.subscriber_id))) == {ada.id}


def test_whoever_paid_with_the_address_of_somebody_else_is_charged_no_more_when_that_one_says_no(
    house: House, outbox: Outbox
) -> None:
    house.buy("stranger@example.com")
    house.deliver()
    notice = db.session.scalars(select(Notice).where(Notice.kind == NoticeKind.CONFIRM)).one()
    subjects(outbox)
    db.session.refresh(notice)
    signup.refuse(links.sign(Purpose.REFUSE, notice.subscriber_id or 0, notice.id))
    db.session.commit()
    tasks.run(Job.KEEP_MEMBERSHIPS)

    assert [sub["status"] for sub in house.till.all("subscription")] == ["canceled"]
    assert db.session.scalar(select(func.count(Payment.id))) == 1


def test_what_changes_add_up_to_is_what_memberships_are_worth(house: House) -> None:
    house.till.gives_up_with = "unpaid"
    for email in ("grace@example.com", "ada@example.com", "ken@example.com"):
        house.buy(email, cadence=Cadence.YEAR if email.startswith("ken") else Cadence.MONTH)
    house.deliver()

    def in_sum() -> int:
        return int(
            db.session.scalar(select(func.sum(MembershipChange.monthly_after - MembershipChange.monthly_before))) or 0
        )

    assert in_sum() == 500_000 * 2 + 416_666
    ada = next(each for each in house.till.all("customer") if each["email"] == "ada@example.com")
    house.till.attach(ada, house.till.card(FAILS_LATER, 12, 2034))
    house.days_pass(60)  # her payment fails, and is given up
    house.deliver()
    assert in_sum() == 500_000 + 416_666
    erasure.forget(Subscriber.by_key("grace@example.com") or pytest.fail("nobody"))
    db.session.commit()
    tasks.run(Job.KEEP_MEMBERSHIPS)
    house.deliver()
    assert in_sum() == 416_666
