"""Cards whose bank asks, debits that take days, and discounts in what a switch costs."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from newsletter.billing import dunning, gifts, plans, retaining
from newsletter.billing.models import Gift, Offer, OfferKind, OfferLasts, Payment, Terms
from newsletter.billing.offers import add as add_offer
from newsletter.billing.stripe import TurnedDown
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.subscribers.models import Notice, NoticeKind
from newsletter.tiers.models import Cadence, Membership, MembershipState, Price
from newsletter.up.till.state import ASKED_BY_BANK
from tests.billing.conftest import GOOD, House, serve_pages
from tests.billing.test_plans import held, later, nothing_differs, price

GRACE = "grace@example.com"


def go_to_the_till(house: House, action: str, **form: str) -> str:
    """The page there that takes the payment."""
    answer = house.client.post(action, data=form)
    assert answer.status_code == 303, answer.text
    found = re.search(r"(/checkout/cs_test_\w+)$", answer.location)
    assert found
    return found[1]


def gift(house: House) -> str:
    monthly = db.session.scalars(select(Price).where(Price.cadence == Cadence.MONTH)).one()
    return go_to_the_till(
        house, "/support/gift", what=f"{monthly.id}-3", giver="Grace", email="ada@example.com", message=""
    )


def notices(kind: NoticeKind) -> list[Notice]:
    return list(db.session.scalars(select(Notice).where(Notice.kind == kind)))


def test_a_bank_that_asks_is_answered_at_the_till(house: House) -> None:
    page, till = go_to_the_till(house, f"/support/tiers/{price('Patrons', Cadence.MONTH).id}"), serve_pages(house.till)
    said = {"email": GRACE, "number": ASKED_BY_BANK, "expires": "12/34"}

    assert "Is it you?" in till.post(page, data=said).text
    refused = till.post(page, data={**said, "bank": "no"})
    assert refused.status_code == 402
    assert "did not confirm" in refused.text
    house.deliver()
    assert db.session.scalar(select(func.count(Membership.id))) == 0

    assert till.post(page, data={**said, "bank": "yes"}).status_code == 303
    house.deliver()
    assert held().state is MembershipState.ACTIVE


def test_a_renewal_about_which_the_bank_asks_is_paid_from_the_letter(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, till = go_to_the_till(house, f"/support/tiers/{price('Patrons', Cadence.MONTH).id}"), serve_pages(house.till)
    till.post(page, data={"email": GRACE, "number": ASKED_BY_BANK, "expires": "12/34", "bank": "yes"})
    house.deliver()
    later(house, monkeypatch, 32)
    assert "invoice.payment_action_required" in [event["type"] for event in house.till.all("event")]
    assert held().state is MembershipState.PAST_DUE
    dunning.remind_of_failed_payments(house.account, house.stripe)
    db.session.commit()

    (letter,) = notices(NoticeKind.PAYMENT_FAILED)
    way = "/invoices/" + letter.values["pay_url"].rpartition("/")[2]
    card = {"number": ASKED_BY_BANK, "expires": "12/34"}
    assert "Is it you?" in till.post(way, data=card).text
    assert "Paid. Thank you." in till.post(way, data={**card, "bank": "yes"}).text

    house.deliver()
    assert held().state is MembershipState.ACTIVE
    assert nothing_differs(house)


def test_a_switch_about_which_the_bank_would_ask_changes_nothing_and_says_why(house: House) -> None:
    page, till = go_to_the_till(house, f"/support/tiers/{price('Patrons', Cadence.MONTH).id}"), serve_pages(house.till)
    till.post(page, data={"email": GRACE, "number": ASKED_BY_BANK, "expires": "12/34", "bank": "yes"})
    house.deliver()
    yearly = price("Patrons", Cadence.YEAR)
    told, _ = plans.preview(house.account, house.stripe, held(), yearly)

    with pytest.raises(TurnedDown, match="Your bank wants to ask you"):
        plans.switch(house.account, house.stripe, held(), yearly, told)
    db.session.rollback()

    assert held().cadence is Cadence.MONTH
    assert nothing_differs(house)


def test_a_gift_by_bank_debit_is_mailed_when_the_money_is_there(house: House) -> None:
    way = gift(house)
    serve_pages(house.till).post(way, data={"email": GRACE, "number": GOOD, "expires": "12/34", "way": "debit"})
    house.deliver()
    assert db.session.scalars(select(Gift.paid_at)).all() == [None]
    assert notices(NoticeKind.GIFT) == []

    db.session.execute(update(Gift).values(created_at=Gift.created_at - timedelta(days=4)))
    gifts.forget_unpaid()  # not while the bank has not answered
    db.session.commit()
    house.days_pass(6)
    house.deliver()

    assert len(notices(NoticeKind.GIFT)) == 1
    assert db.session.scalars(select(Payment.amount)).all() == [1500]


def test_a_gift_by_a_debit_that_bounces_is_none(house: House) -> None:
    way = gift(house)
    serve_pages(house.till).post(way, data={"email": GRACE, "number": GOOD, "expires": "12/34", "way": "bounces"})
    house.days_pass(6)
    house.deliver()

    assert db.session.scalars(select(Gift.paid_at)).all() == [None]
    assert notices(NoticeKind.GIFT) == []
    assert db.session.scalar(select(func.count(Payment.id))) == 0


@pytest.mark.parametrize(("lasts", "now", "then"), [(OfferLasts.FOREVER, 2000, 2500), (OfferLasts.ONCE, 2000, 5000)])
def test_a_switch_costs_what_was_told_with_what_an_offer_takes_off(
    house: House, lasts: OfferLasts, now: int, then: int
) -> None:
    spring = Offer(publication_id=Publication.current().id, name="Spring", code="spring", kind=OfferKind.PERCENT)
    spring.percent, spring.lasts, spring.is_for_new = 50, lasts, False
    db.session.get_one(Terms, Publication.current().id).retention_offer_id = add_offer(spring).id
    db.session.commit()
    house.buy(GRACE)
    house.deliver()
    retaining.accept(house.account, house.stripe, held())
    db.session.commit()
    yearly = price("Patrons", Cadence.YEAR)

    told, difference = plans.preview(house.account, house.stripe, held(), yearly)
    plans.switch(house.account, house.stripe, held(), yearly, told)
    db.session.commit()
    house.deliver()

    assert now <= told.due_now <= now + 10  # a few seconds of the month are over
    assert difference.next_amount == then
    assert [each["amount_paid"] for each in house.till.all("invoice")] == [told.due_now, 500]
    house.days_pass(367)
    assert house.till.all("invoice")[0]["amount_paid"] == then


def test_what_is_left_over_from_earlier_is_taken_off_what_is_told(house: House) -> None:
    house.buy(GRACE)
    house.deliver()
    house.till.things[house.stripe.subscription(held().reference or "").customer]["balance"] = -1000
    yearly = price("Patrons", Cadence.YEAR)

    told, _ = plans.preview(house.account, house.stripe, held(), yearly)
    plans.switch(house.account, house.stripe, held(), yearly, told)
    db.session.commit()

    assert 3500 <= told.due_now <= 3510
    assert house.till.all("invoice")[0]["amount_paid"] == told.due_now
