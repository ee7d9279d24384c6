"""What the web page and the HTML mail share: inline nodes as safe HTML. Nothing an author types is ever markup."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from html import escape

from emails.document import (
    Block,
    Break,
    Button,
    Card,
    Code,
    CodeBlock,
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
)

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def long_date(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


class Markup(ABC):
    """One method per kind of block; each rendering says how its own look."""

    def blocks(self, blocks: Sequence[Block]) -> str:
        return "\n".join(filter(None, map(self.block, blocks)))

    def block(self, block: Block) -> str:  # noqa: C901  # one line per kind of block
        match block:
            case Heading():
                return self.heading(block)
            case Paragraph(children):
                return f"<p>{self.inline(children)}</p>"
            case Listing():
                return self.listing(block)
            case Quote():
                return self.quote(block)
            case CodeBlock():
                return self.code_block(block)
            case Rule():
                return "<hr />"
            case Figure():
                return self.figure(block)
            case Button(text, url):
                return self.button(text, url)
            case Share(text):
                return self.share(text)
            case Subscribe(text):
                return self.subscribe(text)
            case Card():
                return self.card(block)

    def heading(self, heading: Heading) -> str:
        return f"<h{heading.level}>{self.inline(heading.children)}</h{heading.level}>"

    def quote(self, quote: Quote) -> str:
        return f"<blockquote>{self.blocks(quote.blocks)}</blockquote>"

    def closing(self, blocks: Sequence[Block]) -> str:
        """Blocks in a box of their own: the last paragraph must not push its border away."""
        if not blocks or not isinstance(last := blocks[-1], Paragraph):
            return self.blocks(blocks)
        end = f'<p class="last">{self.inline(last.children)}</p>'
        return f"{self.blocks(blocks[:-1])}{end}"

    def listing(self, listing: Listing) -> str:
        tag = "ul" if listing.first is None else "ol"
        start = f' start="{listing.first}"' if listing.first not in (None, 1) else ""
        items = "\n".join(f"<li>{self._item(item, listing.tight)}</li>" for item in listing.items)
        return f"<{tag}{start}>\n{items}\n</{tag}>"

    def _item(self, item: Item, tight: bool) -> str:
        return "\n".join(
            self.inline(block.children) if tight and isinstance(block, Paragraph) else self.block(block)
            for block in item.blocks
        )

    def inline(self, children: Sequence[Inline]) -> str:
        return "".join(map(self._inline, children))

    def _inline(self, child: Inline) -> str:
        match child:
            case Text(text):
                return self.text(text)
            case Code(text):
                return f"<code>{self.text(text)}</code>"
            case Break():
                return "<br />"
            case Emphasis(children):
                return f"<em>{self.inline(children)}</em>"
            case Strong(children):
                return f"<strong>{self.inline(children)}</strong>"
            case Link(url, children):
                return f'<a href="{self.text(url)}">{self.inline(children)}</a>'
            case Image():
                return self.image(child)
            case Field():
                return self.field(child)
            case NoteReference():
                return self.note_reference(child)

    def text(self, text: str) -> str:
        return escape(text)

    @abstractmethod
    def code_block(self, block: CodeBlock) -> str: ...
    @abstractmethod
    def figure(self, figure: Figure) -> str: ...
    @abstractmethod
    def image(self, image: Image) -> str: ...
    @abstractmethod
    def button(self, text: str, url: str) -> str: ...
    @abstractmethod
    def share(self, text: str) -> str: ...
    @abstractmethod
    def subscribe(self, text: str) -> str: ...
    @abstractmethod
    def card(self, card: Card) -> str: ...
    @abstractmethod
    def field(self, field: Field) -> str: ...
    @abstractmethod
    def note_reference(self, reference: NoteReference) -> str: ...
