"""Merge marks: where a reader's values go. The same code fills previews and letters."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from operator import attrgetter

from emails.characters import carried, is_unseen, one_line
from emails.values import Compiled, Recipient

MARK = re.compile(r"__(NAME_[0-9A-F]*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_URL)__")
_GUARD = "\ufdd0"  # stands for an underscore that somebody typed: marks are made by us alone
_OURS = frozenset({_GUARD, "\ufdd1"})  # and the blank at which no line ends (see wrapping.py)
_GUARD_IN_URL = "%EF%B7%90"  # what serialisers make of it in an address
_ADDRESS_FIELDS = frozenset({"unsubscribe_url", "preferences_url", "view_url"})  # of a Recipient
_ADDRESSES = re.compile(r"""\b(?:href|src|background)=(?:"[^"]*"|'[^']*')""")


@dataclass(frozen=True)
class Slot:
    """A gap in a compiled message."""

    name: str
    fallback: str = ""


def guard(text: str) -> str:
    """Somebody's words may look like a mark, and must still come out as they were typed. Safe to do twice."""
    return carried(text, but=_OURS).replace("_", _GUARD)


def unguard(text: str) -> str:
    return text.replace(_GUARD, "_")


def guards_restored(html: str) -> str:
    """HTML in whose addresses a serialiser has written escapes. Words that look like such an escape stay."""
    return _ADDRESSES.sub(lambda found: found[0].replace(_GUARD_IN_URL, _GUARD), html)


def settle(compiled: str) -> str:
    """Without guards, unless somebody did type a mark."""
    plain = unguard(compiled)
    return plain if split(plain) == split(compiled) else compiled


def name_mark(fallback: str) -> str:
    """The reader's name, or the fallback, which travels inside the mark."""
    return f"__NAME_{fallback.encode().hex().upper()}__"


def split(compiled: str) -> list[str | Slot]:
    """Constants and slots in turn: the first and the last are constants, perhaps empty."""
    parts: list[str | Slot] = []
    at = 0
    for match in MARK.finditer(compiled):
        parts += [unguard(compiled[at : match.start()]), _slot(match[1])]
        at = match.end()
    return [*parts, unguard(compiled[at:])]


def value_of(slot: Slot) -> Callable[[Recipient], str]:
    """What a reader gets in this place; never more than one line."""
    if slot.name == "name":
        return lambda recipient: tidy_name(recipient.name) or slot.fallback
    if slot.name in _ADDRESS_FIELDS:
        return attrgetter(slot.name)
    return lambda recipient: one_line(recipient.more[slot.name])


def tidy_name(name: str | None) -> str:
    """A name as it may appear in a letter: on one line, at most 60 characters."""
    if not name:
        return ""
    tidied = name if name.isprintable() and len(name) <= 60 else one_line(name)[:60].rstrip()
    return "" if is_unseen(tidied) else tidied


def personal_subject(compiled: Compiled, recipient: Recipient) -> str:
    return _filled(compiled.subject, recipient, str)


def personal_html(compiled: Compiled, recipient: Recipient) -> str:
    """The HTML part as this reader gets it."""
    return _filled(compiled.html, recipient, escape)


def personal_text(compiled: Compiled, recipient: Recipient) -> str:
    """The text part as this reader gets it."""
    return _filled(compiled.text, recipient, str)


def _filled(template: str, recipient: Recipient, written: Callable[[str], str]) -> str:
    return "".join(part if isinstance(part, str) else written(value_of(part)(recipient)) for part in split(template))


def _slot(mark: str) -> Slot:
    if mark.startswith("NAME"):
        return Slot("name", bytes.fromhex(mark[5:]).decode())
    return Slot(mark.lower())
