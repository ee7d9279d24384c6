"""The tree of a post: the one source of web page, HTML mail and text part."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

SHORTEST_EXCERPT = 15  # "Introduction…" says nothing; hide what is shorter than this


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Code:
    text: str


@dataclass(frozen=True)
class Break:
    """A line break that the author asked for."""


@dataclass(frozen=True)
class Emphasis:
    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Strong:
    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Link:
    url: str
    children: tuple[Inline, ...]

    @property
    def is_bare(self) -> bool:
        """True if what is shown is the address itself."""
        shown = plain(self.children)
        return self.url in (shown, f"mailto:{shown}", f"{shown}/")


@dataclass(frozen=True)
class Image:
    url: str
    alt: str
    width: int | None = None
    height: int | None = None
    caption: str = ""


@dataclass(frozen=True)
class Field:
    """What differs per reader: {name|there}. Filled in by plain substitution, never by a template engine."""

    name: str
    fallback: str


@dataclass(frozen=True)
class NoteReference:
    number: int
    occurrence: int  # 1 for the first time this note is named, 2 for the second …


Inline = Text | Code | Break | Emphasis | Strong | Link | Image | Field | NoteReference


@dataclass(frozen=True)
class Heading:
    level: int  # 2 to 6: the title of the post is the only h1
    id: str
    children: tuple[Inline, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Paragraph:
    children: tuple[Inline, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Item:
    blocks: tuple[Block, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Listing:
    """A list. `first` is the first number of an ordered one, None for bullets; a tight one has no gaps."""

    items: tuple[Item, ...]
    first: int | None = None
    tight: bool = True
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Quote:
    blocks: tuple[Block, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class CodeBlock:
    text: str
    language: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Rule:
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Figure:
    """An image that stands alone, perhaps as a link."""

    image: Image
    url: str | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Button:
    text: str
    url: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Share:
    text: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Subscribe:
    """The call to subscribe; what it says depends on who reads."""

    text: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Card:
    """Another publication's post, recommended."""

    title: str
    url: str
    publication: str = ""
    excerpt: str = ""
    author: str = ""
    date: datetime.date | None = None
    logo: str | None = None
    line: int = field(default=0, compare=False)

    @property
    def telling_excerpt(self) -> str:
        return self.excerpt if len(self.excerpt) >= SHORTEST_EXCERPT else ""


Block = Heading | Paragraph | Listing | Quote | CodeBlock | Rule | Figure | Button | Share | Subscribe | Card


@dataclass(frozen=True)
class Note:
    number: int
    blocks: tuple[Block, ...]
    references: int  # how often the text points at it


@dataclass(frozen=True)
class Document:
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...] = ()

    def walk(self) -> Iterator[Block]:
        """Every block, outermost first, in reading order; those of the notes last."""
        yield from _walk(self.blocks)
        for note in self.notes:
            yield from _walk(note.blocks)

    @property
    def opening(self) -> str:
        """The first paragraph in plain words: what to show where only a line fits."""
        return next((plain(block.children) for block in self.walk() if isinstance(block, Paragraph)), "")


def plain(children: tuple[Inline, ...]) -> str:
    """The words of some inline content, without marks or addresses."""
    return "".join(_plain(child) for child in children)


def _plain(child: Inline) -> str:
    match child:
        case Text(text) | Code(text):
            return text
        case Break():
            return " "
        case Emphasis(children) | Strong(children) | Link(_, children):
            return plain(children)
        case Image():
            return child.alt
        case Field():
            return child.fallback
        case NoteReference():
            return ""


def _walk(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        yield block
        match block:
            case Quote(inner):
                yield from _walk(inner)
            case Listing(items):
                for item in items:
                    yield from _walk(item.blocks)
