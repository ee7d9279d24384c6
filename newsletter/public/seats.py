"""Paying for several, and taking a seat. Looking at a seat takes nothing: mail scanners look at it, too."""

from flask import g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from newsletter import guards
from newsletter.billing import checkout, seats, stripe, telling
from newsletter.billing.checkout import NotForSale
from newsletter.billing.models import Terms
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.guards import limiter
from newsletter.public import bp, frame, network, support, viewer
from newsletter.subscribers.addresses import Address
from newsletter.tiers import money
from newsletter.tiers.models import MembershipState, Price, Tier

FROM_A_NETWORK = "60 per hour"
Page = str | tuple[str, int] | Response


@bp.get("/support/group")
def group_page() -> Page:
    return _group_page()


@bp.post("/support/group")
@limiter.limit(FROM_A_NETWORK, key_func=network.of_visitor)
def choose_group() -> Page:
    """To the provider's page. Seats are offered once it is paid there."""
    if not is_for_sale():
        raise NotForSale("There are no groups here at the moment.")
    try:
        account, there = stripe.connected()
        price, number = _chosen(request.form.get("what", "")), _number(request.form.get("seats", ""))
        url = checkout.membership(account, there, price, subscriber=viewer.reader(), seats=number)
    except NewsletterError as error:
        db.session.rollback()
        return _group_page(error.sentence, error.status)
    db.session.commit()
    return redirect(url, 303)


@bp.get("/seats/<token>")
def seat_page(token: str) -> Page:
    return _seat_page(token)


@bp.post("/seats/<token>")
@limiter.limit(FROM_A_NETWORK, key_func=network.of_visitor)
def take_seat(token: str) -> Page:
    try:
        membership = seats.take(token, viewer.reader() or Address.read(request.form.get("email", "")))
    except NewsletterError as error:
        db.session.rollback()
        return _seat_page(token, error.sentence), error.status
    db.session.commit()
    if membership is None:
        return _seat_page(token), 409
    _, group = seats.by_link(token)
    return render_template(
        "public/seats/taken.html",
        tier=membership.tier.name,
        until="" if group.state is MembershipState.ACTIVE else telling.day(membership.ends_at),
        is_signed_in=viewer.reader() is not None,
    )


def is_for_sale() -> bool:
    terms = db.session.get(Terms, frame.publication().id)
    return support.is_for_sale() and (terms is None or terms.has_groups) and bool(_choices())


def _group_page(sentence: str = "", status: int = 200) -> Response:
    if not is_for_sale():
        raise NotForSale("There are no groups here at the moment.")
    page = render_template(
        "public/seats/group.html",
        choices=_choices(),
        given=request.form,
        fewest=seats.FEWEST,
        most=seats.MOST,
        sentence=sentence,
    )
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = guards.content_security_policy(
        g.csp_nonce, forms_lead_to=[support.till(support.CHECKOUT)]
    )
    return response


def _seat_page(token: str, sentence: str = "") -> str:
    seat, group = seats.by_link(token)
    reader = viewer.reader()
    return render_template(
        "public/seats/seat.html",
        seat=seat,
        tier=group.tier,
        until="" if group.state is MembershipState.ACTIVE else telling.day(group.ends_at),
        token=token,
        signed_in_as=reader.email if reader else "",
        typed=request.form.get("email", ""),
        sentence=sentence,
    )


def _choices() -> list[tuple[str, str]]:
    """Every price on offer. Whoever pays for several pays for each the same."""
    language = frame.publication().language

    def words(price: Price) -> str:
        return f"{price.tier.name}, {money.written(price.amount, price.currency, language)} a {price.cadence} each"

    return [(str(price.id), words(price)) for tier in Tier.on_offer() for price in tier.prices]


def _chosen(what: str) -> Price:
    """Raises BadSeat."""
    price = db.session.get(Price, int(what)) if what in dict(_choices()) else None
    if price is None:
        raise seats.BadSeat("Choose what to pay for.")
    return price


def _number(typed: str) -> int:
    """Raises BadSeat."""
    number = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 6 else 0
    if not seats.FEWEST <= number <= seats.MOST:
        raise seats.BadSeat(f"Choose between {seats.FEWEST} and {seats.MOST} seats, with your own.")
    return number
