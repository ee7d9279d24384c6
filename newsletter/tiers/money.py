"""Amounts of money: whole numbers of a currency's smallest unit, read and written as people write them."""

import re
from decimal import Decimal
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision

from newsletter.errors import NewsletterError

CURRENCIES: Final = tuple("EUR USD GBP AUD BRL CAD CHF CZK DKK HKD HUF INR JPY KRW MXN NOK NZD PLN SEK SGD ZAR".split())
_LARGEST: Final = 999_999  # of the currency itself, as the large card networks have it


class NotAnAmount(NewsletterError):
    status = 422


def read(written: str, currency: str) -> int:
    """ "5", "5.50" and "5,50", in the currency's smallest unit. Raises NotAnAmount.

    There is no sign between thousands, so that "1,500" cannot be taken for one and a half, nor for fifteen hundred.
    """
    digits = _digits(currency)
    example = "5 or 5.50" if digits else "500"
    found = re.fullmatch(r"\s*([0-9]{1,7})(?:[.,]([0-9]{1,2}))?\s*", written)
    if found is None or len(found[2] or "") > digits:
        raise NotAnAmount(f"Write the price in {currency} like {example}.")
    whole, rest = int(found[1]), (found[2] or "").ljust(digits, "0")
    amount: int = whole * 10**digits + int(rest or 0)
    if not amount:
        raise NotAnAmount("Leave it empty if there is no such price: nothing is not a price.")
    if whole > _LARGEST:
        raise NotAnAmount(f"No card can pay more than {_LARGEST:,} {currency}.")
    return amount


def plain(amount: int, currency: str) -> str:
    """As `read` takes it: "5.50"."""
    digits = _digits(currency)
    return f"{Decimal(amount).scaleb(-digits):.{digits}f}"


def written(amount: int, currency: str, language: str = "en") -> str:
    """With its sign, as that language writes it: "€5.50", "5,50 €"."""
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return format_currency(Decimal(amount).scaleb(-_digits(currency)), currency, locale=locale)


def _digits(currency: str) -> int:
    digits: int = get_currency_precision(currency)
    return digits
