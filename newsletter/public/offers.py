"""Offers by their link or code. Looking takes nothing; there are few looks, as codes can be guessed."""

from flask import g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from newsletter import guards
from newsletter.billing import checkout, offers, stripe
from newsletter.billing.models import Offer
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.guards import limiter
from newsletter.public import bp, frame, network, support, viewer
from newsletter.tiers.models import Price

FROM_A_NETWORK = "40 per hour"
Page = str | tuple[str, int] | Response


@bp.get("/offers")
def typed_offer() -> Page:
    """The field of a form leads here."""
    code = request.args.get("code", "").strip().lower()[: offers.LONGEST_CODE]
    if not code.replace("-", "").isalnum() or not code.isascii():
        raise offers.NoSuchOffer
    return redirect(url_for(".offer_page", code=code), 303)


@bp.get("/offers/<code>")
@limiter.limit(FROM_A_NETWORK, key_func=network.of_visitor)
def offer_page(code: str) -> Page:
    return _page(_open(code))


@bp.post("/offers/<code>/<int:price_id>")
@limiter.limit(FROM_A_NETWORK, key_func=network.of_visitor)
def take_offer(code: str, price_id: int) -> Page:
    offer, price = _open(code), db.session.get(Price, price_id)
    if price is None or price not in offers.prices(offer):
        raise offers.NoSuchOffer
    try:
        account, there = stripe.connected()
        url = checkout.membership(account, there, price, subscriber=viewer.reader(), code=code)
    except offers.NoSuchOffer:
        raise
    except NewsletterError as error:
        db.session.rollback()
        return _page(offer, error.sentence, error.status)
    db.session.commit()
    return redirect(url, 303)


def _open(code: str) -> Offer:
    """Raises NoSuchOffer."""
    if not support.is_for_sale():
        raise offers.NoSuchOffer
    return offers.find(code)


def _page(offer: Offer, sentence: str = "", status: int = 200) -> Response:
    language = frame.publication().language
    choices = [
        (price, offers.in_words(offer, price.amount, price.currency, price.cadence.value, language))
        for price in offers.prices(offer)
    ]
    page = render_template("public/offer.html", offer=offer, choices=choices, sentence=sentence)
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = guards.content_security_policy(
        g.csp_nonce, forms_lead_to=[support.till(support.CHECKOUT)]
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
