"""Words, days and addresses that come from pages of others: made harmless, and short."""

import re
import unicodedata
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Final
from urllib.parse import urljoin, urlsplit

LONGEST_ADDRESS: Final = 2000
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]{0,1000}>|<!--[^<>]{0,1000}-->")
_JOINERS: Final = "\u200c\u200d"  # Persian and family emoji need them
_DAY: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?!\d)")


def of_one_line(said: object, longest: int) -> str:
    """Plain words: no tags, no line breaks, nothing that cannot be seen or turns the direction of what follows.

    What is too long ends where a word ends, with an ellipsis."""
    if not isinstance(said, str):
        return ""
    text = _TAG.sub(" ", unescape(said[: longest * 20]))  # twice encoded by many who write such pages
    seen = "".join(letter if _is_harmless(letter) else " " if letter.isspace() else "" for letter in text)
    return cut(" ".join(seen.split()), longest)


def cut(text: str, longest: int) -> str:
    """At most that many characters; an ellipsis says that there was more."""
    if len(text) <= longest:
        return text
    begun = text[: longest - 1]
    whole, blank, _ = begun.rpartition(" ")
    if text[longest - 1] == " " or not blank or len(whole) < longest // 2:  # one endless word is cut where it must be
        whole = begun
    return whole.rstrip(" ,;:.–—-(") + "…"


def day(said: object) -> date | None:
    """The day in a moment as pages write it: ISO 8601, or as in mail."""
    if not isinstance(said, str) or len(said) > 80:
        return None
    text = said.strip()
    found: date | None
    try:
        found = datetime.fromisoformat(text).date()
    except ValueError:
        found = _loose_day(text)
    return found if found and 1900 <= found.year <= 2100 else None


def web_address(said: object, base: str) -> str:
    """A whole http(s) address, or nothing."""
    if not isinstance(said, str) or not said.strip() or len(said) > LONGEST_ADDRESS:
        return ""
    try:
        url = urljoin(base, said.strip())
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return ""
    return "" if any(letter.isspace() or not letter.isprintable() or letter in '<>"' for letter in url) else url


def _loose_day(text: str) -> date | None:
    try:
        if match := _DAY.match(text):
            return date(*map(int, match.groups()))
        return parsedate_to_datetime(text).date()
    except (ValueError, TypeError, OverflowError):
        return None


def _is_harmless(letter: str) -> bool:
    return letter in _JOINERS or (letter == " " or unicodedata.category(letter)[0] not in "CZ")
