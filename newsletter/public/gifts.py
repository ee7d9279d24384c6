"""Giving a tier away, and taking what was given. Looking at a gift takes nothing: mail scanners look at it, too."""

from datetime import date

from flask import g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from newsletter import clock, guards
from newsletter.billing import gifts, stripe, telling
from newsletter.billing.checkout import NotForSale
from newsletter.billing.gifts import BadGift, Wrapping
from newsletter.billing.models import Terms
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.guards import limiter
from newsletter.public import bp, frame, network, support, viewer
from newsletter.subscribers.addresses import Address
from newsletter.tiers import money
from newsletter.tiers.models import Price, Tier

FROM_A_NETWORK = "60 per hour"
Page = str | tuple[str, int] | Response


@bp.get("/support/gift")
def give_page() -> Page:
    return _give_page()


@bp.post("/support/gift")
@limiter.limit(FROM_A_NETWORK, key_func=network.of_visitor)
def give() -> Page:
    """To the provider's page. Nothing is mailed to anybody before it is paid there."""
    try:
        account, there = stripe.connected()
        price, months = _chosen(request.form.get("what", ""))
        url = gifts.buy(account, there, price, months, _wrapping(), giver=viewer.reader())
    except NewsletterError as error:
        db.session.rollback()
        return _give_page(error.sentence, error.status)
    db.session.commit()
    return redirect(url, 303)


@bp.get("/gifts/<token>")
def gift_page(token: str) -> Page:
    return _gift_page(token)


@bp.post("/gifts/<token>")
@limiter.limit(FROM_A_NETWORK, key_func=network.of_visitor)
def take_gift(token: str) -> Page:
    try:
        membership = gifts.take(token, viewer.reader() or Address.read(request.form.get("email", "")))
    except NewsletterError as error:
        db.session.rollback()
        return _gift_page(token, error.sentence), error.status
    db.session.commit()
    if membership is None:
        return _gift_page(token), 409
    return render_template(
        "public/gifts/taken.html",
        tier=membership.tier.name,
        until=telling.day(membership.ends_at),
        is_signed_in=viewer.reader() is not None,
    )


def _give_page(sentence: str = "", status: int = 200) -> Response:
    choices = _choices()
    terms = db.session.get(Terms, frame.publication().id)
    if not choices or not support.is_for_sale() or (terms and not terms.has_gifts):
        raise NotForSale("Nothing can be given away here at the moment.")
    page = render_template(
        "public/gifts/give.html",
        choices=choices,
        given=request.form,
        sentence=sentence,
        longest=gifts.LONGEST_MESSAGE,
        earliest=clock.now().astimezone(frame.publication().zone).date(),
    )
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = guards.content_security_policy(
        g.csp_nonce, forms_lead_to=[support.till(support.CHECKOUT)]
    )
    return response


def _gift_page(token: str, sentence: str = "") -> str:
    gift = gifts.by_link(token)
    reader = viewer.reader()
    return render_template(
        "public/gifts/gift.html",
        gift=gift,
        span=gifts.span(gift.months),
        token=token,
        signed_in_as=reader.email if reader else "",
        typed=request.form.get("email", ""),
        sentence=sentence,
    )


def _choices() -> list[tuple[str, str]]:
    """Every tier on offer, for every time it can be given for."""
    language = frame.publication().language

    def words(price: Price, months: int) -> str:
        costs = money.written(gifts.cost(price, months), price.currency, language)
        return f"{price.tier.name} for {gifts.span(months)}, {costs}"

    return [
        (f"{price.id}-{months}", words(price, months))
        for tier in Tier.on_offer()
        for price in tier.prices
        for months in gifts.MONTHS[price.cadence]
    ]


def _chosen(what: str) -> tuple[Price, int]:
    """Raises BadGift."""
    known = dict(_choices())
    price = db.session.get(Price, int(what.partition("-")[0])) if what in known else None
    if price is None:
        raise BadGift("Choose what to give.")
    return price, int(what.partition("-")[2])


def _wrapping() -> Wrapping:
    """Raises BadAddress, BadGift."""
    email, day = request.form.get("email", "").strip(), request.form.get("day", "").strip()
    try:
        chosen = date.fromisoformat(day) if day else None
    except ValueError:
        raise BadGift("Choose a day, or leave it empty for today.") from None
    return Wrapping(
        giver=request.form.get("giver", ""),
        recipient=Address.read(email) if email else None,
        message=request.form.get("message", ""),
        day=chosen,
    )
