"""The head of an HTML page as it came over the wire: what it says of itself, before anybody believes it."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree, html

LONGEST_VALUE: Final = 20_000  # characters of one thing said
MOST_SCRIPTS: Final = 20
_MARKS: Final = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_XML: Final = re.compile(rb"^\s*<\?xml[^>]{0,200}encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
# As browsers read them: what calls itself Latin-1 has the quotes and dashes of Windows.
_AS_READ: Final = {"iso8859-1": "cp1252", "ascii": "cp1252", "utf-16": "utf-8", "utf-16-le": "utf-8", "utf-7": "utf-8"}


@dataclass(frozen=True)
class Head:
    said: dict[str, str] = field(default_factory=dict)  # <meta> by name in small letters, each the first of its name
    json_ld: tuple[str, ...] = ()
    title: str = ""
    heading: str = ""
    time: str = ""
    icons: tuple[str, ...] = ()  # the best one first
    oembed: str = ""


def read_head(content: bytes, charset: str = "") -> Head:
    """Of any bytes whatever; what cannot be read says nothing."""
    text = decoded(content, charset).replace("\0", "")
    try:
        # As bytes with a known encoding: a declaration of another one within the page has no say any more.
        parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
        page = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return Head()
    return Head(
        said=_said(page),
        json_ld=tuple(_scripts(page)),
        title=_words(page, "//title[not(ancestor::svg)]"),
        heading=_words(page, "//h1"),
        time=_attribute(page, "//time[@datetime]", "datetime"),
        icons=tuple(_icons(page)),
        oembed=_attribute(page, "//link[@type='application/json+oembed' or @type='text/json+oembed']", "href"),
    )


def decoded(content: bytes, charset: str = "") -> str:
    """By its mark, by what the server says, by what the page says; else UTF-8, and what that cannot be, Windows."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    declared = _CHARSET.search(content, 0, 4096) or _XML.match(content)
    for name in filter(None, (charset, declared[1].decode() if declared else "", "utf-8")):
        try:
            known = codecs.lookup(name)
            if known._is_text_encoding:  # base64 and rot13 are codecs, too
                return content.decode(_AS_READ.get(known.name, known.name), "strict" if name == "utf-8" else "replace")
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return content.decode("cp1252", "replace")


def _said(page: html.HtmlElement) -> dict[str, str]:
    said: dict[str, str] = {}
    for meta in _found(page, "//meta[@content]"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").strip().lower()
        value = (meta.get("content") or "")[:LONGEST_VALUE]
        if name and value.strip():
            said.setdefault(name[:100], value)
    return said


def _scripts(page: html.HtmlElement) -> Iterator[str]:
    for script in _found(page, "//script[@type]")[:200]:
        if (script.get("type") or "").split(";")[0].strip().lower() == "application/ld+json":
            yield (script.text or "")[: LONGEST_VALUE * 50]


def _icons(page: html.HtmlElement) -> Iterator[str]:
    """Large drawings first; those in formats that nobody shows in mail not at all."""
    found = []
    for at, link in enumerate(_found(page, "//link[@href][@rel]")[:500]):
        relations = (link.get("rel") or "").lower().split()
        place = link.get("href") or ""
        is_touch = any(relation.startswith("apple-touch-icon") for relation in relations)
        if not (is_touch or "icon" in relations) or re.search(r"\.(svg|ico)($|[?#])", place.lower()):
            continue
        size = re.match(r"\d{1,4}", link.get("sizes") or "")
        found.append((not is_touch, -int(size[0]) if size else 0, at, place[:LONGEST_VALUE]))
    yield from (place for *_, place in sorted(found)[:5])


def _words(page: html.HtmlElement, path: str) -> str:
    for element in _found(page, path)[:5]:
        if words := " ".join("".join(map(str, element.itertext()))[:LONGEST_VALUE].split()):
            return words
    return ""


def _attribute(page: html.HtmlElement, path: str, name: str) -> str:
    return next(((element.get(name) or "")[:LONGEST_VALUE] for element in _found(page, path)), "")


def _found(page: html.HtmlElement, path: str) -> list[html.HtmlElement]:
    found = page.xpath(path)
    assert isinstance(found, list)
    return [element for element in found if isinstance(element, html.HtmlElement)]
