"""The author's account at the payment provider, and what was decided about money."""

from typing import Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from newsletter import clock, config
from newsletter.admin import bp, guard
from newsletter.admin.money import owners_only
from newsletter.admin.settings import saved
from newsletter.billing import PRACTICE_KEY, adopting, connecting, gifts, terms
from newsletter.billing.models import Account, Reconciliation, TaxBehavior, Terms
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.jobs import Job, enqueue
from newsletter.publication.models import Publication
from newsletter.tiers import money
from newsletter.tiers.models import Tier

TAXES: Final = {
    TaxBehavior.UNSPECIFIED: "Tax is no matter of ours",
    TaxBehavior.INCLUSIVE: "Prices include tax",
    TaxBehavior.EXCLUSIVE: "Tax comes on top",
}


class NoPayments(NotFound):
    def __init__(self) -> None:
        super().__init__("Payments are switched off here (BILLING=off).")


@bp.get("/money/payments")
def payments() -> ResponseReturnValue:
    _open()
    return _page()


@bp.post("/money/payments/connect")
def connect_payments() -> ResponseReturnValue:
    _open()
    key = PRACTICE_KEY if config.settings().billing == "test" else request.form.get("key", "")
    try:
        account = connecting.connect(Publication.current(), key)
    except NewsletterError as error:
        db.session.rollback()
        return _page(sentence=error.sentence), error.status
    words = f"“{account.name}” is connected. Readers can pay from now on."
    return saved("connected payments", f"account {account.id}", url_for(".payments"), words)


@bp.post("/money/payments/disconnect")
def disconnect_payments() -> ResponseReturnValue:
    _open()
    account = Account.connected()
    if account is None:
        return redirect(url_for(".payments"))
    connecting.disconnect(account)
    words = "Disconnected. Nobody new can pay here; who pays at Stripe already goes on paying until you end it there."
    return saved("disconnected payments", f"account {account.id}", url_for(".payments"), words)


@bp.post("/money/payments/compare")
def compare_payments() -> ResponseReturnValue:
    """Every night it is done without being asked."""
    _open()
    enqueue(Job.RECONCILE)
    return saved("compared payments", "account", url_for(".payments"), "It is being compared with Stripe.")


@bp.post("/money/payments/adopt")
def adopt_price() -> ResponseReturnValue:
    """Who pays a price that was made elsewhere holds one of our tiers from now on."""
    _open()
    account, tier = Account.connected(), db.session.get(Tier, request.form.get("tier", 0, type=int))
    if account is None or tier is None:
        raise adopting.NoSuchPrice
    try:
        adopting.adopt(account, request.form.get("price", ""), tier)
    except NewsletterError as error:
        db.session.rollback()
        return _page(sentence=error.sentence), error.status
    words = f"They hold “{tier.name}” as soon as all is compared, in some minutes. Nothing is charged by that."
    return saved("took subscriptions over", f"tier {tier.id}", url_for(".payments"), words)


@bp.post("/money/payments/terms")
def save_terms() -> ResponseReturnValue:
    _open()
    agreed = terms.of(Publication.current().id)
    try:
        _write(agreed)
    except (NewsletterError, ValueError) as error:
        db.session.rollback()
        return _page(sentence=getattr(error, "sentence", "Write whole numbers.")), 422
    enqueue(Job.RECONCILE)  # days of grace count for those who wait for them now
    return saved("changed terms of payment", "terms", url_for(".payments"))


@bp.post("/money/payments/pause")
def pause_payments() -> ResponseReturnValue:
    _open()
    agreed = terms.of(Publication.current().id)
    agreed.paused_at, agreed.pause_carried_out_at = agreed.paused_at or clock.now(), None
    enqueue(Job.RECONCILE)
    words = "Nobody is charged from now on, and nobody loses anything. Go on whenever you like."
    return saved("paused payments", "terms", url_for(".payments"), {"text": words, "undo": url_for(".resume_payments")})


@bp.post("/money/payments/resume")
def resume_payments() -> ResponseReturnValue:
    _open()
    agreed = terms.of(Publication.current().id)
    agreed.paused_at, agreed.pause_carried_out_at = None, None
    enqueue(Job.RECONCILE)
    return saved("resumed payments", "terms", url_for(".payments"), "Payments go on, each when it is due next.")


def _open() -> None:
    owners_only()
    if config.settings().billing == "off":
        raise NoPayments


def _write(agreed: Terms) -> None:
    days = int(request.form.get("grace_days", "").strip())
    terms.check_grace(days)
    currency = request.form.get("supporter_currency", "")
    least = request.form.get("supporter_minimum", "").strip()
    if currency not in money.CURRENCIES:
        raise money.NotAnAmount("Choose a currency.")
    agreed.grace_days = days
    agreed.tax_behavior = TaxBehavior(request.form.get("tax_behavior", ""))
    agreed.is_tax_automatic = "is_tax_automatic" in request.form
    agreed.has_gifts = "has_gifts" in request.form
    agreed.has_groups = "has_groups" in request.form
    agreed.is_author_told = "is_author_told" in request.form
    agreed.supporter_currency = currency
    agreed.supporter_minimum = money.read(least, currency) if least else None


def _page(sentence: str = "") -> str:
    account = Account.connected()
    agreed = terms.of(Publication.current().id)
    compared = (
        db.session.scalar(
            select(Reconciliation)
            .where(Reconciliation.account_id == account.id)
            .order_by(Reconciliation.id.desc())
            .limit(1)
        )
        if account
        else None
    )
    least = money.plain(agreed.supporter_minimum, agreed.supporter_currency) if agreed.supporter_minimum else ""
    return render_template(
        "admin/money/payments.html",
        account=account,
        terms=agreed,
        least=least,
        taxes=TAXES,
        currencies=money.CURRENCIES,
        compared=compared,
        elsewhere=adopting.found(account) if account else [],
        adopted=adopting.adopted(account) if account else [],
        payers=adopting.payers(account) if account else {},
        tiers=Tier.in_order(),
        gifts=[(gift, gifts.span(gift.months)) for gift in gifts.recent()],
        is_practice=config.settings().billing == "test",
        by=guard.staff(),
        sentence=sentence,
    )
