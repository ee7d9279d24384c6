"""The tree as plain text: for the mail's text part, and to be read with pleasure."""

from collections.abc import Sequence

from emails import formulas
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
    Link,
    Listing,
    Mention,
    Note,
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
from emails.invitation import Invitation
from emails.personalise import guard, name_mark, unguard
from emails.tables import laid_out
from emails.values import Audience, PostContent, Rendering, Theme
from emails.visible import visible
from emails.wrapping import GLUE, WIDTH, columns, wrap

SHORTEST_LINE = 20  # deep inside lists and quotes, lines grow past the margin rather than shrink to nothing


def render_plain(content: PostContent, *, theme: Theme, audience: Audience) -> str:
    """The body of a post as plain text, links numbered and listed below each section."""
    return unguard(TextPart(visible(content, Rendering.TEXT, audience), theme, audience, personal=False).body())


class TextPart:
    """Of a post that holds only what these readers may see."""

    def __init__(self, content: PostContent, theme: Theme, audience: Audience, *, personal: bool = True) -> None:
        self.content = content
        self.theme = theme
        self.audience = audience
        self._personal = personal
        self._pending: list[tuple[int, str]] = []
        self._count = 0

    def body(self) -> str:
        document = self.content.document
        parts: list[list[str]] = []
        for block in document.blocks:
            if isinstance(block, Heading):
                parts.append(self._links())
            parts.append(self._block(block, WIDTH))
        parts.append(self._links())
        if document.notes:
            parts += [underlined("Notes", "-"), *(part for note in document.notes for part in self._note(note))]
        return "\n\n".join("\n".join(part) for part in parts if any(part))

    def blocks(self, blocks: Sequence[Block], width: int, tight: bool = False) -> list[str]:
        """Lines, with an empty one between two blocks."""
        lines: list[str] = []
        for block in blocks:
            part = self._block(block, width)
            if any(part):  # an empty heading or a paragraph of blanks is no reason for more empty lines
                lines += ([""] if lines and not tight else []) + part
        return lines

    def wrapped(self, words: str, width: int, first: str = "") -> list[str]:
        """Somebody's words in lines."""
        return self.filled(guard(words), width, first)

    def filled(self, ready: str, width: int, first: str = "") -> list[str]:
        """The same for text in which words have been `guarded`, and links are numbered."""
        return wrap(ready, max(width, SHORTEST_LINE), first)

    def guarded(self, words: str) -> str:
        return guard(words)

    def address(self, url: str) -> str:
        return guard(url)

    def barred(self, lines: Sequence[str]) -> list[str]:
        """A box: a bar before each line."""
        return [f"| {line}".rstrip() for line in lines]

    def indented(self, lines: Sequence[str], by: str) -> list[str]:
        return [f"{by}{line}".rstrip() for line in lines]

    def link(self, words: str, url: str) -> str:
        """Words with the number under which the address follows; in the same paragraph as ready text."""
        return self._numbered(guard(words), url) if words.strip() != url else guard(url)

    def invitation(self, call: Invitation | None, width: int) -> list[str]:
        if not call:
            return []
        lines = wrap(guard(call.words), width)
        return lines + (wrap(f"{guard(call.action)}: {guard(call.url)}", width) if call.url else [])

    def figure(self, figure: Figure, width: int) -> list[str]:
        lines = wrap(self._inline([figure.image]), width)
        if figure.image.caption:
            lines += wrap(guard(figure.image.caption), width)
        return lines + ([guard(figure.url)] if figure.url else [])

    def _note(self, note: Note) -> tuple[list[str], list[str]]:
        opening: tuple[Inline, ...] = ()
        others = note.blocks
        if others and isinstance(others[0], Paragraph):
            opening, others = others[0].children, others[1:]
        lines = wrap(self._inline(opening), WIDTH, f"[note {note.number}] ", "    ")
        if further := self.blocks(others, WIDTH - 4):
            lines += ["", *(f"    {line}".rstrip() for line in further)]
        return lines, self._links()

    def _block(self, block: Block, width: int) -> list[str]:  # one line per kind of block
        width = max(width, SHORTEST_LINE)
        match block:
            case Heading():
                return underlined(self._inline(block.children), "-", width)
            case Paragraph(children):
                return wrap(self._inline(children), width)
            case Listing():
                return self._listing(block, width)
            case Quote():
                return self._quote(block, width)
            case CodeBlock(text):
                title = [*wrap(guard(f"{block.title}:"), width), ""] if block.title else []
                return [*title, *(f"    {guard(line)}".rstrip() for line in text.split("\n"))]
            case Rule():
                return [("* * *").center(width).rstrip()]
            case Figure():
                return self.figure(block, width)
            case Table():
                return laid_out(block, self._inline, width)
            case Element():
                return block.text(self, width)

    def _listing(self, listing: Listing, width: int) -> list[str]:
        last = (listing.first or 0) + len(listing.items) - 1
        marker_width = 2 if listing.first is None else len(str(last)) + 2
        lines: list[str] = []
        for number, item in enumerate(listing.items, listing.first or 0):
            marker = "- " if listing.first is None else f"{number}. ".rjust(marker_width)
            if item.is_done is not None:
                marker += "[x] " if item.is_done else "[ ] "
            inner = self.blocks(item.blocks, width - len(marker), listing.tight) or [""]
            lines += [""] if lines and not listing.tight else []
            lines.append((marker + inner[0]).rstrip())
            lines += [(" " * len(marker) + line).rstrip() for line in inner[1:]]
        return lines

    def _quote(self, quote: Quote, width: int) -> list[str]:
        lines = self.blocks(quote.blocks, width - 2)
        if quote.source:
            lines += [*([""] if lines else []), *wrap(self._inline(quote.source), width - 2, "-- ", "   ")]
        return [f"> {line}".rstrip() for line in lines]

    def _inline(self, children: Sequence[Inline]) -> str:
        return "".join(map(self._inline_one, children))

    def _inline_one(self, child: Inline) -> str:  # noqa: C901  # one line per kind
        match child:
            case Text(text) | Code(text):
                return guard(text)
            case Break():
                return "\n"
            case Emphasis(children):
                return f"_{self._inline(children)}_"
            case Strong(children):
                return f"*{self._inline(children)}*"
            case Strike(children):
                return f"~{self._inline(children)}~"
            case Formula(tex):
                return guard(formulas.in_words(tex))
            case Mention(url, name):
                return self._numbered(guard(name), url)
            case Link(url):
                return (
                    guard(plain(child.children)) if child.is_bare else self._numbered(self._inline(child.children), url)
                )
            case Image(url, alt):
                return f"[Image: {guard(alt)}] {guard(url)}" if alt else f"[Image] {guard(url)}"
            case Field(_, fallback):
                return name_mark(fallback) if self._personal else guard(fallback)
            case NoteReference(number):
                return f"{GLUE}[note{GLUE}{number}]"

    def _numbered(self, words: str, url: str) -> str:
        self._count += 1
        self._pending.append((self._count, url))
        return f"{words}{GLUE}[{self._count}]"

    def _links(self) -> list[str]:
        lines = [f"[{number}] {guard(url)}" for number, url in self._pending]
        self._pending = []
        return lines


def underlined(text: str, line: str, width: int = WIDTH) -> list[str]:
    lines = wrap(text, width)
    return [*lines, line * max(map(columns, lines))]
