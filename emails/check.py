"""Is everything that was written in all three renderings, in the same order? Looks at what was rendered, not at how."""

import re
from collections.abc import Iterable, Iterator

from lxml import html as lxml_html
from lxml.html import HtmlElement

from emails import formulas, wrapping
from emails.document import (
    Block,
    Break,
    Code,
    CodeBlock,
    Element,
    Emphasis,
    Field,
    Figure,
    Formula,
    Heading,
    Image,
    Inline,
    Item,
    Link,
    Listing,
    Mention,
    NoteReference,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Strong,
    Table,
    Text,
    plain,
)
from emails.personalise import MARK, unguard
from emails.pieces import Piece, solid
from emails.values import Audience, PostContent, Rendering
from emails.visible import visible

_LINK_LINE = re.compile(r"^[>| ]*\[(\d+)\] (\S+)$", re.MULTILINE)
_MARKS = re.compile(r"[*_~>|]")
_HEADINGS = {"h2", "h3", "h4", "h5", "h6"}
_WORDS = {"p", "summary", "figcaption", "caption", "cite", "dt", "dd"}
_NAMES = {Rendering.PAGE: "page", Rendering.MAIL: "mail", Rendering.TEXT: "text"}


def missing(content: PostContent, audience: Audience, *, page: str, html: str, text: str) -> list[str]:
    """What the page, the mail or the text part lacks or has out of order, of what these readers may see; empty if
    nothing.

    `html` and `text` may still have their merge marks: a name then counts as its fallback.
    """
    absent = {
        Rendering.PAGE: _absent(_expected(content, audience, Rendering.PAGE), _found(page)),
        Rendering.MAIL: _absent(_expected(content, audience, Rendering.MAIL), _found(_unmarked(html))),
        Rendering.TEXT: _absent_from_text(_expected(content, audience, Rendering.TEXT), _unmarked(text)),
    }
    return [f"The {_NAMES[rendering]} lacks the {piece}." for rendering, pieces in absent.items() for piece in pieces]


def _expected(content: PostContent, audience: Audience, rendering: Rendering) -> list[Piece]:
    document = visible(content, rendering, audience).document
    expected = list(_pieces(document.blocks, rendering))
    for note in document.notes:
        expected += _pieces(note.blocks, rendering)
    return expected


def _pieces(blocks: Iterable[Block], rendering: Rendering) -> Iterator[Piece]:  # noqa: C901  # one line per kind
    for block in blocks:
        match block:
            case Heading(_, _, children):
                yield Piece.of("heading", _spoken(children, rendering))
                yield from _inline_pieces(children, rendering)
            case Paragraph(children):
                yield Piece.of("words", _spoken(children, rendering))
                yield from _inline_pieces(children, rendering)
            case Listing(items):
                for item in items:
                    yield Piece.of("item", _item_start(item, rendering))
                    yield from _pieces(item.blocks, rendering)
            case Quote(inner, source):
                within = list(_pieces(inner, rendering))
                if source or any(piece.words or piece.url for piece in within):  # nothing leaves nothing to quote
                    yield Piece("quote", "")
                yield from within
                if source:
                    yield Piece.of("words", _spoken(source, rendering))
                    yield from _inline_pieces(source, rendering)
            case CodeBlock(code, _, title):
                if title:
                    yield Piece.of("words", title)
                yield Piece.of("code", code)
            case Figure():
                yield from _figure_pieces(block)
            case Table():
                yield from _table_pieces(block, rendering)
            case Element():
                yield from block.pieces(rendering, lambda within: _pieces(within, rendering))
            case Rule():
                continue


def _figure_pieces(figure: Figure) -> Iterator[Piece]:
    if figure.url:
        yield Piece("link", "", figure.url)
    yield Piece.of("image", figure.image.alt, figure.image.url)
    if figure.image.caption:
        yield Piece.of("words", figure.image.caption)


def _table_pieces(table: Table, rendering: Rendering) -> Iterator[Piece]:
    for row in (table.head, *table.rows):
        for cell in row.cells:
            words = _spoken(cell.children, rendering)
            if rendering is Rendering.TEXT:  # side by side, the lines of cells stand between each other
                # A word of wide characters may go on in the cell's next line.
                yield from (Piece("word", part) for word in words.split() for part in wrapping.parts(word))
                yield from (
                    Piece("link", "", piece.url) for piece in _inline_pieces(cell.children, rendering) if piece.url
                )
            else:
                yield Piece.of("cell", words)
                yield from _inline_pieces(cell.children, rendering)


def _item_start(item: Item, rendering: Rendering) -> str:
    """The words an item opens with; those of its lists and quotes are looked for by themselves."""
    first = item.blocks[0] if item.blocks else None
    return _spoken(first.children, rendering) if isinstance(first, Paragraph | Heading) else ""


def _spoken(children: Iterable[Inline], rendering: Rendering) -> str:
    """Their words. A formula is looked for by itself: on the page it is no text."""
    return "".join(_word(child, rendering) for child in children)


def _word(child: Inline, rendering: Rendering) -> str:
    match child:
        case Formula(tex):
            return formulas.in_words(tex) if rendering is Rendering.TEXT else ""
        case Image(url, alt) if rendering is Rendering.TEXT:
            return f"[Image: {alt}] {url}" if alt else f"[Image] {url}"
        case Emphasis(inner) | Strong(inner) | Strike(inner) | Link(_, inner):
            return _spoken(inner, rendering)
    return plain((child,))


