"""Which characters may travel. Joiners stay: Persian names and family emoji need them."""

import re
import unicodedata

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# What would break a line, or turn its direction so that a name reads as something else.
_BREAKING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def tidy(text: str) -> str:
    """One kind of line end, and nothing that XML and mail cannot carry."""
    return carried(text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff"))


def carried(text: str, but: frozenset[str] = frozenset()) -> str:
    """Without what XML and mail cannot carry, `but` for signs that are taken out again later."""
    return _CONTROL.sub(lambda found: found[0] if found[0] in but else "", text)


def one_line(text: str) -> str:
    """A value for a header or a field: no line breaks, single blanks."""
    if text.isprintable() and "  " not in text:  # as nearly always: the blank is the only one that is printable
        return text.strip()
    return " ".join(_BREAKING.sub(" ", text).split())


def is_unseen(text: str) -> bool:
    """Nothing but blanks, joiners and other characters that leave no ink."""
    if text[:1].isalnum():
        return False
    return all(unicodedata.category(letter) in {"Zs", "Zl", "Zp", "Cc", "Cf"} for letter in text)


def direction_of(text: str) -> str | None:
    """Which way the first letter with a direction runs: "ltr", "rtl", or None where there is none."""
    if text.isascii():
        return "ltr" if any(map(str.isalpha, text)) else None
    for letter in text:
        match unicodedata.bidirectional(letter):
            case "L":
                return "ltr"
            case "R" | "AL":
                return "rtl"
    return None
