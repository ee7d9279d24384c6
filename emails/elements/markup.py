"""HTML of the author's own, cleaned of everything that a letter cannot carry. What was taken out is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import nh3
from lxml import html as lxml_html
from lxml.html import HtmlElement

from emails.directives import Said, Shape
from emails.document import Block, Element
from emails.pieces import Piece
from emails.targets import normal
from emails.values import Rendering
from emails.wrapping import GLUE

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage

DEEPEST = 100  # levels: the compiler of letters dies near 1,600, and the one of styles loses text beyond 255

_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "var",
    ]
)
_ATTRIBUTES = {
    "*": {"dir", "lang", "title", "style"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type"},
    "td": {"align", "valign", "colspan", "rowspan"},
    "th": {"align", "valign", "colspan", "rowspan", "scope"},
}
_STYLES = frozenset(
    [
        "background-color",
        "border",
        "border-bottom",
        "border-collapse",
        "border-color",
        "border-left",
        "border-radius",
        "border-right",
        "border-style",
        "border-top",
        "border-width",
        "color",
        "font-size",
        "font-style",
        "font-weight",
        "letter-spacing",
        "line-height",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-right",
        "margin-top",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "text-align",
        "text-decoration",
        "text-transform",
        "vertical-align",
    ]
)
_GONE_WITH_CONTENT = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title"})
_SPACE = re.compile(r"\s+")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)[^>]*?(/?)>")
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
)
_BLOCKS = frozenset(
    [
        "blockquote",
        "div",
        "dl",
        "dt",
        "dd",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "table",
        "tr",
        "ul",
        "caption",
    ]
)


@dataclass(frozen=True)
class RawHtml(Element):
    name: ClassVar = "html"
    shape: ClassVar = Shape.RAW

    html: str  # clean
    removed: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> RawHtml:
        if _depth(said.raw) > DEEPEST:
            raise said.mistake(f"This HTML is nested more than {DEEPEST} levels deep.")
        clean = cleaned(said.raw)
        if not clean.strip():
            raise said.mistake(
                "Nothing of this HTML can be shown in a letter. Allowed are words, links, pictures, lists and tables."
            )
        return cls(clean, tuple(sorted(set(_removed(said.raw)))), said.line)

    def page(self, page: WebPage) -> str:
        return f'<div class="own-html">{self.html}</div>'

    def mail(self, mail: MailBody) -> str:
        return f'<div class="own-html">{mail.guarded(self.html)}</div>'

    def text(self, text: TextPart, width: int) -> list[str]:
        lines: list[str] = []
        for paragraph in _Paragraphs(text.link, text.guarded).of(self._tree):
            lines += ["", *text.filled(paragraph, width)]
        return lines[1:]

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        for element in self._tree.iter("a", "img"):
            if element.tag == "img":
                yield Piece.of("image", element.get("alt", ""), element.get("src"))
            elif element.get("href"):
                said = _picture_in_text if rendering is Rendering.TEXT else _picture_aloud
                yield Piece.of("link", _with_pictures(element, said), element.get("href"))

    def remarks(self) -> Iterator[str]:
        if self.removed:
            yield f"A letter cannot carry {', '.join(self.removed)}: taken out of your HTML."

    @cached_property
    def _tree(self) -> HtmlElement:
        tree = lxml_html.fragment_fromstring(self.html, create_parent="div")
        assert isinstance(tree, HtmlElement)
        return tree


def cleaned(html: str) -> str:
    clean: str = nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=set(_GONE_WITH_CONTENT),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto"},
        filter_style_properties=set(_STYLES),
        link_rel=None,
        strip_comments=True,
        attribute_filter=_kept,
    )
    return re.sub(r"<(br|hr|img)((?:\s[^>]*?)?)\s*/?>", r"<\1\2 />", clean)  # MJML reads XML


def _kept(_: str, name: str, value: str) -> str | None:
    """Addresses must be whole, sizes numbers, and no style may fetch anything."""
    if name in ("href", "src"):
        return normal(value) if re.match(r"(https?://|mailto:)", value.strip(), re.IGNORECASE) else None
    if name in ("width", "height", "colspan", "rowspan", "start") and not value.strip().isdigit():
        return None
    if name == "style" and re.search(r"url\s*\(|expression|@import|\\", value, re.IGNORECASE):
        return None
    return value


def _depth(html: str) -> int:
    depth = deepest = 0
    for closing, tag, itself in _TAG.findall(html):
        if tag.lower() in _VOID or itself:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _removed(html: str) -> Iterator[str]:
    for element in lxml_html.fragment_fromstring(html, create_parent="div").iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag not in _TAGS:
            yield f"<{element.tag}>"
            continue
        allowed = _ATTRIBUTES["*"] | _ATTRIBUTES.get(element.tag, set())
        for name, value in element.attrib.items():
            if name not in allowed or _kept(element.tag, str(name), str(value)) is None:
                yield f"“{name}” of <{element.tag}>"


class _Paragraphs:
    """The words of some HTML, one entry for each block; links as the text part writes them."""

    def __init__(self, link: Callable[[str, str], str], guarded: Callable[[str], str]) -> None:
        self._link = link
        self._guarded = guarded
        self._pending: list[str] = []
        self._sign = ""  # of the item that begins, until its first words
        self._ended: list[str] = []

    def of(self, element: HtmlElement) -> list[str]:
        self._read(element)
        self._end()
        return self._ended

    def _end(self) -> None:
        if words := "".join(self._pending).strip():
            self._ended.append(self._sign + words)
            self._sign = ""
        self._pending = []

    def _read(self, node: HtmlElement) -> None:
        if node.tag in _BLOCKS:
            self._end()
        if node.tag == "li":
            self._sign = _sign(node)
        if (whole := self._whole(node)) is not None:
            self._pending.append(whole)
        else:
            self._pending.append(self._guarded(_SPACE.sub(" ", node.text or "")))
            for child in node:
                self._read(child)
        self._pending += [" "] if node.tag in ("td", "th") else []
        if node.tag in _BLOCKS:
            self._end()
        if node.tag == "li":
            self._sign = ""  # it had no words
        self._pending.append(self._guarded(_SPACE.sub(" ", node.tail or "")))

    def _whole(self, node: HtmlElement) -> str | None:
        """What stands for a node and all that is in it; None: its content."""
        match node.tag:
            case "br":
                return "\n"
            case "pre":
                return "\n".join(map(self._line, "".join(map(str, node.itertext())).strip("\n").split("\n")))
            case "img":
                return self._guarded(_picture_in_text(node))
            case "a" if node.get("href"):
                return self._link(_with_pictures(node, _picture_in_text), node.get("href", ""))
        return None

    def _line(self, line: str) -> str:
        words = line.lstrip()
        return GLUE * (len(line) - len(words)) + self._guarded(words)


def _sign(item: HtmlElement) -> str:
    parent = item.getparent()
    if parent is None or parent.tag != "ol":
        return "- "
    return f"{1 + sum(1 for _ in item.itersiblings('li', preceding=True))}. "


def _picture_in_text(image: HtmlElement) -> str:
    """One whose address could not be kept has its words left, if it had any."""
    alt, url = image.get("alt"), image.get("src")
    if not url:
        return f"[Image: {alt}]" if alt else ""
    return f"[Image: {alt}] {url}" if alt else f"[Image] {url}"


def _picture_aloud(image: HtmlElement) -> str:
    return str(image.get("alt", ""))


def _with_pictures(node: HtmlElement, said: Callable[[HtmlElement], str]) -> str:
    """The words of a link, with what is said of its pictures: often it has nothing else."""
    parts = [node.text or ""]
    for child in node:
        parts += [said(child) if child.tag == "img" else _with_pictures(child, said), child.tail or ""]
    return "".join(parts)
