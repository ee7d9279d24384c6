"""A web address that stands alone in its paragraph may become a card. What is at that address, the caller knows."""

from collections.abc import Iterable, Iterator, Mapping

from emails.document import Block, Document, Element, Inline, Link, Paragraph
from emails.elements import Card
from emails.rewriting import rewritten


def lonely_links(document: Document) -> dict[int, str]:
    """Addresses that were typed as they are, each alone in a paragraph: by line. Not in lists and quotes."""
    found = [*_lonely(document.blocks)]
    for note in document.notes:
        found += _lonely(note.blocks[1:])  # “[^1]: https://…” names a source, it recommends nothing
    return dict(found)


def with_cards(document: Document, cards: Mapping[str, Card]) -> Document:
    """The tree in which every such paragraph is the card of its address, if there is one."""
    lonely = lonely_links(document)

    def change(node: Block | Inline) -> Block | Inline:
        if isinstance(node, Paragraph) and _alone(node) and node.line in lonely:
            return cards.get(lonely[node.line], node)
        return node

    return rewritten(document, change) if lonely and cards else document


def written(card: Card) -> str:
    """The card as an author would write it."""
    said = {key: getattr(card, key) for key in Card.keys}
    return "\n".join([f":::{Card.name}", *(f"{key}: {value}" for key, value in said.items() if value), ":::"])


def _lonely(blocks: Iterable[Block]) -> Iterator[tuple[int, str]]:
    for block in blocks:
        if isinstance(block, Paragraph) and (url := _alone(block)):
            yield block.line, url
        elif isinstance(block, Element):
            for inner in block.inner():
                yield from _lonely(inner)


def _alone(paragraph: Paragraph) -> str:
    match paragraph.children:
        case (Link(url, as_typed=True),):
            return url
    return ""
