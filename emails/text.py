"""The tree as plain text: for the mail's text part, and to be read with pleasure."""

from collections.abc import Sequence

from emails.document import (
    Block,
    Break,
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
    Link,
    Listing,
    Note,
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
from emails.invitation import invitation
from emails.markup import long_date
from emails.personalise import guard, name_mark, unguard
from emails.values import Audience, Theme
from emails.wrapping import GLUE, WIDTH, columns, wrap

SHORTEST_LINE = 20  # deep inside lists and quotes, lines grow past the margin rather than shrink to nothing


def render_plain(document: Document, *, theme: Theme, audience: Audience, share_url: str = "") -> str:
    """The body of a post as plain text, links numbered and listed below each section."""
    return unguard(TextPart(theme, audience, share_url, personal=False).body(document))


class TextPart:
    def __init__(self, theme: Theme, audience: Audience, share_url: str, *, personal: bool = True) -> None:
        self._theme = theme
        self._audience = audience
        self._share_url = share_url
        self._personal = personal
        self._pending: list[tuple[int, str]] = []
        self._count = 0

    def body(self, document: Document) -> str:
        parts: list[list[str]] = []
        for block in document.blocks:
            if isinstance(block, Heading):
                parts.append(self._links())
            parts.append(self._block(block, WIDTH))
        parts.append(self._links())
        if document.notes:
            parts += [underlined("Notes", "-"), *(part for note in document.notes for part in self._note(note))]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _note(self, note: Note) -> tuple[list[str], list[str]]:
        opening: tuple[Inline, ...] = ()
        others = note.blocks
        if others and isinstance(others[0], Paragraph):
            opening, others = others[0].children, others[1:]
        lines = wrap(self._inline(opening), WIDTH, f"[note {note.number}] ", "    ")
        if further := self._blocks(others, WIDTH - 4):
            lines += ["", *(f"    {line}".rstrip() for line in further)]
        return lines, self._links()

    def _blocks(self, blocks: Sequence[Block], width: int, tight: bool = False) -> list[str]:
        lines: list[str] = []
        for block in blocks:
            part = self._block(block, width)
            lines += ([""] if lines and part and not tight else []) + part
        return lines

    def _block(self, block: Block, width: int) -> list[str]:  # noqa: C901  # one line per kind of block
        width = max(width, SHORTEST_LINE)
        match block:
            case Heading():
                return underlined(self._inline(block.children), "-", width)
            case Paragraph(children):
                return wrap(self._inline(children), width)
            case Listing():
                return self._listing(block, width)
            case Quote(blocks):
                return [f"> {line}".rstrip() for line in self._blocks(blocks, width - 2)]
            case CodeBlock(text):
                return [f"    {guard(line)}".rstrip() for line in text.split("\n")]
            case Rule():
                return [("* * *").center(width).rstrip()]
            case Figure():
                return self._figure(block, width)
            case Button(text, url):
                return wrap(f"{guard(text)}: {guard(url)}", width)
            case Share(text):
                return wrap(f"{guard(text)}: {guard(self._share_url)}", width) if self._share_url else []
            case Subscribe(text):
                return self._subscribe(text, width)
            case Card():
                return self._card(block, width)

    def _listing(self, listing: Listing, width: int) -> list[str]:
        last = (listing.first or 0) + len(listing.items) - 1
        marker_width = 2 if listing.first is None else len(str(last)) + 2
        lines: list[str] = []
        for number, item in enumerate(listing.items, listing.first or 0):
            marker = "- " if listing.first is None else f"{number}. ".rjust(marker_width)
            inner = self._blocks(item.blocks, width - marker_width, listing.tight) or [""]
            lines += [""] if lines and not listing.tight else []
            lines.append((marker + inner[0]).rstrip())
            lines += [(" " * marker_width + line).rstrip() for line in inner[1:]]
        return lines

    def _figure(self, figure: Figure, width: int) -> list[str]:
        lines = wrap(self._inline([figure.image]), width)
        if figure.image.caption:
            lines += wrap(guard(figure.image.caption), width)
        return lines + ([guard(figure.url)] if figure.url else [])

    def _subscribe(self, text: str, width: int) -> list[str]:
        call = invitation(text, self._theme, self._audience)
        if not call:
            return []
        lines = wrap(guard(call.words), width)
        return lines + (wrap(f"{guard(call.action)}: {guard(call.url)}", width) if call.url else [])

    def _card(self, card: Card, width: int) -> list[str]:
        source = f"{card.publication}: " if card.publication else ""
        by = f", by {card.author}" if card.author else ""
        day = f" ({long_date(card.date)})" if card.date else ""
        lines = wrap(guard(f"{source}{card.title}{by}{day}"), width - 2)
        if card.telling_excerpt:
            lines += wrap(guard(card.telling_excerpt), width - 2)
        lines += wrap(f"Read more: {guard(card.url)}", width - 2)
        return [f"| {line}" for line in lines]

    def _inline(self, children: Sequence[Inline]) -> str:
        return "".join(map(self._inline_one, children))

    def _inline_one(self, child: Inline) -> str:
        match child:
            case Text(text) | Code(text):
                return guard(text)
            case Break():
                return "\n"
            case Emphasis(children):
                return f"_{self._inline(children)}_"
            case Strong(children):
                return f"*{self._inline(children)}*"
            case Link():
                return self._link(child)
            case Image(url, alt):
                return f"[Image: {guard(alt)}] {guard(url)}" if alt else f"[Image] {guard(url)}"
            case Field(_, fallback):
                return name_mark(fallback) if self._personal else guard(fallback)
            case NoteReference(number):
                return f"{GLUE}[note{GLUE}{number}]"

    def _link(self, link: Link) -> str:
        if link.is_bare:
            return guard(plain(link.children))
        words = self._inline(link.children)
        self._count += 1
        self._pending.append((self._count, link.url))
        return f"{words}{GLUE}[{self._count}]"

    def _links(self) -> list[str]:
        lines = [f"[{number}] {guard(url)}" for number, url in self._pending]
        self._pending = []
        return lines


def underlined(text: str, line: str, width: int = WIDTH) -> list[str]:
    lines = wrap(text, width)
    return [*lines, line * max(map(columns, lines))]
