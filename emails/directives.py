"""The ::: lines of a post, which ask for an element by its name.

:::share                       :::card                 :::note Mind the gap
                               title: Kimi             Any *Markdown*, other elements too.
                               url: https://…          :::
                               :::
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import Enum, auto

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from emails.document import Block, Element
from emails.errors import DocumentError
from emails.targets import is_web, normal

ADDRESSES = frozenset({"url", "logo", "image", "picture", "captions"})  # keys of fields
_MAIL = re.compile(r"mailto:[^\s<>\"]+$", re.IGNORECASE)
_LINE = re.compile(r":::\s*([^\s\[{]*)\s*(.*)$")
_FENCE = re.compile(r"(`{3,}|~{3,})(?!.*`)")  # ```these``` are words in code, and open nothing
_FIELD = re.compile(r"([a-z][a-z ]*):(?:\s+(.*))?$", re.IGNORECASE)


class Shape(Enum):
    """How much of the source belongs to an element."""

    LINE = auto()  # its one line
    FIELDS = auto()  # lines like “title: …” until :::
    BODY = auto()  # perhaps such lines first, then Markdown until :::
    RAW = auto()  # whatever stands there until :::, as it is


def is_link(url: str) -> bool:
    """Whether a button may lead there: to a page, or to somebody's mailbox."""
    return is_web(url) or bool(_MAIL.match(url))


@dataclass(frozen=True)
class Said:
    """An element as it was written."""

    name: str
    line: int
    rest: str = ""  # what follows the name
    fields: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    raw: str = ""

    def needed(self, *keys: str) -> None:
        for key in keys:
            if not self.fields.get(key):
                raise self.mistake(f"This {self.name} needs a {key}.")

    def web_addresses(self, *keys: str) -> None:
        for key in keys:
            if self.fields.get(key) and not is_web(self.fields[key]):
                raise self.mistake(
                    f"The {key} of a {self.name} is a whole address and begins with https://; "
                    f"this one is “{self.fields[key]}”."
                )

    def get(self, key: str) -> str:
        return self.fields.get(key, "")

    def mistake(self, sentence: str) -> DocumentError:
        return DocumentError(self.line, sentence)


class Elements:
    """The elements that can be asked for, by name."""

    def __init__(self, known: Sequence[type[Element]]) -> None:
        self._known = {element.name: element for element in known}

    def allow(self, md: MarkdownIt) -> None:
        md.block.ruler.before(
            "fence", "directive", self._rule, {"alt": ["paragraph", "reference", "blockquote", "list"]}
        )

    def read(self, said: Said) -> Element:
        fields = {
            key: normal(value) if key in ADDRESSES and is_web(value) else value for key, value in said.fields.items()
        }
        return self._known[said.name].read(replace(said, fields=fields))

    def _rule(self, state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if state.is_code_block(start) or not _line(state, start).startswith(":::"):
            return False
        if silent:
            return True
        name, rest = self._name(state, start)
        element = self._known[name]
        if element.shape is Shape.LINE:
            _push(state, name, rest, start, start + 1)
            state.line = start + 1
            return True
        last = self._end(state, name, start, end)
        fields, body = _fields(state, element, start + 1, last)
        is_open = element.shape is Shape.BODY
        token = _push(state, name, rest, start, last + 1, is_open=is_open)
        token.meta["fields"] = fields
        if element.shape is Shape.RAW:
            token.meta["raw"] = state.getLines(body, last, state.sCount[start], False)
        if is_open:
            _tokenize(state, body, last)
            state.push("directive_close", "", -1)
        state.line = last + 1
        return True

    def _name(self, state: StateBlock, number: int) -> tuple[str, str]:
        match = _LINE.match(_line(state, number))
        name, rest = match.groups() if match else ("", "")
        if not name:
            raise DocumentError(number + 1, "This ::: closes nothing: nothing above it is open.")
        if name not in self._known:
            raise DocumentError(number + 1, f"There is no “:::{name}”.{nearest(name, self._known)}")
        return name, rest.strip()

    def _end(self, state: StateBlock, name: str, start: int, end: int) -> int:
        """The line that closes what `start` opens; what is opened within has an end of its own."""
        depth, fence, is_raw = 1, "", self._known[name].shape is Shape.RAW
        for number in range(start + 1, end):
            line = _line(state, number)
            if not is_raw:
                if state.is_code_block(number):  # or what stands in a list, and opens and closes within it
                    continue
                fence = _fence_after(fence, line)
            if fence or not line.startswith(":::"):
                continue
            if line == ":::":
                depth, is_raw = depth - 1, False
            elif not is_raw and (opened := self._known.get(_name_on(line))) and opened.shape is not Shape.LINE:
                depth, is_raw = depth + 1, opened.shape is Shape.RAW
            if not depth:
                return number
        raise DocumentError(start + 1, f"This {name} has no end: close it with a line of three colons (:::).")


def _fence_after(fence: str, line: str) -> str:
    """The mark that closes the code in which the next line stands; empty: it stands in none."""
    mark = _FENCE.match(line)
    if not mark:
        return fence
    if fence:
        return "" if line.startswith(fence) else fence
    return mark[1]


def nearest(word: str, known: Mapping[str, object] | Sequence[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f" Did you mean “{near[0]}”?" if near else f" Known are: {', '.join(sorted(known))}."


def _push(state: StateBlock, name: str, rest: str, start: int, after: int, *, is_open: bool = False) -> Token:
    token = state.push("directive_open" if is_open else "directive", "", 1 if is_open else 0)
    token.map = [start, after]
    token.info, token.content = name, rest
    token.meta = {"fields": {}, "raw": ""}
    return token


def _tokenize(state: StateBlock, first: int, after: int) -> None:
    """Markdown within."""
    outer, limit = state.parentType, state.lineMax
    state.parentType, state.lineMax = "blockquote", after
    state.md.block.tokenize(state, first, after)
    state.parentType, state.lineMax = outer, limit


def _fields(state: StateBlock, element: type[Element], first: int, after: int) -> tuple[dict[str, str], int]:
    """Its lines like “title: …”, and where the rest begins."""
    fields: dict[str, str] = {}
    for number in range(first, after):
        line = _line(state, number)
        if element.shape is Shape.FIELDS:
            if line:
                key, value = _field(element, line, number + 1)
                fields[key] = value
            continue
        match = _FIELD.match(line)
        if not match or match[1].lower() not in element.keys:
            return fields, number
        fields[match[1].lower()] = (match[2] or "").strip()
    return fields, after


def _field(element: type[Element], line: str, number: int) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if not colon:
        raise DocumentError(
            number, f"A line of a {element.name} looks like “{element.keys[0]}: …”; this one is “{line[:60]}”."
        )
    key = key.strip().lower()
    if key not in element.keys:
        raise DocumentError(number, f"A {element.name} has no “{key}”.{nearest(key, element.keys)}")
    return key, value.strip()


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip()


def _name_on(line: str) -> str:
    match = _LINE.match(line)
    return match[1] if match else ""
