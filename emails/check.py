"""Is everything that was written in all three renderings, in the same order? Looks at what was rendered, not at how."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import html as lxml_html
from lxml.html import HtmlElement

from emails.document import (
    Block,
    Button,
    Card,
    Code,
    CodeBlock,
    Document,
    Emphasis,
    Field,
    Figure,
    Heading,
    Image,
    Inline,
    Item,
    Link,
    Listing,
    NoteReference,
    Paragraph,
    Quote,
    Rule,
    Share,
    Strong,
    Subscribe,
    Text,
    plain,
)
from emails.personalise import MARK, unguard

_WHITE = re.compile(r"\s+")
_LINK_LINE = re.compile(r"^[>| ]*\[(\d+)\] (\S+)$", re.MULTILINE)
_NUMBER = re.compile(r"\[(?:note)?\d+\]")
_HEADINGS = {"h2", "h3", "h4", "h5", "h6"}


@dataclass(frozen=True)
class Piece:
    """Something that a reader must find. Words are without white space; no address means: any."""

    kind: str
    words: str
    url: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} “{self.words[:60]}”" + (f" ({self.url})" if self.url else "")


def missing(document: Document, *, page: str, html: str, text: str) -> list[str]:
    """What the page, the mail or the text part lacks or has out of order; empty if they say the same.

    `html` and `text` may still have their merge marks: a name then counts as its fallback.
    """
    expected = list(_pieces(document.blocks))
    for note in document.notes:
        expected += _pieces(note.blocks)
    return [
        *(f"The page lacks the {piece}." for piece in _absent(expected, _found(page))),
        *(f"The mail lacks the {piece}." for piece in _absent(expected, _found(_unmarked(html)))),
        *(f"The text lacks the {piece}." for piece in _absent_from_text(expected, _unmarked(text))),
    ]


def _pieces(blocks: Iterable[Block]) -> Iterator[Piece]:  # noqa: C901  # one line per kind of block
    for block in blocks:
        match block:
            case Heading(_, _, children):
                yield Piece("heading", _solid(plain(children)))
                yield from _inline_pieces(children)
            case Paragraph(children):
                yield Piece("words", _solid(plain(children)))
                yield from _inline_pieces(children)
            case Listing(items):
                for item in items:
                    yield Piece("item", _item_start(item))
                    yield from _pieces(item.blocks)
            case Quote(inner):
                yield Piece("quote", "")
                yield from _pieces(inner)
            case CodeBlock(code):
                yield Piece("code", _solid(code))
            case Figure(image, url):
                if url:
                    yield Piece("link", "", url)
                yield Piece("image", _solid(image.alt), image.url)
            case Button(words, url):
                yield Piece("link", _solid(words), url)
            case Share(words):
                yield Piece("link", _solid(words))
            case Card():
                yield from _card_pieces(block)
            case Rule() | Subscribe():
                continue


def _card_pieces(card: Card) -> Iterator[Piece]:
    if card.publication:
        yield Piece("card", _solid(card.publication))
    yield Piece("link", _solid(card.title), card.url)
    if card.telling_excerpt:
        yield Piece("words", _solid(card.telling_excerpt))
    yield Piece("link", "Readmore", card.url)


def _item_start(item: Item) -> str:
    """The words an item opens with; those of its lists and quotes are looked for by themselves."""
    first = item.blocks[0] if item.blocks else None
    return _solid(plain(first.children)) if isinstance(first, Paragraph | Heading) else ""


def _inline_pieces(children: Iterable[Inline]) -> Iterator[Piece]:
    for child in children:
        match child:
            case Link(url, inner):
                yield Piece("link", _solid(plain(inner)), url)
                yield from _inline_pieces(inner)
            case Emphasis(inner) | Strong(inner):
                yield from _inline_pieces(inner)
            case Image(url, alt):
                yield Piece("image", _solid(alt), url)
            case NoteReference(number):
                yield Piece("reference", str(number))
            case Text() | Code() | Field():
                continue


def _absent(expected: list[Piece], found: list[Piece]) -> Iterator[Piece]:
    """Each piece is looked for after the one before it."""
    at = 0
    for piece in expected:
        place = next((n for n in range(at, len(found)) if _is(piece, found[n])), None)
        if place is None:
            yield piece
        else:
            at = place + 1


def _is(piece: Piece, found: Piece) -> bool:
    if piece.kind != found.kind:
        return False
    if piece.url is not None and piece.url != found.url:
        return False
    if piece.kind in ("item", "words", "code"):
        return found.words.startswith(piece.words)
    if piece.kind == "quote" or (piece.kind == "link" and not piece.words):
        return True
    return piece.words == found.words


def _found(markup: str) -> list[Piece]:
    found: list[Piece] = []
    for element in lxml_html.document_fromstring(f"<main>{markup}</main>").iter():
        if isinstance(element, HtmlElement) and isinstance(element.tag, str):
            found += _of(element)
    return found


def _of(element: HtmlElement) -> Iterator[Piece]:  # one line per kind of element
    tag, words, names = element.tag, _words(element), element.get("class", "").split()
    if tag in _HEADINGS:
        yield Piece("heading", words)
    elif tag == "li":
        yield Piece("item", words)
        yield Piece("words", words)
    elif tag == "p":
        yield Piece("words", words)
    elif tag == "blockquote":
        yield Piece("quote", "")
    elif tag == "sup":
        yield Piece("reference", _solid(element.text_content()))
    elif tag == "img":
        yield Piece("image", _solid(element.get("alt", "")), element.get("src"))
    elif tag == "a" and element.get("href"):
        yield Piece("link", words, element.get("href"))
    elif tag == "pre" or "code-cell" in names:
        yield Piece("code", words)
    if "card-publication" in names:
        yield Piece("card", _solid(element.xpath("string(span[last()])") or element.text_content()))


def _words(element: HtmlElement) -> str:
    """What is read aloud of an element, but for the numbers of notes and the ways back from them."""
    return _solid("".join(_read(element)))


def _read(element: HtmlElement) -> Iterator[str]:
    yield element.get("alt", "") if element.tag == "img" else element.text or ""
    for child in element:
        if child.tag != "sup" and child.get("role") != "doc-backlink":
            yield from _read(child)
        yield child.tail or ""


def _absent_from_text(expected: list[Piece], text: str) -> Iterator[Piece]:
    listed = dict(_LINK_LINE.findall(text))
    running = "".join(line.lstrip("> |") + "\n" for line in _LINK_LINE.sub("", text).split("\n"))
    numbered, at, count = _bare(running), 0, 0
    for piece in expected:
        words = _bare(piece.words)
        match piece.kind:
            case "quote":
                present = re.search(r"^ *> ", text, re.MULTILINE) is not None
            case "reference":
                present = f"[note{piece.words}]" in numbered
            case "link" if piece.words and f"{words}[{count + 1}]" in numbered[at:]:
                count += 1
                present = piece.url in (None, listed.get(str(count)))
            case "link":
                present = words in numbered[at:] and (piece.url or "") in text
            case "image":
                present = words in numbered[at:] and (piece.url or "") in text
            case _:
                place = _place(words, numbered, at)
                present = place is not None
                at = place if place is not None else at
        if not present:
            yield piece


def _place(words: str, text: str, start: int) -> int | None:
    """Where these words begin, numbers of links and notes between them left out."""
    pattern = r"(?:\[(?:note)?\d+\])?".join(map(re.escape, words))
    match = re.compile(pattern).search(text, start)
    return match.start() if match else None


def _bare(text: str) -> str:
    """Without white space and without the marks that stand for emphasis in plain text."""
    return _solid(text).replace("*", "").replace("_", "")


def _solid(text: str) -> str:
    return _WHITE.sub("", text)


def _unmarked(compiled: str) -> str:
    def fallback(mark: re.Match[str]) -> str:
        return bytes.fromhex(mark[1][5:]).decode() if mark[1].startswith("NAME_") else mark[0]

    return unguard(MARK.sub(fallback, compiled))
