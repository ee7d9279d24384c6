"""The till's answers, at the addresses of Stripe's API."""

import hmac
import re
from copy import deepcopy
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request

from newsletter.up.till.moments import later
from newsletter.up.till.state import NEEDS_ITS_OWNER, Planned, Thing, Till

bp = Blueprint("api", __name__, url_prefix="/v1")
KINDS = {
    "products": ("product", "prod"),
    "prices": ("price", "price"),
    "customers": ("customer", "cus"),
    "coupons": ("coupon", "co"),
    "webhook_endpoints": ("webhook_endpoint", "we"),
    "subscriptions": ("subscription", "sub"),
    "invoices": ("invoice", "in"),
    "payment_intents": ("payment_intent", "pi"),
    "charges": ("charge", "ch"),
    "disputes": ("dispute", "dp"),
    "events": ("event", "evt"),
    "checkout/sessions": ("checkout.session", "cs_test"),
    "billing_portal/configurations": ("billing_portal.configuration", "bpc"),
}
_PART = re.compile(r"\[([^\]]*)\]")


class Refused(Exception):
    def __init__(self, status: int, kind: str, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, "code": code, "param": param}


def till() -> Till:
    found: Till = current_app.config["TILL"]
    return found


@bp.before_request
def enter() -> Response | tuple[Response, int] | None:
    key = (request.authorization.token if request.authorization else "") or ""
    if not hmac.compare_digest(key, current_app.config["KEY"]):
        return jsonify(error={"type": "invalid_request_error", "message": "Invalid API Key provided"}), 401
    till().lock.acquire()
    g.has_lock = True
    if till().failing:
        status = till().failing.pop(0)
        return jsonify(error={"type": "api_error", "message": "The till is told to fail."}), status
    g.once = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    g.body = request.get_data(as_text=True)  # before it is read as a form, which leaves nothing of it
    if g.once and g.once in till().answers:
        body, answer = till().answers[g.once]
        if body != g.body:
            return jsonify(error={"type": "idempotency_error", "message": "Same key, other words."}), 400
        return jsonify(answer)
    return None


@bp.after_request
def remember(response: Response) -> Response:
    if g.get("once") and response.status_code == 200 and response.is_json:
        till().answers[g.once] = (g.body, response.get_json())
    return response


@bp.teardown_request
def leave(_: BaseException | None) -> None:
    if g.pop("has_lock", False):
        till().lock.release()


@bp.errorhandler(Refused)
def refuse(refused: Refused) -> tuple[Response, int]:
    return jsonify(error=refused.error), refused.status


@bp.get("/account")
def account() -> Response:
    return jsonify(
        id="acct_practice",
        object="account",
        country="DE",
        default_currency="eur",
        email="till@example.org",
        business_profile={"name": "Practice till"},
        charges_enabled=True,
    )


@bp.post("/<path:where>")
def write(where: str) -> Response:
    said = _said()
    said.pop("expand", None)
    made = _write(where, said)
    return jsonify(shown(made, _expanded()))


@bp.get("/<path:where>")
def read(where: str) -> Response:
    if where in KINDS:
        return jsonify(_listed(where))
    return jsonify(shown(_find(where), _expanded()))


@bp.delete("/<path:where>")
def drop(where: str) -> Response:
    found, state = _find(where), till()
    if found["object"] == "subscription":
        comment = (_said().get("cancellation_details") or {}).get("comment")
        state.end(found, "cancellation_requested", comment)
        return jsonify(shown(found, _expanded()))
    if found["object"] == "customer":
        for sub in state.all("subscription"):
            if sub["customer"] == found["id"] and sub["status"] != "canceled":
                state.end(sub, "cancellation_requested")
        found["deleted"] = True
        state.tell("customer.deleted", found)
    else:
        del state.things[found["id"]]
    return jsonify(id=found["id"], object=found["object"], deleted=True)


def _write(where: str, said: Thing) -> Thing:
    state = till()
    if where in KINDS:
        return _made(where, said)
    if where == "invoices/create_preview":
        return _previewed(said)
    if where == "billing_portal/sessions":
        return state.make("billing_portal.session", "bps", url=f"{request.host_url}portal/{said['customer']}", **said)
    if where == "refunds":
        charge = state.things[said["charge"]]
        charge["amount_refunded"] = charge["amount"]
        state.tell("charge.refunded", charge)
        return state.make("refund", "re", charge=charge["id"], amount=charge["amount"])
    found = _find(where)
    if found["object"] == "subscription":
        return _changed(found, said)
    found |= said
    kinds = {"customer": "customer.updated", "price": "price.updated", "product": "product.updated"}
    if found["object"] in kinds:
        state.tell(kinds[found["object"]], found)
    return found


def _made(where: str, said: Thing) -> Thing:
    state = till()
    kind, prefix = KINDS[where]
    match kind:
        case "customer":
            return state.customer(**said)
        case "price":
            said = _price(said)
        case "product":
            said = {"active": True, "description": None, **said}
        case "coupon":
            for number, kind_of_number in (("percent_off", float), ("amount_off", int), ("duration_in_months", int)):
                said[number] = kind_of_number(said[number]) if said.get(number) else None
        case "webhook_endpoint":
            said |= {"secret": "whsec_" + "practice" * 3, "status": "enabled"}
        case "checkout.session":
            said = _session(said)
    made = state.make(kind, prefix, **said)
    if kind == "checkout.session":
        made["url"] = f"{request.host_url}checkout/{made['id']}"
    return made


