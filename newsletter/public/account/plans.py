"""What readers do with what they pay for. Every step says beforehand what it means."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from newsletter import guards
from newsletter.billing import offers, plans, retaining, stripe, telling
from newsletter.billing.values import Difference
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.public import bp, frame, support
from newsletter.public.account import door, home
from newsletter.public.account.door import Page
from newsletter.public.account.holding import Holding, holdings
from newsletter.tiers import money
from newsletter.tiers.models import Membership, MembershipKind, Price

PORTAL = "https://billing.stripe.com"


class NoSuchPlan(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such plan in your account.")


@bp.get("/account/plans/<int:membership_id>/cancel")
@door.required
def cancel_page(membership_id: int) -> Page:
    held = _held(membership_id)
    return render_template(
        "public/account/cancel.html",
        held=held,
        until=telling.day(plans.runs_until(held.membership)),
        ends_now=held.is_failing,
        stay=_stay(held.membership),
        proof=door.proof(),
    )


@bp.post("/account/plans/<int:membership_id>/cancel")
@door.required
def cancel(membership_id: int) -> Page:
    membership, reason = own(membership_id), request.form.get("reason", "")
    return _carry_out("cancelled", lambda: plans.cancel(*stripe.connected(), membership, reason))


@bp.post("/account/plans/<int:membership_id>/stay")
@door.required
def stay(membership_id: int) -> Page:
    """For what was offered on the page of the cancellation."""
    membership = own(membership_id)
    return _carry_out("stays", lambda: retaining.accept(*stripe.connected(), membership))


@bp.post("/account/plans/<int:membership_id>/keep")
@door.required
def keep_plan(membership_id: int) -> Page:
    membership = own(membership_id)
    return _carry_out("kept", lambda: plans.take_back(*stripe.connected(), membership))


@bp.post("/account/plans/<int:membership_id>/pause")
@door.required
def pause_plan(membership_id: int) -> Page:
    membership, months = own(membership_id), request.form.get("months", "")
    return _carry_out(
        "paused",
        lambda: plans.pause(*stripe.connected(), membership, int(months) if months.isdecimal() else 0),
    )


@bp.post("/account/plans/<int:membership_id>/go-on")
@door.required
def resume_plan(membership_id: int) -> Page:
    membership = own(membership_id)
    return _carry_out("resumed", lambda: plans.resume(*stripe.connected(), membership))


@bp.get("/account/plans/<int:membership_id>/switch")
@door.required
def switch_page(membership_id: int) -> Page:
    return _switch_page(own(membership_id), request.args.get("to", ""))


@bp.post("/account/plans/<int:membership_id>/switch")
@door.required
def switch_plan(membership_id: int) -> Page:
    membership, wanted = own(membership_id), request.form.get("to", "")
    price = _price(wanted)
    try:
        plans.switch(*stripe.connected(), membership, price, told_before())
    except NewsletterError as error:
        db.session.rollback()
        return _switch_page(membership, wanted, error.sentence), error.status
    db.session.commit()
    return redirect(url_for(".account", said="switched"), 303)


@bp.post("/account/plans/<int:membership_id>/card")
@door.required
def card(membership_id: int) -> Page:
    """To the provider's page for the card and the invoices."""
    membership = own(membership_id)
    try:
        url = plans.portal(*stripe.connected(), membership)
    except NewsletterError as error:
        db.session.rollback()
        return home.page(sentence=error.sentence), error.status
    return redirect(url, 303)


@bp.after_request
def _let_forms_lead_to_the_provider(response: Response) -> Response:
    if request.endpoint == "public.account":
        response.headers["Content-Security-Policy"] = guards.content_security_policy(
            g.csp_nonce, forms_lead_to=[support.till(PORTAL)]
        )
    return response


def told_before() -> plans.Told:
    """What the page before said it costs, as its form brings it back. Raises StaleForm."""
    try:
        at = datetime.fromtimestamp(int(request.form.get("at", "")), UTC)
        return plans.Told(at, int(request.form.get("due", "")))
    except (ValueError, OverflowError, OSError):  # the last two: a year that no clock knows
        raise door.StaleForm from None


def own(membership_id: int) -> Membership:
    """One of the reader's own, that they pay for. Raises NoSuchPlan."""
    found = db.session.get(Membership, membership_id)
    if found is None or found.subscriber_id != door.reader().id or found.kind is not MembershipKind.PAID:
        raise NoSuchPlan
    return found


def _held(membership_id: int) -> Holding:
    own(membership_id)
    found = [each for each in holdings(door.reader()) if each.membership.id == membership_id]
    if not found:
        raise NoSuchPlan
    return found[0]


def _carry_out(said: str, do: Callable[[], None]) -> Page:
    """Once it is done the page says so; a refusal is shown where the button was."""
    try:
        do()
    except NewsletterError as error:
        db.session.rollback()
        return home.page(sentence=error.sentence), error.status
    db.session.commit()
    return redirect(url_for(".account", said=said), 303)


def _switch_page(membership: Membership, wanted: str, sentence: str = "") -> str:
    told = difference = price = None
    if wanted and not sentence:
        price = _price(wanted)
        try:
            told, difference = plans.preview(*stripe.connected(), membership, price)
        except NewsletterError as error:
            db.session.rollback()
            price, sentence = None, error.sentence
    return render_template(
        "public/account/switch.html",
        membership=membership,
        now=telling.price(membership),
        choices=[(each, _words(each)) for each in plans.choices(membership)],
        chosen=price,
        told=told,
        costs=costs(difference) if difference else [],
        sentence=sentence,
        proof=door.proof(),
    )


def _price(wanted: str) -> Price:
    found = db.session.get(Price, int(wanted)) if wanted.isdecimal() and len(wanted) < 18 else None
    if found is None:
        raise NoSuchPlan
    return found


def _words(price: Price) -> str:
    return f"{price.tier.name}, {_written(price.amount, price.currency)} a {price.cadence}"


def _stay(membership: Membership) -> str:
    """What they may stay for, in words; empty: nothing is offered."""
    offer = retaining.offer_for(membership)
    if offer is None or not membership.cadence:
        return ""
    price, currency, each = membership.amount or 0, membership.currency or "", membership.cadence.value
    return offers.in_words(offer, price, currency, each, frame.publication().language, "next")


def costs(difference: Difference) -> list[str]:
    """What is charged now, what is left over, and what is charged next."""
    currency, due = difference.currency, difference.due_now
    now = "Nothing is charged now."
    if due > 0:
        now = f"{_written(due, currency)} is charged now: what is left of your present plan is taken off."
    elif due < 0:
        now = f"Nothing is charged now: {_written(-due, currency)} is left over, and pays what comes next."
    following = _written(difference.next_amount, currency)
    return [now, f"The next payment, {following}, is due on {telling.day(difference.next_at)}."]


def _written(amount: int, currency: str) -> str:
    return money.written(amount, currency, frame.publication().language)
