"""The ::: lines of a post: cards, buttons, the share button and the call to subscribe.

:::card                                   :::button [Read the paper](https://…)
title: Kimi                               :::share
url: https://…                            :::subscribe A sentence of your own
:::
"""

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from emails.document import Button, Card, Share, Subscribe
from emails.errors import DocumentError

NAMES = ("card", "button", "share", "subscribe")
CARD_FIELDS = ("publication", "title", "url", "excerpt", "author", "date", "logo")
SHARE_TEXT = "Share"

WEB = re.compile(r"https?://[^\s<>\"]+$", re.IGNORECASE)
LINK = re.compile(r"(https?://|mailto:)[^\s<>\"]+$", re.IGNORECASE)
_LINE = re.compile(r":::\s*(\S*)\s*(.*)$")
_BUTTON = re.compile(r"\[(?P<text>.*)\]\((?P<url>\S+)\)$")


def allow(md: MarkdownIt) -> None:
    md.block.ruler.before("fence", "directive", _rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def node(name: str, rest: str, fields: Mapping[str, str], line: int) -> Card | Button | Share | Subscribe:
    """The block that a ::: line stands for."""
    if name == "card":
        return _card(fields, line)
    if name == "button":
        return _button(rest, line)
    if name == "share":
        return Share(rest or SHARE_TEXT, line)
    return Subscribe(rest, line)


def _rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start) or not _line(state, start).startswith(":::"):
        return False
    if silent:
        return True
    name, rest = _name(state, start)
    fields: dict[str, str] = {}
    after = start + 1
    if name == "card":
        fields, after = _fields(state, start, end)
    token = state.push("directive", "", 0)
    token.map = [start, after]
    token.info = name
    token.content = rest
    token.meta = {"fields": fields}
    state.line = after
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip()


def _name(state: StateBlock, number: int) -> tuple[str, str]:
    match = _LINE.match(_line(state, number))
    name, rest = match.groups() if match else ("", "")
    if not name:
        raise DocumentError(number + 1, "This ::: closes nothing; only a card has an end.")
    if name not in NAMES:
        raise DocumentError(number + 1, f"There is no “:::{name}”.{_nearest(name, NAMES)}")
    return name, rest


def _fields(state: StateBlock, start: int, end: int) -> tuple[dict[str, str], int]:
    fields: dict[str, str] = {}
    for number in range(start + 1, end):
        line = _line(state, number)
        if line == ":::":
            return fields, number + 1
        if line:
            key, value = _field(line, number + 1)
            fields[key] = value
    raise DocumentError(start + 1, "This card has no end: close it with a line of three colons (:::).")


def _field(line: str, number: int) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if not colon:
        raise DocumentError(number, f"A line of a card looks like “title: …”; this one is “{line[:60]}”.")
    key = key.strip().lower()
    if key not in CARD_FIELDS:
        raise DocumentError(number, f"A card has no “{key}”.{_nearest(key, CARD_FIELDS)}")
    return key, value.strip()


def _nearest(word: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(word, known, n=1)
    return f" Did you mean “{near[0]}”?" if near else f" Known are: {', '.join(known)}."


def _card(fields: Mapping[str, str], line: int) -> Card:
    for key in ("title", "url"):
        if not fields.get(key):
            raise DocumentError(line, f"This card needs a {key}.")
    for key in ("url", "logo"):
        if fields.get(key) and not WEB.match(fields[key]):
            raise DocumentError(line, f"The {key} of a card begins with https://; this one is “{fields[key]}”.")
    return Card(
        title=fields["title"],
        url=fields["url"],
        publication=fields.get("publication", ""),
        excerpt=fields.get("excerpt", ""),
        author=fields.get("author", ""),
        date=_date(fields.get("date", ""), line),
        logo=fields.get("logo") or None,
        line=line,
    )


def _date(value: str, line: int) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise DocumentError(line, f"The date of a card is written 2026-05-31; this one is “{value}”.") from None


def _button(rest: str, line: int) -> Button:
    match = _BUTTON.match(rest)
    if not match or not match["text"].strip():
        raise DocumentError(line, "A button is written “:::button [What happens](https://…)”.")
    if not LINK.match(match["url"]):
        raise DocumentError(line, f"A button leads to https://, http:// or mailto:, not to “{match['url']}”.")
    return Button(match["text"].strip(), match["url"], line)