def _price(said: Thing) -> Thing:
    if said.get("product") not in till().things:
        raise Refused(400, "invalid_request_error", "No such product", "resource_missing", "product")
    made = {"active": True, "nickname": None, "type": "recurring", "recurring": None, **said}
    made["unit_amount"] = int(made["unit_amount"])
    if made["recurring"]:
        made["recurring"] = {"interval_count": 1, **made["recurring"]}
    return made


def _session(said: Thing) -> Thing:
    lines = said.pop("line_items", [])
    asked = {f"_{name}": said.pop(name, {}) for name in ("subscription_data", "payment_intent_data")}
    if "expires_at" in said:
        said["expires_at"] = int(said["expires_at"])
    if not lines:
        raise Refused(400, "invalid_request_error", "You must provide line_items.", param="line_items")
    for line in lines:
        if "price" in line and line["price"] not in till().things:
            raise Refused(400, "invalid_request_error", "No such price", "resource_missing", "line_items[0][price]")
    return {
        "customer": None,
        "customer_details": None,
        "customer_email": None,
        "subscription": None,
        "payment_intent": None,
        "payment_status": "unpaid",
        "status": "open",
        "amount_total": None,
        "currency": None,
        "_lines": lines,
        **asked,
        **said,
    }


def _changed(sub: Thing, said: Thing) -> Thing:
    state = till()
    if sub["status"] == "canceled":
        raise Refused(400, "invalid_request_error", "A canceled subscription can only update its metadata.")
    must_be_paid = said.pop("payment_behavior", "") == "error_if_incomplete"
    proration = said.pop("proration_behavior", "create_prorations")
    at = int(said.pop("proration_date", state.now()))
    for item in said.pop("items", []):
        planned = replanned(sub, item, proration, at)
        if must_be_paid and planned.due > 0 and (trouble := state.declined(state.things[sub["customer"]])):
            code = "authentication_required" if trouble == NEEDS_ITS_OWNER else "card_declined"
            raise Refused(402, "card_error", trouble, code)
        state.carry_out(sub, planned)
    if "trial_end" in said:
        _move_trial(sub, said.pop("trial_end"))
    for discount in said.pop("discounts", []):
        state.discount(sub, discount["coupon"])
    _plan_its_end(sub, said)
    if "pause_collection" in said:
        sub["pause_collection"] = said.pop("pause_collection") or None
    sub["metadata"] |= said.pop("metadata", {})
    sub["metadata"] = {key: value for key, value in sub["metadata"].items() if value != ""}
    sub |= {key: value for key, value in said.items() if key in sub}
    state.tell("customer.subscription.updated", sub)
    return sub


def _move_trial(sub: Thing, end: str) -> None:
    state, line = till(), till().line(sub)
    if end == "now":
        line |= {
            "current_period_start": state.now(),
            "current_period_end": later(state.now(), state.things[line["price"]]),
        }
        sub |= {"trial_end": state.now(), "status": "active"}
        state.bill(sub, "subscription_cycle")
        return
    sub |= {"trial_end": int(end), "status": "trialing"}
    line["current_period_end"] = int(end)


def _plan_its_end(sub: Thing, said: Thing) -> None:
    state, details = till(), sub["cancellation_details"]
    if "cancel_at_period_end" in said:
        wanted = said.pop("cancel_at_period_end") in {True, "true"}
        sub["cancel_at_period_end"] = wanted
        sub["cancel_at"] = state.line(sub)["current_period_end"] if wanted else None
    elif "cancel_at" in said:
        sub["cancel_at"] = int(said.pop("cancel_at") or 0) or None
    sub["canceled_at"] = (sub["canceled_at"] or state.now()) if sub["cancel_at"] else None
    details["reason"] = "cancellation_requested" if sub["cancel_at"] else None
    details |= said.pop("cancellation_details", {})
    if sub["cancel_at"] is None:
        details["comment"] = None


def _previewed(said: Thing) -> Thing:
    """An invoice that is never made: what a change would cost."""
    state, asked = till(), said["subscription_details"]
    sub = _find(f"subscriptions/{said['subscription']}")
    proration = asked.get("proration_behavior", "create_prorations")
    planned = replanned(sub, asked["items"][0], proration, int(asked.get("proration_date", state.now())))
    due = planned.due if proration == "always_invoice" else planned.full
    return {
        "id": "upcoming_in_practice",
        "object": "invoice",
        "customer": sub["customer"],
        "currency": planned.price["currency"],
        "total": due,
        "amount_due": max(due + min(state.things[sub["customer"]]["balance"], 0), 0),
        "period_end": planned.end,
        "lines": _list([{"object": "line_item", "period": {"start": planned.start, "end": planned.end}}]),
    }


