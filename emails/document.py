"""The tree of a post: the one source of web page, HTML mail and text part."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # an element knows how each rendering shows it, and each rendering knows that there are elements
    from emails.directives import Said, Shape
    from emails.mail import MailBody
    from emails.pieces import Piece
    from emails.text import TextPart
    from emails.values import Rendering
    from emails.web import WebPage


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
class Strike:
    """What no longer holds."""

    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Formula:
    """Mathematics, as TeX."""

    tex: str


@dataclass(frozen=True)
class Mention:
    """A person by name: @[Ada](https://…)."""

    url: str
    name: str


@dataclass(frozen=True)
class Link:
    url: str
    children: tuple[Inline, ...]
    as_typed: bool = field(default=False, compare=False)  # the address itself, with no marks around it

    @property
    def is_bare(self) -> bool:
        """True if what is shown is the address itself."""
        shown = plain(self.children)
        return self.url in (shown, f"mailto:{shown}", f"{shown}/")


@dataclass(frozen=True)
class Source:
    """One file of a picture."""

    url: str
    content_type: str
    width: int  # pixels
    is_still: bool = False  # for who wants nothing to move


@dataclass(frozen=True)
class Image:
    url: str
    alt: str
    width: int | None = None
    height: int | None = None
    caption: str = ""
    sources: tuple[Source, ...] = ()  # all its files, where we know them


@dataclass(frozen=True)
class Field:
    """What differs per reader: {name|there}. Filled in by plain substitution, never by a template engine."""

    name: str
    fallback: str


@dataclass(frozen=True)
class NoteReference:
    number: int
    occurrence: int  # 1 for the first time this note is named, 2 for the second …


Inline = Text | Code | Break | Emphasis | Strong | Strike | Formula | Mention | Link | Image | Field | NoteReference


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
    is_done: bool | None = None  # of a task; None: it is none
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
    source: tuple[Inline, ...] = ()  # who said it, and where
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class CodeBlock:
    text: str
    language: str = ""
    title: str = ""  # a file name, most often
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
class Cell:
    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Row:
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    head: Row
    rows: tuple[Row, ...]
    sides: tuple[str, ...]  # left, center, right or "", per column
    line: int = field(default=0, compare=False)


class Element(ABC):
    """A block that the author asks for by name (`:::name`). One class says all about it: how it is written, how each
    rendering shows it, and what a reader must find of it. They are in `emails/elements/`."""

    name: ClassVar[str]
    shape: ClassVar[Shape]
    keys: ClassVar[tuple[str, ...]] = ()  # of its lines like “title: …”
    stands_without_words: ClassVar[bool] = False  # it says something, too, when the blocks within are for others
    line: int

    @classmethod
    @abstractmethod
    def read(cls, said: Said) -> Element:
        """What was written, checked. Raises DocumentError with a sentence for the author."""

    @abstractmethod
    def page(self, page: WebPage) -> str: ...

    @abstractmethod
    def mail(self, mail: MailBody) -> str: ...

    @abstractmethod
    def text(self, text: TextPart, width: int) -> list[str]:
        """Lines of at most `width` columns, an address alone on its line excepted."""

    @abstractmethod
    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        """What must be found of it in that rendering, in order; `within` tells the same of the blocks it holds."""

    def remarks(self) -> Iterator[str]:
        """What the author should know of it, though it can be sent."""
        yield from ()

    def inner(self) -> Iterator[tuple[Block, ...]]:
        """The blocks within, part by part."""
        for part in fields(self):  # type: ignore[arg-type]  # every element is a dataclass
            value = getattr(self, part.name)
            if isinstance(value, tuple) and any(isinstance(each, Block) for each in value):
                yield value


Block = Heading | Paragraph | Listing | Quote | CodeBlock | Rule | Figure | Table | Element


@dataclass(frozen=True)
class Note:
    number: int
    blocks: tuple[Block, ...]
    occurrences: tuple[int, ...]  # the places where the text points at it, as its references count them


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
        case Emphasis(children) | Strong(children) | Strike(children) | Link(_, children):
            return plain(children)
        case Formula(tex):
            return tex
        case Mention(_, name):
            return name
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
            case Element():
                for inner in block.inner():
                    yield from _walk(inner)
            case Listing(items):
                for item in items:
                    yield from _walk(item.blocks)


def inlines(document: Document) -> Iterator[Inline]:
    """Every inline node, wherever it stands, in reading order; those inside of others after them."""
    for block in document.walk():
        yield from inlines_of(block)


def inlines_of(part: object) -> Iterator[Inline]:
    """Of this block alone: `walk` comes to the blocks within."""
    for each in fields(part):  # type: ignore[arg-type]  # every node is a dataclass
        value = getattr(part, each.name)
        for child in value if isinstance(value, tuple) else (value,):
            if isinstance(child, Inline):
                yield child
                yield from inlines_of(child)
            elif isinstance(child, Row | Cell):
                yield from inlines_of(child)
