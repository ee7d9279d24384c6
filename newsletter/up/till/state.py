"""What the till holds, and what time does to it. Moments are seconds since 1970, by a clock that can be moved on."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from newsletter.up.till.moments import age, later, months_later

Thing = dict[str, Any]
DAY = 86400
RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)  # after a payment failed; then it is given up
DECLINED = {"4000000000000002": "Your card was declined.", "4000000000009995": "Your card has insufficient funds."}
LACKS = {  # of what every other object has
    "balance_transaction": ("livemode", "metadata"),
    "discount": ("created", "livemode", "metadata"),
    "event": ("metadata",),
    "subscription_item": ("livemode",),
}
FAILS_LATER = "4000000000000341"  # can be put in, and never charged
ASKED_BY_BANK = "4000002760003184"  # its bank asks at every payment whether its owner makes it: 3-D Secure
NEEDS_ITS_OWNER = "Your card was declined. This transaction requires authentication."
DEBIT_TAKES = 5 * DAY  # until a bank debit is there, or is not


@dataclass(frozen=True)
class Planned:
    """A subscription with another price or quantity."""

    price: Thing
    quantity: int
    start: int  # of its period
    end: int
    due: int  # now; below nothing: goes to the customer's balance
    full: int  # of the next period
    worth: int  # of this one, if it were whole


class Till:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.things: dict[str, Thing] = {}
        self.answers: dict[str, tuple[str, Thing]] = {}  # by idempotency key
        self.ahead = 0
        self.at: int | None = None  # while the clock is moved on: the moment that is being lived through
        self.ring: Callable[[Thing], None] = lambda _: None
        self.gives_up_with = "canceled"  # or unpaid
        self.failing: list[int] = []  # the status of the next answers
        self.numbers = 0
        self.is_silent = False

    def written(self) -> str:
        """All that it holds; see `read`."""
        parts = {"things": self.things, "answers": self.answers, "ahead": self.ahead, "numbers": self.numbers}
        return json.dumps(parts)

    def read(self, written: str) -> None:
        parts = json.loads(written)
        self.things, self.ahead, self.numbers = parts["things"], parts["ahead"], parts["numbers"]
        self.answers = {key: (body, answer) for key, (body, answer) in parts["answers"].items()}

    def now(self) -> int:
        return self.at if self.at is not None else int(time.time()) + self.ahead

    def make(self, kind: str, prefix: str, **parts: Any) -> Thing:
        made: Thing = {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": self.now(),
            "livemode": False,
        }
        made |= {"metadata": {}} | parts
        for name in LACKS.get(kind, ()):
            del made[name]
        self.numbers += 1
        made["_number"] = self.numbers
        self.things[made["id"]] = made
        return made

    def all(self, kind: str) -> list[Thing]:
        """Newest first."""
        return sorted((t for t in self.things.values() if t["object"] == kind), key=lambda t: -t["_number"])

    @contextmanager
    def silence(self) -> Iterator[None]:
        """What happens meanwhile is told to nobody."""
        self.is_silent = True
        try:
            yield
        finally:
            self.is_silent = False

    def tell(self, kind: str, about: Thing) -> None:
        if self.is_silent:
            return
        event = self.make("event", "evt", type=kind, api_version="2026-10-28.endive", pending_webhooks=1, request=None)
        event["data"] = {"object": deepcopy({key: value for key, value in about.items() if not key.startswith("_")})}
        self.ring(event)

    # Cards and customers

    def card(self, number: str, month: int, year: int, country: str = "DE") -> Thing:
        brand = {"4": "visa", "5": "mastercard"}.get(number[:1], "unknown")
        card = {"brand": brand, "last4": number[-4:], "exp_month": month, "exp_year": year, "country": country}
        return self.make("payment_method", "pm", type="card", card=card, customer=None, _number_of_card=number)

    def attach(self, customer: Thing, method: Thing) -> None:
        method["customer"] = customer["id"]
        customer["invoice_settings"]["default_payment_method"] = method["id"]
        self.tell("customer.updated", customer)

    def customer(self, **parts: Any) -> Thing:
        parts = {"email": None, "name": None, "address": None, "balance": 0} | parts
        made = self.make("customer", "cus", invoice_settings={"default_payment_method": None}, **parts)
        self.tell("customer.created", made)
        return made

    # Subscriptions

    def subscribe(
        self, customer: Thing, price: Thing, quantity: int, trial_days: int, metadata: Thing, coupon: str | None = None
    ) -> Thing:
        now = self.now()
        trial_end = now + trial_days * DAY if trial_days else None
        line = self.make("subscription_item", "si", price=price["id"], quantity=quantity)
        line |= {"current_period_start": now, "current_period_end": trial_end or later(now, price)}
        made = self.make(
            "subscription", "sub", customer=customer["id"], status="trialing" if trial_end else "incomplete"
        )
        made |= {
            "status": "trialing" if trial_end else "incomplete",
            "items": [line["id"]],
            "metadata": metadata,
            "currency": price["currency"],
            "start_date": now,
            "billing_cycle_anchor": now,
            "trial_start": now if trial_end else None,
            "trial_end": trial_end,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "ended_at": None,
            "cancellation_details": {"comment": None, "feedback": None, "reason": None},
            "pause_collection": None,
            "discounts": [],
            "latest_invoice": None,
            "_retry": None,
        }
        if coupon:
            self.discount(made, coupon)
        self.bill(made, "subscription_create", is_free=bool(trial_end))
        self.tell("customer.subscription.created", made)
        return made

    def discount(self, sub: Thing, coupon_id: str) -> None:
        """In place of whatever was taken off before."""
        coupon = self.things[coupon_id]
        end = months_later(self.now(), coupon["duration_in_months"]) if coupon["duration"] == "repeating" else None
        made = self.make("discount", "di", customer=sub["customer"], subscription=sub["id"], start=self.now(), end=end)
        made["source"] = {"coupon": coupon_id, "type": "coupon"}
        sub["discounts"] = [made["id"]]

    def taken_off(self, sub: Thing, due: int, *, and_once: bool = True) -> int:
        """What discounts take off a payment."""
        off = 0
        for reference in sub["discounts"]:
            discount = self.things[reference]
            coupon = self.things[discount["source"]["coupon"]]
            is_over = discount["end"] and discount["end"] <= self.now()
            if not is_over and (and_once or coupon["duration"] != "once"):
                off += round(due * (coupon["percent_off"] or 0) / 100) + (coupon["amount_off"] or 0)
        return max(min(off, due), 0)

    def _use_up(self, sub: Thing) -> None:
        """Discounts that were good for one payment, and those that are over."""

        def goes_on(discount: Thing) -> bool:
            is_over = discount["end"] and discount["end"] <= self.now()
            return not is_over and self.things[discount["source"]["coupon"]]["duration"] != "once"

        sub["discounts"] = [each for each in sub["discounts"] if goes_on(self.things[each])]

    def bill(self, sub: Thing, reason: str, *, is_free: bool = False, amount: int | None = None) -> Thing:
        line = self.line(sub)
        price = self.things[line["price"]]
        due = 0 if is_free else price["unit_amount"] * line["quantity"] if amount is None else amount
        if amount is None and not is_free:
            due -= self.taken_off(sub, due)
        if amount is None:
            sub["_worth"] = due
        if not is_free:
            self._use_up(sub)
        invoice = self.make("invoice", "in", customer=sub["customer"], currency=price["currency"], status="open")
        invoice |= {
            "total": due,
            "amount_due": due,
            "amount_paid": 0,
            "attempt_count": 0,
            "billing_reason": reason,
            "number": f"TILL-{invoice['_number']:04}",
            "total_taxes": [],
            "customer_address": None,
            "payments": [],
            "status_transitions": {"paid_at": None},
            "period_end": line["current_period_end"],
            "parent": {
                "type": "subscription_details",
                "subscription_details": {"subscription": sub["id"], "metadata": dict(sub["metadata"])},
            },
        }
        self._take_off_balance(invoice)
        sub["latest_invoice"] = invoice["id"]
        self.tell("invoice.created", invoice)
        if sub["status"] == "unpaid":  # given up: what falls due from then on is written down and not asked for
            invoice["status"] = "draft"
        else:
            self.pay(invoice)
        return invoice

    def carry_out(self, sub: Thing, planned: Planned) -> None:
        """Another price or quantity, paid for at once; what is left over stays for the payments to come."""
        self.line(sub).update(
            price=planned.price["id"],
            quantity=planned.quantity,
            current_period_start=planned.start,
            current_period_end=planned.end,
        )
        sub["_worth"] = planned.worth
        if planned.due > 0:
            self.bill(sub, "subscription_update", amount=planned.due)
        elif planned.due < 0:
            self.things[sub["customer"]]["balance"] += planned.due

    def _take_off_balance(self, invoice: Thing) -> None:
        customer = self.things[invoice["customer"]]
        taken = min(invoice["amount_due"], max(-customer["balance"], 0))
        customer["balance"] += taken
        invoice["amount_due"] -= taken

    def pay(self, invoice: Thing, *, is_owner_there: bool = False) -> bool:
        """Try to charge it. What fails is tried again later, and given up in the end."""
        sub = self.things[invoice["parent"]["subscription_details"]["subscription"]]
        customer = self.things[invoice["customer"]]
        invoice["attempt_count"] += 1
        trouble = self.declined(customer) if invoice["amount_due"] else ""
        if trouble == NEEDS_ITS_OWNER and (is_owner_there or sub["status"] == "incomplete"):
            trouble = ""  # they have said yes to their bank, on a page of ours
        if trouble:
            if trouble == NEEDS_ITS_OWNER:
                self.tell("invoice.payment_action_required", invoice)
            self._failed(invoice, sub)
            return False
        if invoice["amount_due"]:
            intent = self.charge(customer, invoice["amount_due"], invoice["currency"], {})
            invoice["payments"] = [intent["id"]]
        invoice["status"], invoice["amount_paid"] = "paid", invoice["amount_due"]
        invoice["status_transitions"]["paid_at"] = self.now()
        self.tell("invoice.paid", invoice)
        if sub["status"] in {"incomplete", "past_due", "unpaid"}:
            sub["status"], sub["_retry"] = "active", None
            self.tell("customer.subscription.updated", sub)
        return True

    def charge(self, customer: Thing, amount: int, currency: str, metadata: Thing) -> Thing:
        """A payment that succeeds."""
        return self.settle(self.intend(customer, amount, currency, metadata))

    def intend(self, customer: Thing, amount: int, currency: str, metadata: Thing) -> Thing:
        """A payment that a bank has been asked for."""
        intent = self.make("payment_intent", "pi", amount=amount, currency=currency, customer=customer["id"])
        intent |= {"amount_received": 0, "status": "processing", "latest_charge": None, "metadata": metadata}
        return intent

    def settle(self, intent: Thing) -> Thing:
        """The money is there."""
        customer, amount, currency = self.things[intent["customer"]], intent["amount"], intent["currency"]
        method = self.things.get(customer["invoice_settings"]["default_payment_method"] or "")
        booked = self.make("balance_transaction", "txn", amount=amount, currency=currency)
        booked |= {"fee": round(amount * 0.015) + 25, "net": amount - round(amount * 0.015) - 25}
        charge = self.make(
            "charge", "ch", amount=amount, currency=currency, customer=customer["id"], status="succeeded"
        )
        charge |= {
            "amount_refunded": 0,
            "balance_transaction": booked["id"],
            "billing_details": {"address": customer.get("address")},
            "payment_method_details": {"card": dict(method["card"])} if method else None,
            "receipt_url": None,
        }
        intent |= {"amount_received": amount, "status": "succeeded", "latest_charge": charge["id"]}
        charge["payment_intent"] = intent["id"]
        self.tell("charge.succeeded", charge)
        return intent

    def line(self, sub: Thing) -> Thing:
        return self.things[sub["items"][0]]

    def end(self, sub: Thing, reason: str, comment: str | None = None) -> None:
        sub["status"], sub["ended_at"] = "canceled", self.now()
        sub["canceled_at"] = sub["canceled_at"] or self.now()
        details = sub["cancellation_details"]
        details["reason"] = details["reason"] or reason
        details["comment"] = comment or details["comment"]
        self.tell("customer.subscription.deleted", sub)

    # Time

    def move_to(self, moment: int) -> None:
        """Live through everything that becomes due until then, in order."""
        while found := self._next(moment):
            self.at = max(found[0], self.now())
            self._live_through(found[1])
            self.at = None
            self.ahead = max(self.ahead, found[0] - int(time.time()))
        self.ahead = moment - int(time.time())
        self._settle_debits(moment)

    def live(self) -> bool:
        """Through what is due by now. False: nothing was."""
        is_debit_due = any(
            each.get("_debit_due", self.now() + 1) <= self.now() for each in self.all("checkout.session")
        )
        is_due = is_debit_due or self._next(self.now()) is not None
        if is_due:
            self.move_to(self.now())
        return is_due

    def let_pass(self, customer: Thing, seconds: int) -> None:
        """The same for one customer alone, while our clock stays: all of theirs is older by that, and lived through."""
        for thing in list(self.things.values()):
            if thing["object"] != "event" and thing.get("customer") == customer["id"]:
                age(thing, seconds)
                for item in thing.get("items", []):
                    age(self.things[item], seconds)
        for sub in self.all("subscription"):
            if sub["customer"] == customer["id"]:
                self.tell("customer.subscription.updated", sub)
        while found := self._next(self.now(), customer):
            self.at = found[0]
            self._live_through(found[1])
            self.at = None

    def until_next(self, customer: Thing) -> int | None:
        """How many seconds nothing happens to this customer; None: for ever."""
        due = [self._due(sub) for sub in self.all("subscription") if sub["customer"] == customer["id"]]
        return max(min(at for at in due if at) - self.now(), 0) if any(due) else None

    def _settle_debits(self, until: int) -> None:
        """What banks have taken their days for is there by then, or has bounced."""
        for session in self.all("checkout.session"):
            if session.get("_debit_due", until + 1) > until:
                continue
            del session["_debit_due"]
            if session["_debit"] == "bounces":
                self.things[session["payment_intent"]]["status"] = "requires_payment_method"
                self.tell("checkout.session.async_payment_failed", session)
                continue
            self.settle(self.things[session["payment_intent"]])
            session["payment_status"] = "paid"
            self.tell("checkout.session.async_payment_succeeded", session)

    def _next(self, until: int, customer: Thing | None = None) -> tuple[int, Thing] | None:
        due = [
            (at, sub["id"])
            for sub in self.all("subscription")
            if customer is None or sub["customer"] == customer["id"]
            if (at := self._due(sub)) is not None and at <= until
        ]
        return (min(due)[0], self.things[min(due)[1]]) if due else None

    def _due(self, sub: Thing) -> int | None:
        """When something happens to it next."""
        if sub["status"] not in {"trialing", "active", "past_due", "unpaid"}:
            return None
        moments: list[int | None] = [self.line(sub)["current_period_end"], sub["cancel_at"], sub["_retry"]]
        return min(moment for moment in moments if moment)

    def _live_through(self, sub: Thing) -> None:
        now, line = self.now(), self.line(sub)
        if sub["_retry"] and sub["_retry"] <= now:
            sub["_retry"] = None
            self.pay(self.things[sub["latest_invoice"]])
        elif (sub["cancel_at"] and sub["cancel_at"] <= now) or sub["cancel_at_period_end"]:
            self.end(sub, "cancellation_requested")
        else:
            price = self.things[line["price"]]
            start = line["current_period_end"]
            line |= {"current_period_start": start, "current_period_end": later(start, price)}
            if sub["status"] == "trialing":
                sub["status"] = "active"
            self.tell("customer.subscription.updated", sub)
            if sub["pause_collection"] is None:
                self.bill(sub, "subscription_cycle")

    def declined(self, customer: Thing) -> str:
        method = self.things.get(customer["invoice_settings"]["default_payment_method"] or "")
        if method is None:
            return "There is no card."
        if method["_number_of_card"] == FAILS_LATER:
            return "Your card was declined."
        if method["_number_of_card"] == ASKED_BY_BANK:
            return NEEDS_ITS_OWNER
        return DECLINED.get(method["_number_of_card"], "")

    def _failed(self, invoice: Thing, sub: Thing) -> None:
        self.tell("invoice.payment_failed", invoice)
        tries = invoice["attempt_count"]
        if sub["status"] == "incomplete":
            return
        if tries <= len(RETRIES):
            sub["status"], sub["_retry"] = "past_due", self.now() + RETRIES[tries - 1]
            self.tell("customer.subscription.updated", sub)
        elif self.gives_up_with == "unpaid":
            sub["status"], sub["_retry"] = "unpaid", None
            self.tell("customer.subscription.updated", sub)
        else:
            invoice["status"] = "uncollectible"
            self.end(sub, "payment_failed")