def replanned(sub: Thing, item: Thing, proration: str, at: int) -> Planned:
    """What is left of what was paid for the old period is taken off the first payment of the new one."""
    state, line = till(), till().line(sub)
    before: Thing = state.things[line["price"]]
    after: Thing = state.things[item.get("price") or before["id"]]
    quantity = int(item.get("quantity") or line["quantity"])
    start, end = line["current_period_start"], line["current_period_end"]
    full = after["unit_amount"] * quantity
    lasting, first = (full - state.taken_off(sub, full, and_once=once) for once in (False, True))
    if sub["status"] == "trialing":
        return Planned(after, quantity, start, end, 0, first, 0)
    rest = (end - at) / (end - start)
    is_same = before["recurring"]["interval"] == after["recurring"]["interval"]
    new, unmixed = (rest, 0) if is_same else (1.0, lasting)
    if not is_same:
        start, end = at, later(at, after)
    due = _due(first * new - sub["_worth"] * rest, proration, unmixed)
    if due <= 0:  # a discount that is good for one payment waits for the first one
        due = _due(lasting * new - sub["_worth"] * rest, proration, unmixed)
        return Planned(after, quantity, start, end, due, first, lasting)
    return Planned(after, quantity, start, end, due, lasting, first)


def _due(mixed: float, proration: str, unmixed: int = 0) -> int:
    return {"none": unmixed, "create_prorations": 0}.get(proration, round(mixed))


def _listed(where: str) -> Thing:
    kind = KINDS[where][0]
    found = [thing for thing in till().all(kind) if not thing.get("deleted")]
    for part in ("customer", "subscription"):
        if wanted := request.args.get(part):
            found = [thing for thing in found if thing.get(part) == wanted]
    status = request.args.get("status")
    if status and status != "all":
        found = [thing for thing in found if thing.get("status") == status]
    if since := request.args.get("created[gte]"):
        found = [thing for thing in found if thing["created"] >= int(since)]
    if after := request.args.get("starting_after"):
        found = found[next((at + 1 for at, thing in enumerate(found) if thing["id"] == after), 0) :]
    most = int(request.args.get("limit", 10))
    parts = [part.removeprefix("data.") for part in _expanded()]
    return {
        "object": "list",
        "url": f"/v1/{where}",
        "has_more": len(found) > most,
        "data": [shown(thing, parts) for thing in found[:most]],
    }


def _find(where: str) -> Thing:
    kind = KINDS.get(where.rpartition("/")[0], ("", ""))[0]
    found = till().things.get(where.rpartition("/")[2])
    if found is None or found["object"] != kind:
        raise Refused(404, "invalid_request_error", f"No such {kind or 'thing'}", "resource_missing", "id")
    return found


def shown(thing: Thing, expanded: list[str]) -> Thing:
    """As it is told: what only the till knows is left out, and what was asked for whole is whole."""
    told = deepcopy({key: value for key, value in thing.items() if not key.startswith("_")})
    state = till()
    if thing["object"] == "subscription":
        told["items"] = _list([shown(state.line(thing), ["price"])])
    elif thing["object"] == "invoice" and "payments" in thing:
        paid = [
            {"id": "inpay", "object": "invoice_payment", "payment": {"payment_intent": p}} for p in thing["payments"]
        ]
        told["payments"] = _list(paid)
        told["hosted_invoice_url"] = f"{request.host_url}invoices/{thing['id']}"
    for path in expanded:
        _expand(told, path.split("."))
    return told


def _expand(told: Any, path: list[str]) -> None:
    if isinstance(told, list):
        for each in told:
            _expand(each, path)
        return
    name, rest = path[0], path[1:]
    inner = told.get(name) if isinstance(told, dict) else None
    if isinstance(inner, list):
        told[name] = inner = [shown(till().things[each], []) if isinstance(each, str) else each for each in inner]
    if isinstance(inner, str) and inner in till().things:
        told[name] = inner = shown(till().things[inner], [])
    if rest and inner:
        _expand(inner, rest)


def _list(data: list[Thing]) -> Thing:
    return {"object": "list", "data": data, "has_more": False, "url": "/v1"}


def _expanded() -> list[str]:
    wanted = [
        value
        for key, value in [*request.args.items(multi=True), *request.form.items(multi=True)]
        if key.startswith("expand[")
    ]
    return sorted(set(wanted))


def _said() -> Thing:
    """ "a[b][0][c]=d" as {"a": {"b": [{"c": "d"}]}}"""
    said: Thing = {}
    for key, value in request.form.items(multi=True):
        names = [key.partition("[")[0], *_PART.findall(key)]
        place = said
        for name in names[:-1]:
            place = place.setdefault(name, {})
        place[names[-1]] = {"true": True, "false": False}.get(value, value)
    told = _with_lists(said)
    assert isinstance(told, dict)
    return told


def _with_lists(said: Any) -> Any:
    if not isinstance(said, dict):
        return said
    if said and all(key.isdecimal() for key in said):
        return [_with_lists(said[key]) for key in sorted(said, key=int)]
    return {key: _with_lists(value) for key, value in said.items()}
