"""Who claims to be the payment provider and is not, and what must not be read from what we keep."""

import json
import time

from sqlalchemy import func, select, text
from stripe import WebhookSignature

from newsletter.billing.models import Payment, PaymentEvent
from newsletter.db import db
from newsletter.tiers.models import Membership
from tests.billing.conftest import KEY, House


def events() -> int:
    return db.session.scalar(select(func.count()).select_from(PaymentEvent)) or 0


def test_a_forged_call_is_refused(house: House) -> None:
    house.buy("grace@example.com")

    assert house.ring(house.rung[0], secret="whsec_somebody_elses") == 400
    assert house.client.post("/webhooks/stripe", data=b"{}").status_code == 400
    assert (
        house.client.post("/webhooks/stripe", data=b"\xff", headers={"Stripe-Signature": "t=1,v1=x"}).status_code == 400
    )
    assert events() == 0


def test_a_body_that_was_changed_is_refused(house: House) -> None:
    house.buy("grace@example.com")
    hook = house.till.all("webhook_endpoint")[0]
    signature = WebhookSignature.generate_signature_header("{}", hook["secret"])

    body = json.dumps({"object": "event", "id": "evt_1"})
    assert house.client.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": signature}).status_code == 400


def test_a_call_that_was_kept_and_played_again_later_is_refused(house: House) -> None:
    hook = house.till.all("webhook_endpoint")[0]
    body = json.dumps({"object": "event", "id": "evt_1", "type": "x", "created": 1, "data": {"object": {"id": "x"}}})
    old = WebhookSignature.generate_signature_header(body, hook["secret"], int(time.time()) - 600)

    assert house.client.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": old}).status_code == 400


def test_the_same_event_twice_is_one(house: House) -> None:
    house.buy("grace@example.com")
    paid = next(event for event in house.rung if event["type"] == "invoice.paid")
    house.deliver()
    before = events()

    assert house.ring(paid) == 200
    house.deliver()

    assert events() == before
    assert db.session.scalar(select(func.count(Payment.id))) == 1


def test_the_authors_other_business_at_the_same_account_is_none_of_ours(house: House) -> None:
    other = house.till.make("price", "price", currency="eur", unit_amount=900, product="prod_other", active=True)
    other["recurring"] = {"interval": "month", "interval_count": 1}
    customer = house.till.customer(email="client@example.com")
    house.till.attach(customer, house.till.card("4242424242424242", 12, 2034))
    house.till.subscribe(customer, other, 1, 0, {})
    house.deliver()

    assert db.session.scalar(select(func.count(Membership.id))) == 0
    assert db.session.scalar(select(func.count(Payment.id))) == 0
    assert db.session.scalar(text("SELECT count(*) FROM subscriber")) == 0


def test_keys_are_sealed_in_the_database(house: House) -> None:
    row = db.session.execute(text("SELECT sealed_key, sealed_hook_secret FROM billing_account")).one()

    assert KEY.encode() not in bytes(row.sealed_key)
    assert b"whsec" not in bytes(row.sealed_hook_secret)


def test_a_price_that_is_not_on_offer_cannot_be_bought(house: House) -> None:
    assert house.client.post("/support/tiers/999").status_code == 404
    db.session.execute(text("UPDATE tier SET hidden_at = now()"))
    db.session.commit()
    assert house.client.post("/support/tiers/1").status_code == 404


def test_nobody_looks_at_a_checkout_and_buys(house: House) -> None:
    assert house.client.get("/support/tiers/1").status_code == 405
    assert house.client.get("/support/thanks").status_code == 200
    assert house.till.all("checkout.session") == []
