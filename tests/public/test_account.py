"""The account: what a reader holds, and what they can do about it."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db
from newsletter.subscribers.models import ReaderSession, Subscriber
from newsletter.tiers.models import Cadence, Membership, MembershipState, Price
from newsletter.up.till.state import DAY
from tests import factories
from tests.billing.conftest import FAILS_LATER, House
from tests.billing.conftest import house as house
from tests.billing.conftest import served as served
from tests.doubles import Outbox
from tests.public.account_steps import press, proof_in, sign_in

GRACE = "grace@example.com"


@pytest.fixture
def grace(house: House, outbox: Outbox) -> House:
    """Pays, and is signed in."""
    factories.subscriber(GRACE)
    db.session.commit()
    house.buy(GRACE)
    house.deliver()
    sign_in(house.client, outbox, GRACE)
    return house


def held() -> Membership:
    db.session.expire_all()
    return db.session.scalars(select(Membership)).one()


def test_it_says_who_it_is_and_what_they_hold(grace: House) -> None:
    page = grace.client.get("/account").text

    assert f"Signed in as {GRACE}" in page
    assert "Patrons" in page
    assert "€5.00 a month. The next payment is due on" in page
    assert "/preferences/" in page
    assert "this browser" in page


def test_cancelled_in_two_clicks_and_taken_back_in_one(grace: House) -> None:
    plan = f"/account/plans/{held().id}"
    asked = grace.client.get(f"{plan}/cancel").text
    assert "Nothing more is charged. You read on until" in asked
    assert held().state is MembershipState.ACTIVE  # looking changes nothing

    said = press(grace.client, f"{plan}/cancel", f"{plan}/cancel", reason="Moving to a boat")

    assert "Cancelled. Nothing more is charged" in said
    assert (held().state, held().cancel_reason) == (MembershipState.CANCELLED, "Moving to a boat")
    assert "taken back" in press(grace.client, f"{plan}/keep")
    assert held().state is MembershipState.ACTIVE


def test_the_price_of_a_switch_is_told_before_it_is_charged(grace: House) -> None:
    yearly = db.session.scalars(select(Price).where(Price.cadence == Cadence.YEAR)).one()
    plan = f"/account/plans/{held().id}/switch"

    assert "Patrons, €50.00 a year" in grace.client.get(plan).text
    shown = grace.client.get(f"{plan}?to={yearly.id}").text
    assert "is charged now: what is left of your present plan is taken off" in shown
    assert "The next payment, €50.00, is due on" in shown
    assert held().cadence is Cadence.MONTH

    fields = {name: shown.split(f'name="{name}" value="')[1].split('"')[0] for name in ("proof", "to", "at", "due")}
    stale = grace.client.post(plan, data=fields | {"due": "1"})
    assert stale.status_code == 409
    assert "has changed" in stale.text
    assert held().cadence is Cadence.MONTH
    assert "Switched." in grace.client.post(plan, data=fields, follow_redirects=True).text
    assert held().cadence is Cadence.YEAR
    assert "€50.00 a year" in grace.client.get("/account").text


def test_a_pause_and_its_end(grace: House) -> None:
    plan = f"/account/plans/{held().id}"

    assert "Paused." in press(grace.client, f"{plan}/pause", f"{plan}/cancel", months="2")
    assert held().state is MembershipState.PAUSED
    assert "It goes on." in press(grace.client, f"{plan}/go-on")
    assert held().state is MembershipState.ACTIVE
    assert "Choose between 1 and 3 months" in press(grace.client, f"{plan}/pause", months="99")


def test_when_the_grace_is_over_it_says_that_what_was_paid_has_ended(grace: House) -> None:
    customer = grace.till.all("customer")[0]
    grace.till.attach(customer, grace.till.card(FAILS_LATER, 12, 2034))
    grace.till.let_pass(customer, (grace.till.until_next(customer) or 0) + 14 * DAY)
    grace.deliver()
    page = grace.client.get("/account").text

    assert held().state is MembershipState.PAST_DUE
    assert "did not go through. What you paid for ended on" in page
    assert "you read on until" not in page


def test_a_failed_payment_is_explained_with_the_way_to_mend_it(grace: House) -> None:
    grace.till.attach(grace.till.all("customer")[0], grace.till.card(FAILS_LATER, 12, 2034))
    grace.days_pass(31)
    grace.deliver()
    page = grace.client.get("/account").text

    assert "did not go through. It is tried again; you read on until" in page
    answer = grace.client.post(f"/account/plans/{held().id}/card", data={"proof": proof_in(page)})
    assert answer.status_code == 303
    assert answer.location.startswith(f"{grace.url}/portal/")
    assert grace.url in grace.client.get("/account").headers["Content-Security-Policy"]


def test_a_reader_who_pays_nothing_sees_what_there_is(client: FlaskClient, app: Flask, outbox: Outbox) -> None:
    factories.subscriber("ada@example.com")
    db.session.commit()
    sign_in(client, outbox, "ada@example.com")

    assert "You read what is free" in client.get("/account").text
    assert client.get("/support").status_code == 404


def test_nobody_touches_the_plan_of_somebody_else(grace: House, app: Flask, outbox: Outbox) -> None:
    factories.subscriber("mallory@example.com")
    db.session.commit()
    mallory = app.test_client()
    sign_in(mallory, outbox, "mallory@example.com")
    proof = proof_in(mallory.get("/account").text)
    plan = f"/account/plans/{held().id}"

    for act in ("cancel", "keep", "pause", "go-on", "switch", "card"):
        answer = mallory.post(f"{plan}/{act}", data={"proof": proof, "to": "1", "at": "1", "due": "1", "months": "1"})
        assert answer.status_code == 404, act
        assert app.test_client().post(f"{plan}/{act}", data={"proof": proof}).status_code == 303  # to sign in
    for page in ("cancel", "switch"):
        assert mallory.get(f"{plan}/{page}").status_code == 404
    assert held().state is MembershipState.ACTIVE


def test_another_site_cannot_press_the_buttons(grace: House, app: Flask, outbox: Outbox) -> None:
    factories.subscriber("mallory@example.com")
    db.session.commit()
    mallory = app.test_client()
    sign_in(mallory, outbox, "mallory@example.com")
    foreign = proof_in(mallory.get("/account").text)

    for proof in ("", "nonsense", foreign):
        answer = grace.client.post(f"/account/plans/{held().id}/cancel", data={"proof": proof})
        assert answer.status_code == 400
        assert grace.client.post("/account/sign-out", data={"proof": proof}).status_code == 400
    assert held().state is MembershipState.ACTIVE
    assert grace.client.get("/account").status_code == 200


def test_one_browser_is_signed_out_or_all(grace: House, app: Flask, outbox: Outbox) -> None:
    phone = app.test_client()
    sign_in(phone, outbox, GRACE)
    reader = db.session.scalars(select(Subscriber).where(Subscriber.email == GRACE)).one()
    newest = db.session.scalars(select(ReaderSession).order_by(ReaderSession.id.desc())).first()
    assert newest
    assert newest.subscriber_id == reader.id

    assert "That browser is signed out." in press(grace.client, f"/account/browsers/{newest.id}/sign-out")
    assert phone.get("/account").status_code == 303
    sign_in(phone, outbox, GRACE)
    press(phone, "/account/sign-out-everywhere")
    assert grace.client.get("/account").status_code == 303
    assert db.session.scalars(select(ReaderSession)).all() == []


def test_with_payments_switched_off_it_says_what_is_held_and_offers_nothing(
    grace: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsletter import config

    monkeypatch.setenv("BILLING", "off")
    config.settings.cache_clear()

    page = grace.client.get("/account").text

    assert "Patrons" in page
    assert "/cancel" not in page
