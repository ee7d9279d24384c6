"""Stripe's objects, as its API of version 2026-10-28 has them, read into our values."""

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import Any

from newsletter.billing.values import Bell, Bought, Card, Paid, Payer, Subscribed
from newsletter.tiers.life import Held
from newsletter.tiers.models import Cadence

Thing = dict[str, Any]  # one of Stripe's objects; docs.stripe.com/api says what is in it

# States of an invoice that is not paid. Where a subscription goes on unpaid, those of later periods stay drafts.
FAILED = ("open", "uncollectible", "draft")


def subscription(thing: Thing) -> Subscribed:
    """With `latest_invoice` and `discounts` expanded."""
    line = thing["items"]["data"][0]
    price = line["price"]
    quantity = line.get("quantity") or 1
    full_amount = (price["unit_amount"] or 0) * quantity
    return Subscribed(
        reference=thing["id"],
        customer=name(thing["customer"]),
        price=price["id"],
        product=name(price["product"]),
        cadence=_cadence(price),
        currency=price["currency"].upper(),
        amount=_discounted(full_amount, thing.get("discounts") or []),
        full_amount=full_amount,
        quantity=quantity,
        held=_held(thing, line),
        created_at=moment(thing["created"]),
        notes=thing.get("metadata") or {},
        latest_invoice=name(thing.get("latest_invoice")),
        item=line["id"],
        is_collection_paused=bool(thing.get("pause_collection")),
        cancels_at_period_end=bool(thing.get("cancel_at_period_end")),
    )


def invoice(thing: Thing, charge: Thing | None = None) -> Paid:
    """One that is paid, and the charge of `intent_of` with `balance_transaction` expanded."""
    details = (thing.get("parent") or {}).get("subscription_details") or {}
    charge = charge or {}
    return Paid(
        reference=thing["id"],
        customer=name(thing["customer"]),
        subscription=name(details.get("subscription")),
        at=moment(thing["status_transitions"].get("paid_at") or thing["created"]),
        currency=thing["currency"].upper(),
        amount=thing["amount_paid"],
        tax=sum(tax["amount"] for tax in thing.get("total_taxes") or []),
        number=thing.get("number") or "",
        invoice_url=thing.get("hosted_invoice_url") or "",
        country=((thing.get("customer_address") or {}).get("country") or "") or _country(charge),
        notes=details.get("metadata") or {},
        **_of_charge(charge),
    )


def intent_of(thing: Thing) -> str:
    """The payment by which an invoice was paid, with `payments` expanded. Empty: by none."""
    paid = [each for each in (thing.get("payments") or {}).get("data") or [] if each.get("status", "paid") == "paid"]
    return name((paid[-1].get("payment") or {}).get("payment_intent")) if paid else ""


def payment(thing: Thing) -> Paid:
    """A payment intent that succeeded, with `latest_charge.balance_transaction` expanded."""
    charge = thing.get("latest_charge") or {}
    return Paid(
        reference=thing["id"],
        customer=name(thing.get("customer")),
        subscription="",
        at=moment(charge.get("created") or thing["created"]),
        currency=thing["currency"].upper(),
        amount=thing["amount_received"],
        country=_country(charge),
        invoice_url=charge.get("receipt_url") or "",
        notes=thing.get("metadata") or {},
        **_of_charge(charge),
    )


def checkout(thing: Thing) -> Bought:
    details = thing.get("customer_details") or {}
    return Bought(
        reference=thing["id"],
        mode=thing["mode"],
        status=thing.get("status") or "open",
        is_paid=thing["payment_status"] != "unpaid",
        customer=name(thing.get("customer")),
        email=details.get("email") or thing.get("customer_email") or "",
        name=details.get("name") or "",
        subscription=name(thing.get("subscription")),
        payment=name(thing.get("payment_intent")),
        amount=thing.get("amount_total") or 0,
        currency=(thing.get("currency") or "").upper(),
        notes=thing.get("metadata") or {},
        url=thing.get("url") or "",
    )


def customer(thing: Thing) -> Payer:
    """With `invoice_settings.default_payment_method` expanded."""
    method = (thing.get("invoice_settings") or {}).get("default_payment_method")
    return Payer(
        reference=thing["id"],
        email=thing.get("email") or "",
        name=thing.get("name") or "",
        country=(thing.get("address") or {}).get("country") or "",
        is_deleted=bool(thing.get("deleted")),
        card=card(method["card"]) if isinstance(method, dict) and method.get("card") else None,
        notes=thing.get("metadata") or {},
    )


