"""What came in, payment by payment, for whoever does the taxes."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from newsletter.billing.models import Payment
from newsletter.db import db
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import money
from newsletter.tiers.models import Tier

COLUMNS = (
    *("Date", "Invoice", "Kind", "Tier", "Reader", "Email", "Country", "Currency"),
    *("Gross", "Tax", "Fee", "Fee currency", "Refunded", "Net", "Disputed"),
)
AT_ONCE = 500
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(first: date, last: date, zone: ZoneInfo) -> Iterator[str]:
    """A CSV file, line by line: payments from the first day to the last, both included. Net is without tax and fee."""
    yield _line(COLUMNS)
    begin = datetime.combine(first, time.min, zone)
    end = datetime.combine(last + timedelta(days=1), time.min, zone)
    query = (
        select(Payment, Subscriber.name, Subscriber.email, Tier.name)
        .outerjoin(Subscriber, Subscriber.id == Payment.subscriber_id)
        .outerjoin(Tier, Tier.id == Payment.tier_id)
        .where(Payment.at >= begin, Payment.at < end)
        .order_by(Payment.at, Payment.id)
        .execution_options(yield_per=AT_ONCE)
    )
    for payment, name, email, tier in db.session.execute(query):
        yield _line(_cells(payment, name, email, tier, zone))


def _cells(payment: Payment, name: str | None, email: str | None, tier: str | None, zone: ZoneInfo) -> tuple[str, ...]:
    has_own_fee = payment.fee is not None and payment.fee_currency == payment.currency
    net = payment.amount - payment.tax - payment.refunded - (payment.fee or 0 if has_own_fee else 0)

    def amount(value: int) -> str:
        return money.plain(value, payment.currency)

    return (
        payment.at.astimezone(zone).date().isoformat(),
        payment.number or payment.reference,
        payment.kind.value,
        tier or "",
        name or ("" if email else "erased"),
        email or "",
        payment.country,
        payment.currency,
        amount(payment.amount),
        amount(payment.tax),
        money.plain(payment.fee, payment.fee_currency) if payment.fee is not None else "",
        payment.fee_currency,
        amount(payment.refunded),
        amount(net),
        payment.dispute,
    )


def _line(cells: tuple[str, ...]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cell if _is_number(cell) else _harmless(cell) for cell in cells)
    return written.getvalue()


def _harmless(cell: str) -> str:
    """A spreadsheet takes what begins like a formula for one, and a reader's name may begin like that."""
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdecimal()
