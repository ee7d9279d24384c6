"""What the web page and the HTML mail share: inline nodes as safe HTML. Nothing an author types is ever markup."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from html import escape

from emails import highlighting
from emails.characters import direction_of
from emails.document import (
    Block,
    Break,
    Cell,
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
from emails.values import Audience, PostContent, Theme


class Markup(ABC):
    """One method per kind of block; each rendering says how its own look."""

    def __init__(self, content: PostContent, theme: Theme, audience: Audience) -> None:
        self.content = content
        self.theme = theme
        self.audience = audience

    def blocks(self, blocks: Sequence[Block]) -> str:
        return "\n".join(filter(None, map(self.block, blocks)))

    def block(self, block: Block) -> str:  # one line per kind of block
        match block:
            case Heading():
                return self.heading(block)
            case Paragraph(children):
                return f"<p{self.turn(children)}>{self.inline(children)}</p>"
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
            case Table():
                return self.table(block)
            case Element():
                return self.element(block)

    def heading(self, heading: Heading) -> str:
        tag = f"h{heading.level}"
        return f"<{tag}{self.turn(heading.children)}>{self.inline(heading.children)}</{tag}>"

    def quote(self, quote: Quote) -> str:
        if not quote.source:
            words = self.closing(quote.blocks)
            return f"<blockquote>{words}</blockquote>" if words else ""
        source = f'<p class="source"><cite>{self.inline(quote.source)}</cite></p>'
        return f"<blockquote>{self.blocks(quote.blocks)}\n{source}</blockquote>"

    def closing(self, blocks: Sequence[Block]) -> str:
        """Blocks in a box of their own: the last paragraph must not push its border away."""
        match blocks:
            case (*before, Paragraph(children)):
                end = f"<p{self.turn(children, 'last')}>{self.inline(children)}</p>"
            case (*before, Listing() as listing):
                end = self.listing(listing, "last")
            case _:
                return self.blocks(blocks)
        return self.blocks(before) + end

    def listing(self, listing: Listing, name: str = "") -> str:
        tag = "ul" if listing.first is None else "ol"
        start = f' start="{listing.first}"' if listing.first not in (None, 1) else ""
        if any(item.is_done is not None for item in listing.items):
            name = f"tasks {name}".strip()
        named = f' class="{name}"' if name else ""
        items = "\n".join(self._item(item, listing.tight) for item in listing.items)
        return f"<{tag}{start}{named}>\n{items}\n</{tag}>"

    def _item(self, item: Item, tight: bool) -> str:
        inner = "\n".join(
            self.inline(block.children) if tight and isinstance(block, Paragraph) else self.block(block)
            for block in item.blocks
        )
        first = item.blocks[0] if item.blocks else None
        turn = self.turn(first.children) if tight and isinstance(first, Paragraph) else ""
        if item.is_done is None:
            return f"<li{turn}>{inner}</li>"
        done = "Done: " if item.is_done else "To do: "
        box = f'<span class="box" role="img" aria-label="{done}">{"☑" if item.is_done else "☐"}</span> '
        if not tight and isinstance(first, Paragraph):
            return f"<li{turn}>{inner.replace('>', f'>{box}', 1)}</li>"
        return f"<li{turn}>{box}{inner}</li>"

    def table(self, table: Table) -> str:
        """A table of data: its heads say what they are heads of."""
        head = "".join(
            f'<th scope="col"{self._side(side)}>{self.inline(cell.children)}</th>'
            for cell, side in zip(table.head.cells, table.sides, strict=True)
        )
        rows = "\n".join(f"<tr>{''.join(map(self._cell, row.cells, table.sides))}</tr>" for row in table.rows)
        return f'<table class="data"><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>'

    def _cell(self, cell: Cell, side: str) -> str:
        return f"<td{self._side(side)}>{self.inline(cell.children)}</td>"

    def _side(self, side: str) -> str:
        return f' align="{side or ("right" if self.theme.direction == "rtl" else "left")}"'

    def inline(self, children: Sequence[Inline]) -> str:
        return "".join(map(self._inline, children))

    def _inline(self, child: Inline) -> str:  # noqa: C901  # one line per kind
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
            case Strike(children):
                return f"<s>{self.inline(children)}</s>"
            case Formula(tex):
                return self.formula(tex)
            case Mention(url, name):
                return f'<a class="mention" href="{self.text(url)}">{self.text(name)}</a>'
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

    def turn(self, children: Sequence[Inline], name: str = "") -> str:
        """The attributes of a block whose words run the other way than the letter's."""
        direction = direction_of(plain(tuple(children)))
        if direction in (None, self.theme.direction):
            return f' class="{name}"' if name else ""
        return f' dir="{direction}" class="{f"{name} turned".strip()}"'

    def highlighted(self, code: str, language: str) -> list[str]:
        """Lines of code as HTML, with the kinds of its words as classes."""
        return highlighting.lines(code, language, self.text)

    @abstractmethod
    def code_block(self, block: CodeBlock) -> str: ...
    @abstractmethod
    def figure(self, figure: Figure) -> str: ...
    @abstractmethod
    def image(self, image: Image) -> str: ...
    @abstractmethod
    def button(self, text: str, url: str) -> str: ...
    @abstractmethod
    def element(self, element: Element) -> str: ...
    @abstractmethod
    def formula(self, tex: str) -> str: ...
    @abstractmethod
    def field(self, field: Field) -> str: ...
    @abstractmethod
    def note_reference(self, reference: NoteReference) -> str: ...
