"""The seats of a group, for who pays for them and for who holds one."""

from flask import redirect, render_template, request, url_for

from newsletter.billing import plans, seats, stripe, telling
from newsletter.billing.models import Seat
from newsletter.billing.values import Difference
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.guards import limiter
from newsletter.public import bp, viewer
from newsletter.public.account import door
from newsletter.public.account.door import Page
from newsletter.public.account.plans import NoSuchPlan, costs, own, told_before
from newsletter.subscribers.addresses import Address
from newsletter.tiers.models import Membership, MembershipKind

OFFERS_OF_A_READER = "120 per hour"
SAID = {
    "offered": "Offered: a letter with the link is on its way.",
    "free": "Taken back: the seat is free again.",
    "number": "It is changed.",
}


def _browser() -> str:
    return request.cookies.get(viewer.cookie_name(), "")


@bp.get("/account/plans/<int:membership_id>/seats")
@door.required
def seats_page(membership_id: int) -> Page:
    return _page(own(membership_id), wanted=request.args.get("number", ""))


@bp.post("/account/plans/<int:membership_id>/seats")
@limiter.limit(OFFERS_OF_A_READER, key_func=_browser)
@door.required
def offer_seat(membership_id: int) -> Page:
    group = own(membership_id)
    try:
        seats.offer(group, Address.read(request.form.get("email", "")))
    except NewsletterError as error:
        db.session.rollback()
        return _page(group, error.sentence), error.status
    db.session.commit()
    return redirect(url_for(".seats_page", membership_id=group.id, said="offered"), 303)


@bp.post("/account/plans/<int:membership_id>/seats/<int:seat_id>/back")
@door.required
def take_seat_back(membership_id: int, seat_id: int) -> Page:
    group, seat = own(membership_id), db.session.get(Seat, seat_id)
    if seat is None or seat.group_id != group.id:
        raise seats.NoSuchSeat
    seats.take_back(group, seat)
    db.session.commit()
    return redirect(url_for(".seats_page", membership_id=group.id, said="free"), 303)


@bp.post("/account/plans/<int:membership_id>/seats/number")
@door.required
def change_number(membership_id: int) -> Page:
    """To what was told on the page before."""
    group = own(membership_id)
    try:
        number = _number(request.form.get("number", ""))
        plans.change_seats(*stripe.connected(), group, number, told_before())
    except NewsletterError as error:
        db.session.rollback()
        return _page(group, error.sentence), error.status
    db.session.commit()
    return redirect(url_for(".seats_page", membership_id=group.id, said="number"), 303)


@bp.post("/account/seats/<int:membership_id>/back")
@door.required
def give_seat_back(membership_id: int) -> Page:
    """By who holds it and does not want it any more."""
    held = db.session.get(Membership, membership_id)
    if held is None or held.subscriber_id != door.reader().id or held.kind is not MembershipKind.SEAT:
        raise NoSuchPlan
    seats.give_back(held)
    db.session.commit()
    return redirect(url_for(".account", said="seat-back"), 303)


def _page(group: Membership, sentence: str = "", wanted: str = "") -> str:
    told: plans.Told | None = None
    difference: Difference | None = None
    number = _number(wanted)
    if wanted and number != group.seats:
        try:
            told, difference = plans.preview_seats(*stripe.connected(), group, number)
        except NewsletterError as error:
            db.session.rollback()
            sentence = error.sentence
    return render_template(
        "public/account/seats.html",
        group=group,
        price=telling.price(group),
        seats=seats.of(group),
        free=seats.free(group),
        most=seats.MOST,
        number=number,
        told=told,
        costs=costs(difference) if difference else [],
        typed=request.form.get("email", ""),
        said=SAID.get(request.args.get("said", ""), ""),
        sentence=sentence,
        proof=door.proof(),
    )


def _number(typed: str) -> int:
    """Nothing that can be had for what is no number."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 6 else 0
