"""Addresses of the web: written in every rendering the same, and what can be said of them without asking anybody."""

import re
from urllib.parse import urlsplit

import idna
from markdown_it.common.normalize_url import normalizeLink

_TO_BE_WRITTEN = re.compile(r"[^!-~]")
_WEB = re.compile(r"https?://[^\s<>\"]+$", re.IGNORECASE)
_BROKEN_OVER_LINES = re.compile(r"[\t\r\n]")


def normal(address: str) -> str:
    """Letters beyond ASCII as the web carries them: `Käse` as `K%C3%A4se`, a domain as DNS knows it.

    The letter's HTML can hold nothing else, and page and text must lead to the same place under the same name. What is
    ASCII already stays as it was typed.
    """
    whole = _BROKEN_OVER_LINES.sub("", address.strip())  # as browsers read it
    return normalizeLink(whole) if _TO_BE_WRITTEN.search(whole) else whole


def is_web(url: str) -> bool:
    """Whether this can be the whole address of a page: “https://[your-site]/” is none."""
    return bool(_WEB.match(url) and host_of(url))


def host_of(url: str) -> str:
    """In small letters, without www. Empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""


def readable_host(url: str) -> str:
    """The same, in the letters of its own language."""
    try:
        return idna.decode(host_of(url))
    except idna.IDNAError:
        return host_of(url)


def path_of(url: str) -> str:
    return urlsplit(url).path if host_of(url) else ""
