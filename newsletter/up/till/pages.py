"""What a payer sees: the checkout, and the page for cards and invoices. Plainly marked: no money moves here."""

from collections.abc import Callable

from flask import Blueprint, redirect, render_template_string, request
from werkzeug.wrappers import Response as AnyResponse

from newsletter.up.till.api import till
from newsletter.up.till.state import ASKED_BY_BANK, DAY, DEBIT_TAKES, DECLINED, Thing

bp = Blueprint("pages", __name__)
Page = str | tuple[str, int] | AnyResponse

_FRAME = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ title }} · Practice till</title><link rel="icon" href="data:,">
<style>body{font:17px/1.5 system-ui,sans-serif;max-width:30rem;margin:2rem auto;padding:0 1rem}
body{color:#1c1b1a;background:#fffdf9}
label{display:block;margin:1rem 0 .25rem}input{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}
button{font:inherit;margin-top:1.25rem;padding:.7rem 1.2rem;background:#1c1b1a;color:#fffdf9;border:0;border-radius:6px}
.note{border:1px solid;padding:.6rem 1rem}.trouble{color:#a3160f}</style>
<main><p class="note">Practice till: no money moves here.</p><h1>{{ title }}</h1>
{% if trouble %}<p class="trouble" role="alert">{{ trouble }}</p>{% endif %}
"""
_CARD = """<label for="number">Card number</label>
<input id="number" name="number" value="{{ number or '4242 4242 4242 4242' }}" inputmode="numeric">
<label for="expires">Expires</label><input id="expires" name="expires" value="12/34">
"""
_CHECKOUT = (
    _FRAME
    + """<form method="post"><label for="email">Email</label>
<input id="email" name="email" type="email" required value="{{ known or typed }}"{% if known %} readonly{% endif %}>"""
    + _CARD
    + """<button>{{ words }}</button>{% if has_debit %}
<button name="way" value="debit">Pay by bank debit: it takes days</button>
<button name="way" value="bounces">Pay by a bank debit that bounces</button>{% endif %}</form>
{% if back %}<p><a href="{{ back }}">Back</a></p>{% endif %}</main>"""
)
_BANK = (
    _FRAME
    + """<p>Your bank asks before it pays.</p><form method="post">
{% for name, value in given.items() %}<input type="hidden" name="{{ name }}" value="{{ value }}">{% endfor %}
<button name="bank" value="yes">It is me: pay</button>
<button name="bank" value="no">No, it is not</button></form></main>"""
)
_PORTAL = (
    _FRAME
    + """<form method="post"><h2>Card</h2>"""
    + _CARD
    + """<button>Save the card</button></form><h2>Invoices</h2><ul>{% for invoice in invoices %}
<li>{{ invoice.number }}: {{ invoice.status }}</li>{% endfor %}</ul>
<h2>Time</h2><p>It can pass here, for this payer alone.</p>
<form method="post" action="{{ days }}"><label for="days">Days</label>
<input id="days" name="days" value="1" inputmode="numeric"><button>Let them pass</button></form>
{% if has_next %}<form method="post" action="{{ days }}"><button>On to the next payment</button></form>{% endif %}
{% if back %}<p><a href="{{ back }}">Back</a></p>{% endif %}</main>"""
)
_INVOICE = _FRAME + """<form method="post">""" + _CARD + """<button>Pay now</button></form></main>"""


@bp.get("/checkout/<session_id>")
def checkout(session_id: str) -> Page:
    return _checkout(till().things[session_id])


@bp.post("/checkout/<session_id>")
def pay(session_id: str) -> Page:
    state = till()
    with state.lock:
        session = state.things[session_id]
        if session["status"] != "open":
            return redirect(session["success_url"], 303)
        number = _number()
        if number in DECLINED:
            return _checkout(session, DECLINED[number]), 402
        if number == ASKED_BY_BANK and (asked := _ask_bank(lambda trouble: _checkout(session, trouble))):
            return asked
        _complete(session, number, request.form.get("way", ""))
    return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303)


@bp.get("/portal/<customer_id>")
def portal(customer_id: str) -> Page:
    state = till()
    invoices = [invoice for invoice in state.all("invoice") if invoice["customer"] == customer_id]
    back = next((s["return_url"] for s in state.all("billing_portal.session") if s["customer"] == customer_id), "")
    has_next = state.until_next(state.things[customer_id]) is not None
    days = f"/portal/{customer_id}/days"
    return render_template_string(
        _PORTAL, title="Your card", invoices=invoices, back=back, days=days, has_next=has_next
    )


@bp.post("/portal/<customer_id>/days")
def let_days_pass(customer_id: str) -> Page:
    """Without a number: to what happens next."""
    state, days = till(), request.form.get("days", "")
    with state.lock:
        customer = state.things[customer_id]
        state.let_pass(customer, int(days) * DAY if days.isdecimal() else state.until_next(customer) or 0)
    return redirect(f"/portal/{customer_id}", 303)


@bp.post("/portal/<customer_id>")
def change_card(customer_id: str) -> Page:
    state = till()
    with state.lock:
        customer = state.things[customer_id]
        state.attach(customer, state.card(_number(), *_expires()))
    return redirect(request.url, 303)


@bp.get("/invoices/<invoice_id>")
def invoice(invoice_id: str) -> Page:
    return _invoice(till().things[invoice_id])


@bp.post("/invoices/<invoice_id>")
def pay_invoice(invoice_id: str) -> Page:
    state = till()
    with state.lock:
        found = state.things[invoice_id]
        state.attach(state.things[found["customer"]], state.card(_number(), *_expires()))
        if _number() == ASKED_BY_BANK and (asked := _ask_bank(lambda trouble: _invoice(found, trouble))):
            return asked
        if found["status"] == "open" and not state.pay(found, is_owner_there=True):
            return _invoice(found, "Your card was declined."), 402
    return render_template_string(_FRAME + "</main>", title="Paid. Thank you.")


def _invoice(found: Thing, trouble: str = "") -> str:
    return render_template_string(_INVOICE, title=f"Invoice {found['number']}", trouble=trouble)


def _ask_bank(otherwise: Callable[[str], str]) -> Page | None:
    """3-D Secure. None: their owner said yes."""
    match request.form.get("bank"):
        case "yes":
            return None
        case "no":
            return otherwise("Your bank did not confirm the payment."), 402
    return render_template_string(_BANK, title="Is it you?", given=request.form.to_dict())


def _complete(session: Thing, number: str, way: str) -> None:
    state = till()
    email = session["customer_email"] or request.form.get("email", "")
    customer = state.things[session["customer"]] if session["customer"] else state.customer(email=email)
    state.attach(customer, state.card(number, *_expires()))
    session |= {"customer": customer["id"], "status": "complete", "payment_status": "paid"}
    session["customer_details"] = {"email": customer["email"] or email, "name": None}
    line = session["_lines"][0]
    price = state.things[line["price"]] if "price" in line else _own_price(line["price_data"])
    session["currency"], session["amount_total"] = price["currency"], price["unit_amount"]
    if session["mode"] == "subscription":
        details = session.get("_subscription_data") or {}
        days = int(details.get("trial_period_days") or 0)
        coupon = next((each["coupon"] for each in session.get("discounts") or []), None)
        metadata = details.get("metadata") or {}
        sub = state.subscribe(customer, price, int(line.get("quantity", 1)), days, metadata, coupon)
        session["subscription"] = sub["id"]
    else:
        metadata = (session.get("_payment_intent_data") or {}).get("metadata") or {}
        if way:  # as long as the bank takes, it is neither paid nor not paid
            session["payment_status"], session["_debit"] = "unpaid", way
            session["_debit_due"] = state.now() + DEBIT_TAKES
            paid = state.intend(customer, price["unit_amount"], price["currency"], metadata)
        else:
            paid = state.charge(customer, price["unit_amount"], price["currency"], metadata)
        session["payment_intent"] = paid["id"]
    state.tell("checkout.session.completed", session)


def _own_price(data: Thing) -> Thing:
    recurring = {"interval_count": 1} | data["recurring"] if "recurring" in data else None
    product = data.get("product") or till().make("product", "prod", active=True, **data.get("product_data", {}))["id"]
    parts = {"currency": data["currency"], "unit_amount": int(data["unit_amount"]), "product": product}
    return till().make("price", "price", active=False, recurring=recurring, **parts)


def _checkout(session: Thing, trouble: str = "") -> str:
    customer = till().things.get(session["customer"] or "", {})
    trial = (session.get("_subscription_data") or {}).get("trial_period_days")
    return render_template_string(
        _CHECKOUT,
        title="Checkout",
        known=customer.get("email") or session["customer_email"] or "",
        typed=request.form.get("email", ""),
        words="Start the trial" if trial else "Pay",
        back=session.get("cancel_url"),
        trouble=trouble,
        has_debit=session["mode"] == "payment",
        number=request.form.get("number", ""),
    )


def _number() -> str:
    return "".join(letter for letter in request.form.get("number", "") if letter.isdecimal())


def _expires() -> tuple[int, int]:
    month, _, year = request.form.get("expires", "12/34").partition("/")
    return int(month), 2000 + int(year) % 100
