"""Tiers for less: offers by link and code, to who cancels, and to who has left."""

from datetime import date, datetime, time, timedelta
from typing import TypeVar

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from newsletter import clock
from newsletter.admin import bp
from newsletter.admin.money import owners_only
from newsletter.admin.settings import saved
from newsletter.billing import offers as catalogue
from newsletter.billing import terms
from newsletter.billing.models import Offer, OfferKind, OfferLasts
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.publication.models import Publication
from newsletter.publication.settings import BadSetting
from newsletter.tiers import money
from newsletter.tiers.models import Cadence, Tier

KINDS = {
    OfferKind.PERCENT: "Percent off",
    OfferKind.AMOUNT: "An amount off each payment",
    OfferKind.TRIAL: "Days for nothing",
}
LASTS = {
    OfferLasts.ONCE: "The first payment",
    OfferLasts.MONTHS: "Some months",
    OfferLasts.FOREVER: "For as long as they stay",
}
MOST_DAYS = 365
Kind = TypeVar("Kind", OfferKind, OfferLasts, Cadence)


@bp.get("/money/offers")
def offers() -> ResponseReturnValue:
    owners_only()
    return _page()


@bp.post("/money/offers")
def add_offer() -> ResponseReturnValue:
    owners_only()
    try:
        made = catalogue.add(_read())
    except NewsletterError as error:
        db.session.rollback()
        return _page(error.sentence), 422
    return saved("added an offer", f"offer {made.id}", url_for(".offers"), f"“{made.name}” can be taken now.")


@bp.post("/money/offers/<int:offer_id>/archive")
def archive_offer(offer_id: int) -> ResponseReturnValue:
    owners_only()
    offer = _find(offer_id)
    offer.archived_at = offer.archived_at or clock.now()
    words = "Nobody takes it any more. Who has taken it keeps it."
    back = {"text": words, "undo": url_for(".reopen_offer", offer_id=offer.id)}
    return saved("archived an offer", f"offer {offer.id}", url_for(".offers"), back)


@bp.post("/money/offers/<int:offer_id>/open")
def reopen_offer(offer_id: int) -> ResponseReturnValue:
    owners_only()
    offer = _find(offer_id)
    offer.archived_at = None
    return saved("opened an offer again", f"offer {offer.id}", url_for(".offers"), "It can be taken again.")


@bp.post("/money/offers/letters")
def use_offers() -> ResponseReturnValue:
    """Which one is shown to who cancels, and which is mailed to who has left."""
    owners_only()
    agreed = terms.of(Publication.current().id)
    days = request.form.get("win_back_days", "").strip()
    if not days.isdecimal() or not 1 <= int(days) <= MOST_DAYS:
        return _page(f"Between 1 and {MOST_DAYS} days."), 422
    agreed.retention_offer_id = _chosen("retention")
    agreed.win_back_offer_id = _chosen("win_back")
    agreed.win_back_days = int(days)
    return saved("chose offers", "terms", url_for(".offers"))


def _find(offer_id: int) -> Offer:
    found = db.session.get(Offer, offer_id)
    if found is None:
        raise NotFound("There is no such offer.")
    return found


def _chosen(field: str) -> int | None:
    wanted = request.form.get(field, "")
    return _find(int(wanted)).id if wanted.isdecimal() else None


def _read() -> Offer:
    """Raises BadSetting, NotAnAmount."""
    given, publication = request.form, Publication.current()
    kind, currency, size = _one_of(OfferKind, "kind"), given.get("currency", ""), given.get("size", "").strip()
    tier = Tier.by_slug(given.get("tier", ""))
    return Offer(
        publication_id=publication.id,
        name=given.get("name", ""),
        code=given.get("code", ""),
        kind=kind,
        percent=_number(size) if kind is OfferKind.PERCENT else None,
        amount=money.read(size, currency) if kind is OfferKind.AMOUNT and currency in money.CURRENCIES else None,
        currency=currency if kind is OfferKind.AMOUNT else "",
        days=_number(size) if kind is OfferKind.TRIAL else None,
        lasts=_one_of(OfferLasts, "lasts") if kind is not OfferKind.TRIAL else OfferLasts.ONCE,
        months=_number(given.get("months", "")) if given.get("lasts") == OfferLasts.MONTHS else None,
        tier_id=tier.id if tier else None,
        cadence=_one_of(Cadence, "cadence") if given.get("cadence") else None,
        most=_number(given["most"]) if given.get("most", "").strip() else None,
        ends_at=_end(given.get("ends", "").strip(), publication),
        is_for_new="is_for_new" in given,
    )


def _one_of(kinds: type[Kind], field: str) -> Kind:
    """Raises BadSetting."""
    try:
        return kinds(request.form.get(field, ""))
    except ValueError:
        raise BadSetting(field, "Choose one of those that are there.") from None


def _number(text: str) -> int:
    """Raises BadSetting."""
    if not text.strip().isdecimal() or len(text) > 6:
        raise BadSetting("size", "Write a whole number.")
    return int(text)


def _end(text: str, publication: Publication) -> datetime | None:
    """The end of that day, where the publication lives. Raises BadSetting."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadSetting("ends", "Write the day like 2026-05-31.") from None
    return datetime.combine(day + timedelta(days=1), time.min, publication.zone)


def _page(sentence: str = "") -> str:
    every = db.session.scalars(select(Offer).order_by(Offer.archived_at.is_not(None), Offer.id.desc())).unique().all()
    return render_template(
        "admin/money/offers.html",
        offers=[(offer, catalogue.url(offer), catalogue.taken(offer), _size(offer)) for offer in every],
        open_ones=[offer for offer in every if catalogue.is_open(offer)],
        terms=terms.of(Publication.current().id),
        kinds=[(kind.value, words) for kind, words in KINDS.items()],
        lasts=[(lasts.value, words) for lasts, words in LASTS.items()],
        tier_choices=[(tier.slug, tier.name) for tier in Tier.in_order()],
        cadences=[(cadence.value, cadence.value) for cadence in Cadence],
        currencies=[(currency, currency) for currency in money.CURRENCIES],
        given=request.form,
        sentence=sentence,
    )


def _size(offer: Offer) -> str:
    match offer.kind:
        case OfferKind.TRIAL:
            return f"{offer.days} days for nothing"
        case OfferKind.PERCENT:
            off = f"{offer.percent} % off"
        case OfferKind.AMOUNT:
            off = f"{money.written(offer.amount or 0, offer.currency)} off"
    how_long = {OfferLasts.ONCE: "once", OfferLasts.FOREVER: "for ever"}
    return f"{off}, {how_long.get(offer.lasts) or f'for {offer.months} months'}"
