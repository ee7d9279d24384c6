"""The desk's page where an owner connects an account and sets terms."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import config
from newsletter.billing import terms
from newsletter.billing.models import Account, TaxBehavior
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.publication.models import Publication
from newsletter.tiers.models import Tier
from tests.admin.conftest import seen
from tests.billing.conftest import House, house, served
from tests.billing.test_adopting import elsewhere, payer
from worker import tasks

__all__ = ["house", "served"]


def test_an_owner_sees_the_account_and_never_its_key(desk: FlaskClient, house: House) -> None:
    page = desk.get("/desk/money/payments").get_data(as_text=True)

    assert "Practice till" in page
    assert "sk_test" not in page


def test_terms_are_kept_and_wrong_ones_are_named(desk: FlaskClient, house: House) -> None:
    said = {"grace_days": "7", "tax_behavior": "inclusive", "supporter_minimum": "3", "supporter_currency": "EUR"}
    assert desk.post("/desk/money/payments/terms", data=said).status_code == 302
    agreed = terms.of(Publication.current().id)
    assert (agreed.grace_days, agreed.tax_behavior, agreed.supporter_minimum) == (7, TaxBehavior.INCLUSIVE, 300)
    assert not agreed.is_author_told

    wrong = desk.post("/desk/money/payments/terms", data={**said, "grace_days": "99"})
    assert wrong.status_code == 422
    assert "Between 0 and 60 days." in wrong.get_data(as_text=True)


def test_a_publishable_key_is_told_from_a_secret_one(
    desk: FlaskClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.post("/desk/money/payments/disconnect")
    db.session.expire_all()
    assert Account.connected() is None
    monkeypatch.setenv("BILLING", "on")
    config.settings.cache_clear()

    answer = desk.post("/desk/money/payments/connect", data={"key": "pk_live_abc"})
    assert answer.status_code == 422
    assert "This is the publishable key." in answer.get_data(as_text=True)
    assert "https://" in desk.post("/desk/money/payments/connect", data={"key": "sk_live_abc"}).get_data(as_text=True)


def test_where_payments_are_off_there_is_no_such_page(
    desk: FlaskClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING", "off")
    config.settings.cache_clear()

    assert desk.get("/desk/money/payments").status_code == 404
    assert house.client.post("/webhooks/stripe", data=b"{}").status_code == 404
    assert "write to" in house.client.get("/support").get_data(as_text=True)


def test_subscriptions_from_elsewhere_are_shown_and_taken_over(desk: FlaskClient, house: House) -> None:
    price = elsewhere(house)
    payer(house, "emmy@example.com", price)
    tasks.run(Job.RECONCILE)
    shown = seen(desk.get("/desk/money/payments"))
    assert "Letters by another platform €7.00 a month 1" in shown

    tier = db.session.scalars(select(Tier)).one()
    desk.post("/desk/money/payments/adopt", data={"price": price["id"], "tier": str(tier.id)})
    tasks.run(Job.RECONCILE)

    assert "Letters by another platform Patrons 1" in seen(desk.get("/desk/money/payments"))
    assert desk.post("/desk/money/payments/adopt", data={"price": "price_x", "tier": str(tier.id)}).status_code == 404
    assert desk.post("/desk/money/payments/adopt", data={"price": price["id"], "tier": "99"}).status_code == 404


def test_what_is_paid_in_a_currency_that_no_tier_has_is_shown_and_cannot_be_taken_over(
    desk: FlaskClient, house: House
) -> None:
    price = elsewhere(house, amount=90000, currency="isk")
    payer(house, "emmy@example.com", price)
    tasks.run(Job.RECONCILE)

    shown = seen(desk.get("/desk/money/payments"))
    tier = db.session.scalars(select(Tier)).one()
    refused = desk.post("/desk/money/payments/adopt", data={"price": price["id"], "tier": str(tier.id)})

    words = "Paid in ISK, a currency that no tier can have: cannot be taken over."
    assert f"Letters by another platform in ISK a month 1 {words}" in shown
    assert refused.status_code == 409
    assert "It is paid in ISK" in seen(refused)