def event(thing: Thing) -> Bell:
    about = thing["data"]["object"]
    details = (about.get("parent") or {}).get("subscription_details") or {}
    hints = {
        "customer": name(about.get("customer")),
        "subscription": name(about.get("subscription") or details.get("subscription")),
        "charge": name(about.get("charge")),
        "invoice": name(about.get("invoice")),
        "mode": about.get("mode") if isinstance(about.get("mode"), str) else "",
    }
    return Bell(
        reference=thing["id"],
        type=thing["type"],
        about=about.get("id") or "",
        created_at=moment(thing["created"]),
        hints={key: value for key, value in hints.items() if value},
    )


def card(thing: Thing) -> Card:
    year, month = thing["exp_year"], thing["exp_month"]
    return Card(thing["brand"], thing["last4"], date(year, month, monthrange(year, month)[1]))


def name(thing: Any) -> str:
    """What an object is called: they stand for themselves, or come whole where that was asked for."""
    if isinstance(thing, dict):
        return str(thing["id"])
    return thing or ""


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _held(thing: Thing, line: Thing) -> Held:
    notes = thing.get("metadata") or {}
    details = thing.get("cancellation_details") or {}
    paid_until = moment(line["current_period_end"])
    cancelled_for = thing.get("cancel_at")
    if thing.get("cancel_at_period_end") and not cancelled_for:
        cancelled_for = line["current_period_end"]
    paused_until = _noted(notes.get("paused_until"))
    trial_ends_at = _maybe(thing.get("trial_end"))
    words = [details.get("comment"), details.get("feedback"), details.get("reason")]
    return Held(
        status=thing["status"],
        started_at=moment(thing["start_date"]),
        paid_until=paid_until,
        trial_ends_at=None if paused_until and trial_ends_at == paused_until else trial_ends_at,  # see plans.pause
        cancelled_for=_maybe(cancelled_for),
        cancelled_at=_maybe(thing.get("canceled_at")),
        cancel_reason=next((word for word in words if word), ""),
        ended_at=_maybe(thing.get("ended_at")),
        failing_since=_failing_since(thing),
        paused_from=_noted(notes.get("paused_from")),
        paused_until=paused_until,
    )


def _failing_since(thing: Thing) -> datetime | None:
    latest = thing.get("latest_invoice")
    if thing["status"] not in {"past_due", "unpaid"} or not isinstance(latest, dict):
        return None
    return moment(latest["created"]) if latest["status"] in FAILED else None


def _cadence(price: Thing) -> Cadence | None:
    recurring = price.get("recurring") or {}
    if recurring.get("interval_count") != 1 or recurring.get("interval") not in {"month", "year"}:
        return None
    return Cadence(recurring["interval"])


def _discounted(amount: int, discounts: list[Any]) -> int:
    """What lasts: a discount on the first payment alone changes nothing of what somebody is worth."""
    for discount in discounts:
        coupon = ((discount.get("source") or {}).get("coupon") or {}) if isinstance(discount, dict) else {}
        if isinstance(coupon, dict) and coupon.get("duration") == "forever":
            amount -= round(amount * (coupon.get("percent_off") or 0) / 100) or coupon.get("amount_off") or 0
    return max(amount, 0)


def _of_charge(charge: Thing) -> dict[str, Any]:
    booked = charge.get("balance_transaction")
    method = (charge.get("payment_method_details") or {}).get("card")
    return {
        "charge": charge.get("id") or "",
        "fee": booked["fee"] if isinstance(booked, dict) else None,
        "fee_currency": booked["currency"].upper() if isinstance(booked, dict) else "",
        "refunded": charge.get("amount_refunded") or 0,
        "card": card(method) if method and method.get("exp_year") else None,
    }


def _country(charge: Thing) -> str:
    address = (charge.get("billing_details") or {}).get("address") or {}
    details = charge.get("payment_method_details") or {}
    method = details.get(details.get("type") or "card") or {}
    return address.get("country") or method.get("country") or ""


def _maybe(seconds: int | None) -> datetime | None:
    return moment(seconds) if seconds else None


def _noted(text: str | None) -> datetime | None:
    return moment(int(text)) if text and text.isdecimal() else None