def _inline_pieces(children: Iterable[Inline], rendering: Rendering) -> Iterator[Piece]:
    for child in children:
        match child:
            case Link(url, inner):
                yield Piece.of("link", _spoken(inner, rendering), url)
                yield from _inline_pieces(inner, rendering)
            case Mention(url, name):
                yield Piece.of("link", name, url)
            case Emphasis(inner) | Strong(inner) | Strike(inner):
                yield from _inline_pieces(inner, rendering)
            case Image(url, alt):
                yield Piece.of("image", alt, url)
            case NoteReference(number):
                yield Piece("reference", str(number))
            case Formula(tex):
                yield Piece.of("formula", tex if rendering is Rendering.PAGE else formulas.in_words(tex))
            case Text() | Code() | Field() | Break():
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
    if piece.kind in ("item", "words", "code", "cell"):
        return found.words.startswith(piece.words)
    if piece.kind == "quote" or (piece.kind in ("link", "image") and not piece.words):  # or named after where it leads
        return True
    return piece.words == found.words


def _found(markup: str) -> list[Piece]:
    found: list[Piece] = []
    for element in lxml_html.document_fromstring(f"<main>{markup}</main>").iter():
        if isinstance(element, HtmlElement) and isinstance(element.tag, str):
            found += _of(element)
    return found


def _of(element: HtmlElement) -> Iterator[Piece]:  # noqa: C901  # one line per kind of element
    tag, words, names = element.tag, _words(element), element.get("class", "").split()
    if tag in _HEADINGS:
        yield Piece("heading", words)
    elif tag == "li":
        yield Piece("item", words)
        yield Piece("words", words)
    elif tag in _WORDS:
        yield Piece("words", words)
    elif tag in ("td", "th"):
        yield Piece("cell", words)
    elif tag == "blockquote":
        yield Piece("quote", "")
    elif tag == "sup":
        yield Piece.of("reference", element.text_content())
    elif tag == "img":
        yield Piece.of("image", element.get("alt", ""), element.get("src"))
    elif tag == "a" and element.get("href"):
        yield Piece("link", words, element.get("href"))
    elif tag == "math":
        yield Piece.of("formula", element.get("alttext", ""))
    if tag == "pre" or "code-cell" in names:
        yield Piece("code", words)
    if "formula" in names:
        yield Piece.of("formula", element.text_content())
    if "card-publication" in names:
        yield Piece.of("card", element.xpath("string(span[last()])") or element.text_content())


def _words(element: HtmlElement) -> str:
    """What is read aloud of an element, but for formulas, the numbers of notes and the ways back from them."""
    return solid("".join(_read(element)))


def _read(element: HtmlElement) -> Iterator[str]:
    yield element.get("alt", "") if element.tag == "img" else element.text or ""
    for child in element:
        if not _is_passed_over(child):
            yield from _read(child)
        yield child.tail or ""


def _is_passed_over(element: HtmlElement) -> bool:
    is_sign = element.tag == "span" and (element.get("aria-hidden") or element.get("class") in ("box", "formula"))
    return bool(is_sign) or element.tag in ("sup", "math") or element.get("role") == "doc-backlink"


def _absent_from_text(expected: list[Piece], text: str) -> Iterator[Piece]:
    listed = {int(number): url for number, url in _LINK_LINE.findall(text)}
    numbered, at, count = _bare(text), 0, 0
    for piece in expected:
        words = _bare(piece.words)
        match piece.kind:
            case "quote":
                present = re.search(r"^[ |]*> ", text, re.MULTILINE) is not None
            case "reference":
                present = f"[note{piece.words}]" in numbered
            case "link" if words and (number := _number(words, piece.url, listed, numbered[at:], count)):
                count, present = number, True
            case "link" | "image":
                present = words in numbered[at:] and (piece.url or "").removeprefix("mailto:") in text
            case "word":
                present = _place(words, numbered, 0) is not None
            case _:
                place = _place(words, numbered, at)
                present = place is not None
                at = place if place is not None else at
        if not present:
            yield piece


def _number(words: str, url: str | None, listed: dict[int, str], text: str, above: int) -> int | None:
    """Under which number, above that of the link before, these words lead to that address."""
    return next((n for n in sorted(listed) if n > above and url in (None, listed[n]) and f"{words}[{n}]" in text), None)


def _place(words: str, text: str, start: int) -> int | None:
    """Where these words begin, numbers of links and notes between them left out."""
    pattern = r"(?:\[(?:note)?\d+\])*".join(map(re.escape, words))
    match = re.compile(pattern).search(text, start)
    return match.start() if match else None


def _bare(text: str) -> str:
    """Without white space and without the marks that stand for emphasis, quotes and boxes in plain text."""
    return _MARKS.sub("", solid(text))


def _unmarked(compiled: str) -> str:
    def fallback(mark: re.Match[str]) -> str:
        return bytes.fromhex(mark[1][5:]).decode() if mark[1].startswith("NAME_") else mark[0]

    return unguard(MARK.sub(fallback, compiled))
