"""The same letter as other mail programs would show it: for looking at, never for sending."""

import re

_ASKS_FOR_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_PICTURE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_SOURCE = re.compile(r"\s(?:src|srcset)=(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_STYLE = re.compile(r"\sstyle=\"([^\"]*)\"", re.IGNORECASE)
_HEAD = re.compile(r"</head>", re.IGNORECASE)
_FRAMED = "outline:1px dashed #8a8580;outline-offset:-1px;font-size:14px;"


def dark(html: str) -> str:
    """With its own rules for dark schemes, whatever scheme the one who looks has."""
    return _with_scheme(_ASKS_FOR_DARK.sub("@media all", html), "dark")


def light(html: str) -> str:
    """Without them, whatever scheme the one who looks has."""
    return _with_scheme(_ASKS_FOR_DARK.sub("@media not all", html), "light")


def without_pictures(html: str) -> str:
    """As a program shows it that waits for leave to fetch pictures: their words stand in their places."""
    return _PICTURE.sub(lambda found: _unfetched(found[0]), html)


def _unfetched(picture: str) -> str:
    bare = _SOURCE.sub("", picture)
    style = _STYLE.search(bare)
    if style:
        return bare.replace(style[0], f' style="{style[1]};{_FRAMED}"', 1)
    return bare.replace("<img", f'<img style="{_FRAMED}"', 1)


def _with_scheme(html: str, scheme: str) -> str:
    """What the browser draws by itself, too: the ground behind a page, scroll bars."""
    return _HEAD.sub(f"<style>:root {{ color-scheme: only {scheme}; }}</style></head>", html, count=1)
