"""Offers: taken at the checkout, by who cancels, and by who has left; never oversold, never guessed."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter import clock
from newsletter.billing import offers, reconciling, retaining, telling, terms
from newsletter.billing.models import Offer, OfferKind, OfferLasts, Payment, Redemption
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.publication.models import Publication
from newsletter.publication.settings import BadSetting
from newsletter.subscribers.models import Notice, NoticeKind
from newsletter.tiers.models import Cadence, Membership, MembershipState, Price
from tests import factories
from tests.billing.conftest import GOOD, House, serve_pages
from tests.doubles import Outbox, text_of
from tests.public.account_steps import press, sign_in
from worker import tasks

GRACE = "grace@example.com"


def offer(**given: Any) -> Offer:
    half: dict[str, Any] = {
        "name": "Spring",
        "code": "spring",
        "kind": OfferKind.PERCENT,
        "percent": 50,
        "currency": "",
    }
    made = offers.add(Offer(publication_id=Publication.current().id, **{**half, "lasts": OfferLasts.ONCE, **given}))
    db.session.commit()
    return made


def price(cadence: Cadence = Cadence.MONTH) -> Price:
    return db.session.scalars(select(Price).where(Price.cadence == cadence)).one()


def go_to_the_till(client: FlaskClient, code: str = "spring", cadence: Cadence = Cadence.MONTH) -> str:
    """The session there; empty if it was refused."""
    answer = client.post(f"/offers/{code}/{price(cadence).id}")
    found = re.search(r"/checkout/(cs_test_\w+)$", answer.location or "")
    return found[1] if found else ""


def pay(house: House, session: str, email: str = GRACE) -> None:
    serve_pages(house.till).post(f"/checkout/{session}", data={"email": email, "number": GOOD, "expires": "12/34"})
    house.deliver()


def paid() -> list[int]:
    return list(db.session.scalars(select(Payment.amount).order_by(Payment.at, Payment.id)))


def held() -> Membership:
    db.session.expire_all()
    return db.session.scalars(select(Membership)).one()


def months_pass(house: House, number: int) -> None:
    for _ in range(number):
        house.days_pass(31)
        house.deliver()


@pytest.mark.parametrize(
    ("given", "words", "amounts"),
    [
        ({}, "€2.50 for the first month, then €5.00 a month", [250, 500, 500, 500]),
        (
            {"lasts": OfferLasts.MONTHS, "months": 2},
            "€2.50 a month for 2 months, then €5.00 a month",
            [250, 250, 500, 500],
        ),
        ({"lasts": OfferLasts.FOREVER}, "€2.50 a month, for as long as you stay", [250, 250, 250, 250]),
        (
            {"kind": OfferKind.AMOUNT, "amount": 200, "currency": "EUR", "percent": None},
            "€3.00 for the first month, then €5.00 a month",
            [300, 500, 500, 500],
        ),
        (
            {"kind": OfferKind.TRIAL, "days": 40, "percent": None},
            "The first 40 days for nothing, then €5.00 a month",
            [500, 500],
        ),
    ],
)
def test_what_is_said_of_an_offer_is_what_is_paid(
    house: House, given: dict[str, Any], words: str, amounts: list[int]
) -> None:
    offer(**given)

    assert words in house.client.get("/offers/SPRING").text
    pay(house, go_to_the_till(house.client))
    months_pass(house, 3)

    assert [amount for amount in paid() if amount] == amounts
    assert held().amount == (250 if given.get("lasts") is OfferLasts.FOREVER else 500)
    assert reconciling.reconcile(house.account, house.stripe).differences == []


def test_a_reader_is_told_the_next_payment_as_it_will_be(house: House) -> None:
    offer(lasts=OfferLasts.MONTHS, months=3)
    pay(house, go_to_the_till(house.client))

    assert telling.price(held()) == "€2.50 a month (later €5.00)"
    months_pass(house, 3)
    assert telling.price(held()) == "€5.00 a month"


def test_of_the_last_one_only_one_of_two_gets_it_and_who_leaves_gives_it_back(house: House, app: Flask) -> None:
    spring = offer(most=1)
    first = go_to_the_till(house.client)
    assert first
    assert app.test_client().post(f"/offers/spring/{price().id}").status_code == 404
    assert app.test_client().get("/offers/spring").status_code == 404

    session = house.till.things[first]
    session["status"] = "expired"
    house.till.tell("checkout.session.expired", session)
    house.deliver()
    second = go_to_the_till(app.test_client())
    assert second
    pay(house, second)
    assert offers.taken(spring) == 1
    assert app.test_client().get("/offers/spring").status_code == 404


def test_whoever_paid_has_taken_it_even_if_no_call_came(house: House) -> None:
    spring = offer(most=5)
    session = go_to_the_till(house.client)
    serve_pages(house.till).post(f"/checkout/{session}", data={"email": GRACE, "number": GOOD, "expires": "12/34"})
    house.rung.clear()  # all calls are lost
    reconciling.reconcile(house.account, house.stripe)

    assert offers.taken(spring) == 1
    assert db.session.scalars(select(Redemption)).one().membership_id == held().id


def test_an_offer_is_for_what_and_whom_it_says(house: House, outbox: Outbox) -> None:
    offer(cadence=Cadence.YEAR)

    assert "by the month" not in house.client.get("/offers/spring").text
    assert house.client.post(f"/offers/spring/{price(Cadence.MONTH).id}").status_code == 404
    factories.subscriber(GRACE)
    db.session.commit()
    house.buy(GRACE)
    house.deliver()
    house.stripe.end(held().reference or "")
    house.deliver()
    sign_in(house.client, outbox, GRACE)
    assert house.client.post(f"/offers/spring/{price(Cadence.YEAR).id}").status_code == 404  # has paid before


@pytest.mark.parametrize(
    "over", [{"archived_at": clock.now()}, {"ends_at": clock.now() - timedelta(minutes=1)}, {"code": "other"}]
)
def test_nobody_learns_which_codes_there_were(house: House, over: dict[str, Any]) -> None:
    made = offer()
    for name, value in over.items():
        setattr(made, name, value)
    db.session.commit()

    gone, never = house.client.get("/offers/spring"), house.client.get("/offers/nothing")

    assert (gone.status_code, never.status_code) == (404, 404)
    assert gone.text == never.text.replace("nothing", "spring")


def test_codes_cannot_be_tried_out_by_the_thousand(house: House) -> None:
    answers = [house.client.get(f"/offers/try{number}").status_code for number in range(45)]

    assert answers[0] == 404
    assert answers[-1] == 429


def test_a_code_is_typed_at_the_support_page(house: House) -> None:
    assert "Have a code?" not in house.client.get("/support").text
    offer()

    assert "Have a code?" in house.client.get("/support").text
    assert "For less" in house.client.get("/offers?code=+Spring+", follow_redirects=True).text
    assert house.client.get("/offers?code=../desk").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"percent": 0},
        {"percent": 101},
        {"name": " "},
        {"code": "a b"},
        {"code": "x" * 41},
        {"kind": OfferKind.AMOUNT, "amount": None},
        {"kind": OfferKind.AMOUNT, "amount": 5, "currency": "XXX"},
        {"kind": OfferKind.TRIAL, "days": 0},
        {"lasts": OfferLasts.MONTHS, "months": 0},
        {"most": 0},
        {"ends_at": clock.now() - timedelta(days=1)},
    ],
)
def test_what_cannot_be_an_offer_is_refused(house: House, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSetting):
        offer(**wrong)


def test_who_cancels_may_stay_for_less_once(house: House, outbox: Outbox) -> None:
    stay = offer(name="Stay", code="stay", lasts=OfferLasts.MONTHS, months=2, is_for_new=False)
    terms.of(Publication.current().id).retention_offer_id = stay.id
    factories.subscriber(GRACE)
    db.session.commit()
    house.buy(GRACE)
    house.days_pass(1)
    house.deliver()
    sign_in(house.client, outbox, GRACE)
    plan = f"/account/plans/{held().id}"

    page = house.client.get(f"{plan}/cancel").text
    assert "€2.50 a month for 2 months, then €5.00 a month." in page
    assert page.index("Cancel Patrons</button>") < page.index("Stay for that</button>")  # the way out comes first
    assert 'class="big">Stay for that' in page
    assert 'class="big">Cancel Patrons' in page
    assert "Thank you for staying" in press(house.client, f"{plan}/stay", f"{plan}/cancel")
    assert held().state is MembershipState.ACTIVE
    assert "Stay for that" not in house.client.get(f"{plan}/cancel").text
    assert press(house.client, f"{plan}/stay", f"{plan}/cancel").count("no such offer")
    months_pass(house, 3)
    assert paid() == [500, 250, 250, 500]


def test_what_is_taken_off_once_is_off_the_next_payment_of_who_stays(house: House, outbox: Outbox) -> None:
    terms.of(Publication.current().id).retention_offer_id = offer(name="Once", code="once", is_for_new=False).id
    factories.subscriber(GRACE)
    db.session.commit()
    house.buy(GRACE)
    house.deliver()
    sign_in(house.client, outbox, GRACE)

    page = house.client.get(f"/account/plans/{held().id}/cancel").text
    assert "€2.50 for the next month, then €5.00 a month." in page
    plan = f"/account/plans/{held().id}"
    assert "€2.50 a month (later €5.00). The next payment" in press(house.client, f"{plan}/stay", f"{plan}/cancel")
    months_pass(house, 1)
    assert paid() == [500, 250]


def test_who_has_left_is_asked_back_once_if_they_still_read(house: House, outbox: Outbox) -> None:
    back = offer(name="Back", code="back", is_for_new=False)
    agreed = terms.of(Publication.current().id)
    agreed.win_back_offer_id, agreed.win_back_days = back.id, 30
    readers = {name: factories.subscriber(f"{name}@example.com") for name in ("grace", "left", "never")}
    readers["left"].subscriptions[0].left_at = clock.now()
    readers["never"].confirmed_at = None
    db.session.commit()
    for name in readers:
        house.buy(f"{name}@example.com")
    house.deliver()
    for membership in db.session.scalars(select(Membership)).unique().all():
        house.stripe.end(membership.reference or "")
    house.deliver()

    for days, letters in ((29, 0), (31, 1), (35, 1), (60, 1)):
        with time_machine.travel(clock.now() + timedelta(days=days)):
            retaining.win_back()
            db.session.commit()
        told = db.session.scalars(select(Notice.address).where(Notice.kind == NoticeKind.WIN_BACK)).all()
        assert list(told) == ["grace@example.com"] * letters

    tasks.run(Job.SEND_NOTICES)
    letter = next(outbox[at] for at in range(len(outbox)) if "for less" in str(outbox[at]["Subject"]))
    assert "€2.50 for the first month, then €5.00 a month" in " ".join(text_of(letter).split())
    assert "List-Unsubscribe" in letter
    assert db.session.scalar(select(func.count(Notice.id)).where(Notice.kind == NoticeKind.WIN_BACK)) == 1
