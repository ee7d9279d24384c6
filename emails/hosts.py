"""What can be said of an address of the web without asking anybody."""

import re
from urllib.parse import urlsplit

_WEB = re.compile(r"https?://[^\s<>\"]+$", re.IGNORECASE)


def host_of(url: str) -> str:
    """In small letters, without www. Empty where there is none: “https://[your-site]/” names no host."""
    try:
        return (urlsplit(url).hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""


def is_web(url: str) -> bool:
    """Whether this can be the whole address of a page."""
    return bool(_WEB.match(url) and host_of(url))


def path_of(url: str) -> str:
    return urlsplit(url).path if host_of(url) else ""
