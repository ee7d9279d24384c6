"""What readers pay, over time, as charts with their tables; and the list for the tax adviser."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from urllib.parse import urlencode

from flask import Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from newsletter import clock
from newsletter.admin import bp, charts
from newsletter.admin.money import owners_only
from newsletter.billing import figures, statement
from newsletter.billing.figures import Month
from newsletter.billing.models import ChangeKind
from newsletter.errors import NewsletterError
from newsletter.publication.models import Publication
from newsletter.tiers import money
from newsletter.tiers.models import Tier

SPANS = {"12": "12 months", "36": "3 years", "all": "All"}
HAPPENED = {
    ChangeKind.NEW: "New",
    ChangeKind.RETURNED: "Came back",
    ChangeKind.TRIAL: "Trials begun",
    ChangeKind.UPGRADED: "Upgraded",
    ChangeKind.DOWNGRADED: "Downgraded",
    ChangeKind.CANCELLED: "Cancelled",
    ChangeKind.ENDED: "Ended",
    ChangeKind.FAILING: "Payment failed",
    ChangeKind.RECOVERED: "Paid after all",
}


class BadDates(NewsletterError):
    status = 422


@bp.get("/money/figures")
def money_figures() -> ResponseReturnValue:
    owners_only()
    publication, known = Publication.current(), figures.currencies()
    currency = request.args.get("currency", "")
    currency = currency if currency in known else (known[0] if known else "")
    span = request.args.get("span", "12")
    tier = Tier.by_slug(request.args.get("tier", ""))
    everything = figures.by_month(currency, publication.zone)
    months = figures.by_month(currency, publication.zone, tier.id) if tier else everything
    shown = months[-int(span) :] if span in SPANS and span.isdecimal() else months
    books = figures.books(currency, publication.zone)
    today = clock.now().astimezone(publication.zone).date()

    def written(amount: int) -> str:
        return money.written(amount, currency, publication.language)

    return render_template(
        "admin/money/figures.html",
        currency=currency,
        currencies=known,
        chosen=(currency, span if span in SPANS else "12", tier.slug if tier else ""),
        spans=SPANS,
        tier=tier,
        tiers=Tier.in_order(),
        now=figures.now(currency, everything) if known else None,
        months=list(reversed(shown)),
        charts=_charts(shown, written),
        happened=HAPPENED,
        books=books,
        brought=figures.brought(currency),
        reasons=figures.reasons(),
        written=written,
        percent=_percent,
        name=_name,
        periods=_periods(today),
        today=today,
    )


@bp.get("/money/payments.csv")
def payments_csv() -> ResponseReturnValue:
    """A file; reading it changes nothing."""
    owners_only()
    first, last = _day("from"), _day("to")
    if last < first:
        raise BadDates("The first day comes before the last one.")
    zone = Publication.current().zone

    def written() -> Iterator[str]:
        yield "\ufeff"  # or a spreadsheet takes it for another encoding
        yield from statement.lines(first, last, zone)

    response = Response(stream_with_context(written()), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="payments-{first}-{last}.csv"'
    return response


def _charts(months: list[Month], written: Callable[[int], str]) -> list[charts.Chart]:
    return [
        charts.bars("Earned a month", [(_name(each.first), each.mrr, written(each.mrr)) for each in months]),
        charts.bars("Paying readers", [(_name(each.first), each.members, f"{each.members:,}") for each in months]),
    ]


def _day(name: str) -> date:
    """Raises BadDates."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        raise BadDates("Write both days like 2026-01-31.") from None


def _periods(today: date) -> list[tuple[str, str]]:
    """This and the last quarter, this and the last year, each with the address of its file."""
    quarter = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    before = quarter - timedelta(days=1)
    earlier = date(before.year, before.month - 2, 1)
    spans = [
        ("This quarter", quarter, today),
        ("Last quarter", earlier, before),
        ("This year", date(today.year, 1, 1), today),
        ("Last year", date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    ]
    return [
        (words, f"{url_for('.payments_csv')}?{urlencode({'from': first, 'to': last})}") for words, first, last in spans
    ]


def _percent(part: float | None) -> str:
    return "" if part is None else f"{part:.1%}"


def _name(first: date) -> str:
    return f"{first:%b %Y}"
