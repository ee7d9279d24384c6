"""What paying readers hold, what it costs, and the way to the page that takes the payment."""

from urllib.parse import urlsplit

from flask import g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from newsletter import config, guards
from newsletter.billing import checkout, stripe
from newsletter.billing.models import Account, Offer, Terms
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.guards import limiter
from newsletter.posts.models import Post
from newsletter.public import bp, frame, network, viewer
from newsletter.subscribers import consent
from newsletter.tiers import money
from newsletter.tiers.models import Price, Tier

CHECKOUT = "https://checkout.stripe.com"
FROM_A_NETWORK = "30 per hour"
Page = str | tuple[str, int] | Response


class NothingToSupport(NotFound):
    def __init__(self) -> None:
        super().__init__("Everything here is free to read: there is nothing to pay for.")


@bp.get("/support")
def support() -> Response:
    tiers = Tier.on_offer()
    if not tiers:
        raise NothingToSupport
    return _page(tiers)


@bp.post("/support/tiers/<int:price_id>")
@limiter.limit(FROM_A_NETWORK, key_func=network.of_visitor)
def choose_tier(price_id: int) -> Response:
    """To the provider's page. Nothing is held or owed before it is paid there."""
    price = db.session.get(Price, price_id)
    if price is None or price.tier not in Tier.on_offer():
        raise NothingToSupport
    try:
        account, there = stripe.connected()
        typed = request.form.get("amount", "")
        amount = money.read(typed, price.currency) if typed.strip() and price.tier.is_minimum else None
        url = checkout.membership(
            account, there, price, subscriber=viewer.reader(), amount=amount, post_id=_post(request.form.get("post"))
        )
    except NewsletterError as error:
        db.session.rollback()
        return _page(Tier.on_offer(), sentence=error.sentence, status=error.status)
    db.session.commit()
    return redirect(url, 303)


@bp.post("/support/once")
@limiter.limit(FROM_A_NETWORK, key_func=network.of_visitor)
def pay_once() -> Response:
    try:
        account, there = stripe.connected()
        terms = _terms()
        amount = money.read(request.form.get("amount", ""), terms.supporter_currency if terms else "EUR")
        url = checkout.support(account, there, amount, subscriber=viewer.reader())
    except NewsletterError as error:
        db.session.rollback()
        return _page(Tier.on_offer(), sentence=error.sentence, status=error.status)
    db.session.commit()
    return redirect(url, 303)


@bp.get("/support/thanks")
def thanks() -> str:
    """Where the provider sends who has paid. Whether they have is told to us by the provider alone."""
    return render_template("public/thanks.html")


def _page(tiers: list[Tier], sentence: str = "", status: int = 200) -> Response:
    first = frame.newsletters()[0] if frame.newsletters() else None
    is_open = is_for_sale()
    terms = _terms()
    page = render_template(
        "public/support.html",
        tiers=tiers,
        prices_of=_prices_of,
        choices_of=_choices_of if is_open else lambda _: [],
        once=terms if is_open and terms and terms.supporter_minimum else None,
        least=money.written(terms.supporter_minimum, terms.supporter_currency, frame.publication().language)
        if terms and terms.supporter_minimum
        else "",
        is_for_sale=is_open,
        has_offers=is_open and Offer.any_exists(),
        has_gifts=is_open and (terms is None or terms.has_gifts) and any(tier.prices for tier in tiers),
        has_groups=is_open and (terms is None or terms.has_groups) and any(tier.prices for tier in tiers),
        post=request.values.get("post", "") if _post(request.values.get("post")) else "",
        wording=consent.wording(frame.publication().name, [first.name]) if first else "",
        write_to=(first.reply_to or first.sender_email) if first else "",
        sentence=sentence,
    )
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = guards.content_security_policy(
        g.csp_nonce, forms_lead_to=[till(CHECKOUT)] if is_open else []
    )
    return response


def is_for_sale() -> bool:
    terms = _terms()
    return config.settings().billing != "off" and Account.connected() is not None and not (terms and terms.paused_at)


def _terms() -> Terms | None:
    return db.session.get(Terms, frame.publication().id)


def till(real: str) -> str:
    """The site of the provider's pages, or of the practice till in its place."""
    settings = config.settings()
    parts = urlsplit(settings.till_url)
    return f"{parts.scheme}://{parts.netloc}" if settings.billing == "test" and parts.netloc else real


def _post(slug: str | None) -> int | None:
    """The post from which somebody came."""
    found = Post.by_slug(slug) if slug else None
    return found.id if found else None


def _choices_of(tier: Tier) -> list[tuple[Price, str, str]]:
    """Each price with its words, and its address."""
    language = frame.publication().language
    return [
        (
            price,
            f"{money.written(price.amount, price.currency, language)} a {price.cadence}",
            url_for(".choose_tier", price_id=price.id),
        )
        for price in tier.prices
    ]


def _prices_of(tier: Tier) -> list[str]:
    """One sentence for each currency: "€5.00 a month, or €50.00 a year." """
    language, by_currency = frame.publication().language, dict[str, list[str]]()
    for price in tier.prices:
        amount = money.written(price.amount, price.currency, language)
        by_currency.setdefault(price.currency, []).append(f"{amount} a {price.cadence}")
    start = "From " if tier.is_minimum else ""
    trial = f" The first {tier.trial_days} days are free." if tier.trial_days else ""
    return [f"{start}{', or '.join(ways)}.{trial}" for ways in by_currency.values()]
