"""What readers pay for: tiers, their prices, and who holds them."""

from datetime import date

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from newsletter import config
from newsletter.accounts.models import Role
from newsletter.admin import bp, guard
from newsletter.admin.forms import TierForm
from newsletter.admin.readers import find as find_reader
from newsletter.admin.settings import blamed, saved
from newsletter.billing import repricing
from newsletter.billing.models import Account
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.jobs import Job, enqueue
from newsletter.publication.models import Publication
from newsletter.publication.settings import BadSetting
from newsletter.tiers import catalogue, giving, queries
from newsletter.tiers.models import Membership, Tier


class OwnersSetPrices(NewsletterError):
    status = 403

    def __init__(self) -> None:
        super().__init__("Only an owner of this publication can change what its readers pay for.")


@bp.get("/money")
def money() -> str:
    settings = config.settings()
    return render_template(
        "admin/money/tiers.html",
        tiers=queries.with_holders(),
        may_change=_is_owner(),
        account=Account.connected(),
        has_payments=settings.billing != "off",
    )


@bp.route("/money/tiers/new", methods=["GET", "POST"])
def new_tier() -> ResponseReturnValue:
    owners_only()
    form = TierForm(request.form)
    if request.method == "GET":
        return _page(None, form)
    if not form.validate():
        return _page(None, form), 422
    try:
        made = catalogue.add(Publication.current(), form.said)
    except BadSetting as error:
        return _page(None, blamed(form, error)), 422
    enqueue(Job.KEEP_TIERS_IN_STEP)
    return saved("added a tier", f"tier {made.id}", url_for(".money"), f"“{made.name}” is there.")


@bp.get("/money/tiers/<int:tier_id>")
def tier(tier_id: int) -> ResponseReturnValue:
    owners_only()
    found = _find(tier_id)
    return _page(found, TierForm.of(found))


@bp.post("/money/tiers/<int:tier_id>")
def save_tier(tier_id: int) -> ResponseReturnValue:
    owners_only()
    found, form = _find(tier_id), TierForm(request.form)
    if not form.validate():
        return _page(found, form), 422
    account = Account.connected()
    try:
        catalogue.change(found, form.said)
        if account:
            repricing.refuse_another_price(account, found)
    except BadSetting as error:
        return _page(found, blamed(form, error)), 422
    enqueue(Job.KEEP_TIERS_IN_STEP)
    return saved("changed a tier", f"tier {found.id}", url_for(".money"))


@bp.post("/money/tiers/<int:tier_id>/reprice")
def reprice_tier(tier_id: int) -> ResponseReturnValue:
    """Those who pay an earlier price are to pay the present one."""
    owners_only()
    found, account = _find(tier_id), Account.connected()
    price = next((each for each in found.prices if each.id == request.form.get("price", 0, type=int)), None)
    if account is None or price is None:
        raise NotFound("There is no such price.")
    try:
        repricing.announce(account, price, date.fromisoformat(request.form.get("day", "")))
    except ValueError:
        return _page(found, TierForm.of(found), "Choose a day."), 422
    except NewsletterError as error:
        db.session.rollback()
        return _page(found, TierForm.of(found), error.sentence), error.status
    enqueue(Job.KEEP_MEMBERSHIPS)
    undo = url_for(".keep_prices", tier_id=found.id, price=price.id)
    said = {"text": "Each of them is told by mail, a month and more before it is charged.", "undo": undo}
    return saved("announced a price", f"tier {found.id}", url_for(".tier", tier_id=found.id), said)


@bp.post("/money/tiers/<int:tier_id>/keep-prices")
def keep_prices(tier_id: int) -> ResponseReturnValue:
    """What was announced does not come."""
    owners_only()
    found, account = _find(tier_id), Account.connected()
    price = next((each for each in found.prices if each.id == request.values.get("price", 0, type=int)), None)
    running = repricing.running_for(account, price) if account and price else None
    if account is None or running is None:
        raise NotFound("Nothing of the kind is announced.")
    repricing.call_off(account, running)
    words = "Called off. Who was told hears that the price stays."
    return saved("called a price off", f"tier {found.id}", url_for(".tier", tier_id=found.id), words)


@bp.post("/money/tiers/<int:tier_id>/up")
def move_tier_up(tier_id: int) -> ResponseReturnValue:
    owners_only()
    found = _find(tier_id)
    catalogue.move_up(found)
    return saved("moved a tier", f"tier {found.id}", url_for(".money"), f"“{found.name}” is moved up.")


@bp.post("/money/tiers/<int:tier_id>/archive")
def archive_tier(tier_id: int) -> ResponseReturnValue:
    owners_only()
    found = _find(tier_id)
    catalogue.archive(found)
    enqueue(Job.KEEP_TIERS_IN_STEP)
    undo = url_for(".reopen_tier", tier_id=found.id)
    said = {"text": f"“{found.name}” is archived: nobody new comes to hold it. Whoever does keeps it.", "undo": undo}
    return saved("archived a tier", f"tier {found.id}", url_for(".money"), said)


@bp.post("/money/tiers/<int:tier_id>/reopen")
def reopen_tier(tier_id: int) -> ResponseReturnValue:
    owners_only()
    found = _find(tier_id)
    catalogue.reopen(found)
    enqueue(Job.KEEP_TIERS_IN_STEP)
    return saved("reopened a tier", f"tier {found.id}", url_for(".money"), f"“{found.name}” is on offer again.")


@bp.post("/readers/<int:subscriber_id>/tiers")
def give_tier(subscriber_id: int) -> ResponseReturnValue:
    """For a while, or for ever, and for nothing."""
    owners_only()
    reader, chosen = find_reader(subscriber_id), _find(request.form.get("tier", 0, type=int))
    span = request.form.get("days", "")
    days = None if span == "ever" else int(span) if span.isdecimal() else 0
    held = giving.give(reader.id, chosen, days)
    return saved(
        "gave a tier for ever" if days is None else f"gave a tier for {days} days",
        f"reader {reader.id}",
        url_for(".reader", subscriber_id=reader.id),
        f"They hold “{held.tier.name}” now.",
    )


@bp.post("/readers/<int:subscriber_id>/tiers/<int:membership_id>/end")
def take_tier_back(subscriber_id: int, membership_id: int) -> ResponseReturnValue:
    owners_only()
    held = db.session.get(Membership, membership_id)
    if held is None or held.subscriber_id != subscriber_id:
        raise NotFound("This reader holds no such tier.")
    giving.take_back(held)
    return saved(
        "took a tier back",
        f"reader {subscriber_id}",
        url_for(".reader", subscriber_id=subscriber_id),
        f"“{held.tier.name}” has ended for them.",
    )


def _page(tier: Tier | None, form: TierForm, sentence: str = "") -> str:
    form.offer_a_row()
    account = Account.connected()
    return render_template(
        "admin/money/tier.html",
        tier=tier,
        form=form,
        standings=repricing.standings(account, tier) if account and tier else [],
        earliest=repricing.earliest(),
        sentence=sentence,
    )


def _find(tier_id: int) -> Tier:
    found = db.session.get(Tier, tier_id)
    if found is None:
        raise NotFound("There is no such tier.")
    return found


def _is_owner() -> bool:
    return guard.staff().role is Role.OWNER


def owners_only() -> None:
    if not _is_owner():
        raise OwnersSetPrices
