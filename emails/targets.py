"""Addresses of the web as every rendering writes them, however they were typed."""

import re
from urllib.parse import urlsplit

import idna
from markdown_it.common.normalize_url import normalizeLink

_TO_BE_WRITTEN = re.compile(r"[^!-~]")
_BROKEN_OVER_LINES = re.compile(r"[\t\r\n]")


def normal(address: str) -> str:
    """Letters beyond ASCII as the web carries them: `Käse` as `K%C3%A4se`, a domain as DNS knows it.

    The letter's HTML can hold nothing else, and page and text must lead to the same place under the same name. What is
    ASCII already stays as it was typed.
    """
    whole = _BROKEN_OVER_LINES.sub("", address.strip())  # as browsers read it
    return normalizeLink(whole) if _TO_BE_WRITTEN.search(whole) else whole


def host(address: str) -> str:
    """Whose site that is, in letters to be read."""
    name = (urlsplit(address).hostname or "").removeprefix("www.")
    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name
