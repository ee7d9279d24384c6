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
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff"))


def one_line(text: str) -> str:
    """A value for a header or a field: no line breaks, single blanks."""
    return " ".join(_BREAKING.sub(" ", text).split())


def is_unseen(text: str) -> bool:
    """Nothing but blanks, joiners and other characters that leave no ink."""
    return all(unicodedata.category(letter) in {"Zs", "Zl", "Zp", "Cc", "Cf"} for letter in text)
