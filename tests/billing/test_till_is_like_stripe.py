"""The practice till answers as the provider's own SDK says, and what we ask of it is what the SDK knows."""

import sys
from typing import Any

import pytest
import stripe
from stripe._stripe_service import StripeService

from newsletter.billing import plans, retaining, seats
from newsletter.billing import stripe as provider
from newsletter.billing.models import Offer, OfferKind, Terms
from newsletter.billing.offers import add as add_offer
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.tiers.models import Cadence
from tests.billing import sdk_shapes
from tests.billing.conftest import KEY, House, serve_pages
from tests.billing.test_gifts import give
from tests.billing.test_plans import held, price

# What of each object is expanded in our calls: see newsletter/billing/stripe.py.
EXPANDED = {
    "subscription": ("latest_invoice", "discounts.source.coupon"),
    "invoice": ("payments",),
    "customer": ("invoice_settings.default_payment_method",),
    "payment_intent": ("latest_charge.balance_transaction",),
}
ASKED_FOR = {
    "product": "products",
    "price": "prices",
    "customer": "customers",
    "coupon": "coupons",
    "subscription": "subscriptions",
    "invoice": "invoices",
    "payment_intent": "payment_intents",
    "charge": "charges",
    "dispute": "disputes",
    "event": "events",
    "checkout.session": "checkout/sessions",
    "webhook_endpoint": "webhook_endpoints",
    "billing_portal.configuration": "billing_portal/configurations",
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Faults of every call that is made through the SDK, and the methods that were called."""
    found: list[str] = []
    send = StripeService._request

    def looked_at(service: StripeService, method: str, url: str, **given: Any) -> Any:
        name = sys._getframe(1).f_code.co_name
        called.add(f"{type(service).__name__}.{name}")
        if given.get("params"):
            found.extend(sdk_shapes.faults_of_call(service, name, given["params"]))
        return send(service, method, url, **given)

    called.clear()
    monkeypatch.setattr(StripeService, "_request", looked_at)
    return found


called: set[str] = set()


def live(house: House) -> None:
    """Everything that can happen at a till: bought, tried, given, failed, switched, paused, cancelled, sent back."""
    publication = Publication.current()
    spring = add_offer(
        Offer(publication_id=publication.id, name="Spring", code="spring", kind=OfferKind.PERCENT, percent=50)
    )
    spring.is_for_new = False
    db.session.get_one(Terms, publication.id).retention_offer_id = spring.id
    db.session.commit()
    give(house)
    house.buy("grace@example.com")
    house.deliver()
    membership = held()
    plans.portal(house.account, house.stripe, membership)
    yearly = price("Patrons", Cadence.YEAR)
    told, _ = plans.preview(house.account, house.stripe, membership, yearly)
    plans.switch(house.account, house.stripe, membership, yearly, told)
    told, _ = plans.preview_seats(house.account, house.stripe, membership, 3)
    plans.change_seats(house.account, house.stripe, membership, 3, told)
    assert seats.free(membership) == 2
    retaining.accept(house.account, house.stripe, membership)
    plans.pause(house.account, house.stripe, membership, 2)
    plans.resume(house.account, house.stripe, membership)
    plans.cancel(house.account, house.stripe, membership, "Too many letters")
    db.session.commit()
    house.deliver()


def answers(house: House) -> list[dict[str, Any]]:
    """All that the till holds, as it tells it."""
    till, found = serve_pages(house.till), []
    for thing in list(house.till.things.values()):
        if where := ASKED_FOR.get(thing["object"]):
            wanted = {f"expand[{n}]": part for n, part in enumerate(EXPANDED.get(thing["object"], ()))}
            answer = till.get(
                f"/v1/{where}/{thing['id']}", query_string=wanted, headers={"Authorization": f"Bearer {KEY}"}
            )
            assert answer.status_code == 200, thing
            found.append(answer.json or {})
    return found


def test_every_answer_is_shaped_as_the_sdk_says(house: House) -> None:
    live(house)

    told = answers(house)

    assert {thing["object"] for thing in told} >= set(ASKED_FOR) - {"dispute"}
    assert sorted({fault for thing in told for fault in sdk_shapes.faults(thing)}) == []


def test_what_we_ask_is_what_the_sdk_knows(house: House, calls: list[str]) -> None:
    live(house)

    assert sorted(set(calls)) == []
    assert {"SessionService.create", "SubscriptionService.update", "InvoiceService.create_preview"} <= called


def test_what_we_read_is_what_the_sdk_knows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    invented: set[str] = set()
    whole = provider._whole

    def watched(thing: stripe.StripeObject) -> dict[str, Any]:
        told = whole(thing)
        # An event is about anything, and asked for whatever names anything may have.
        return told if told.get("object") == "event" else sdk_shapes.watched(told, invented)

    monkeypatch.setattr(provider, "_whole", watched)

    live(house)

    assert invented == set()


def test_who_looks_sees_what_is_wrong() -> None:
    """Or all of the above would prove nothing."""
    line = {"id": "si_1", "object": "subscription_item", "quantity": "1", "price": {"object": "price", "colour": "red"}}
    wrong: dict[str, Any] = {"id": "sub_1", "object": "subscription", "status": "asleep", "customer": None, "size": 7}
    wrong["items"] = {"object": "list", "has_more": False, "data": [line]}

    assert sorted(sdk_shapes.faults(wrong)) == [
        "subscription.customer is never null",
        "subscription.items.data[].price.colour is invented",
        "subscription.items.data[].quantity is '1', no int",
        "subscription.size is invented",
        "subscription.status is 'asleep', not one of ['active', 'canceled', 'incomplete', 'incomplete_expired', "
        "'past_due', 'paused', 'trialing', 'unpaid']",
    ]
    client = stripe.StripeClient(KEY).v1
    said = {"items": [{"id": "si_1", "amount": 5}], "proration_behavior": "maybe", "cancel_at": ""}
    assert sorted(sdk_shapes.faults_of_call(client.subscriptions, "update", said)) == [
        "SubscriptionUpdateParams.items[].amount is invented",
        "SubscriptionUpdateParams.proration_behavior is 'maybe', not one of "
        "['always_invoice', 'create_prorations', 'none']",
    ]
    invented: set[str] = set()
    seen = sdk_shapes.watched(wrong | {"cancellation_details": {"comment": None}}, invented)
    seen.get("size"), seen["items"]["data"][0]["price"].get("colour"), seen["cancellation_details"].get("mood")
    assert invented == {"subscription.size", "price.colour", "subscription.cancellation_details.mood"}
