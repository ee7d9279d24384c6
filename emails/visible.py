"""What of a post one kind of reader may see in one rendering. Everything that is made of a post goes through here."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace

from emails.document import Block, Document, Element, Item, Listing, Note, NoteReference, Quote, inlines
from emails.elements.reach import Only, Paywall
from emails.values import Access, Audience, PostContent, Rendering


def visible(content: PostContent, rendering: Rendering, audience: Audience) -> PostContent:
    """The same post without what is not for them: it never reaches a renderer, and so cannot leak from one."""
    document = content.document
    blocks = tuple(_shown(_as_far_as_allowed(content, audience), rendering, audience))
    notes = tuple(replace(note, blocks=tuple(_shown(note.blocks, rendering, audience))) for note in document.notes)
    if (blocks, notes) != (document.blocks, document.notes):
        notes = _cited(blocks, notes)
    return replace(content, document=Document(blocks, notes))


def has_preview(document: Document) -> bool:
    """Whether a part of it is for readers who may not read all of it."""
    return any(isinstance(block, Paywall) for block in document.blocks)


def _as_far_as_allowed(content: PostContent, audience: Audience) -> tuple[Block, ...]:
    blocks = content.document.blocks
    line = next((at for at, block in enumerate(blocks) if isinstance(block, Paywall)), None)
    is_on_the_list = audience in (Audience.FREE, Audience.OTHER)
    if audience is Audience.PAYING or (content.access is Access.SUBSCRIBERS and is_on_the_list):
        return blocks if line is None else blocks[:line] + blocks[line + 1 :]
    if line is not None:  # also where the whole post is for everyone: better too little than too much
        return blocks[: line + 1]
    return blocks if content.access is Access.EVERYONE else (Paywall(""),)


def _shown(blocks: Iterable[Block], rendering: Rendering, audience: Audience) -> Iterator[Block]:
    """What holds nothing any more is left out too: no title over nothing, no number of an item that is not there."""
    for block in blocks:
        if isinstance(block, Only):
            if block.is_for(rendering, audience):
                yield from _shown(block.blocks, rendering, audience)
        elif isinstance(block, Listing):
            if items := tuple(_items(block.items, rendering, audience)):
                yield replace(block, items=items) if items != block.items else block
        else:
            shown = _with_shown_parts(block, rendering, audience)
            if not _is_emptied(block, shown):
                yield shown


def _items(items: Iterable[Item], rendering: Rendering, audience: Audience) -> Iterator[Item]:
    for item in items:
        blocks = _part(item.blocks, rendering, audience)
        if blocks or not item.blocks:
            yield replace(item, blocks=blocks)


def _is_emptied(block: Block, shown: Block) -> bool:
    """Whether nothing is left of what it was made for."""
    match block, shown:
        case Quote(words, source), Quote(()):
            return bool(words) or not source  # a lone “>” as well
        case Element(), Element():
            return any(block.inner()) and not any(shown.inner()) and not shown.stands_without_words
    return False


def _with_shown_parts(block: Block, rendering: Rendering, audience: Audience) -> Block:
    parts = {}
    for part in fields(block):  # type: ignore[arg-type]  # every block is a dataclass
        value = getattr(block, part.name)
        if isinstance(value, tuple) and any(isinstance(each, Block) for each in value):
            shown = _part(value, rendering, audience)
            if shown != value:
                parts[part.name] = shown
    return replace(block, **parts) if parts else block  # type: ignore[type-var]


def _part(blocks: tuple[Block, ...], rendering: Rendering, audience: Audience) -> tuple[Block, ...]:
    return tuple(_shown(blocks, rendering, audience))


def _cited(blocks: tuple[Block, ...], notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """The notes that what is left leads to, by way of other notes too: a note cited only where these readers may not
    look is as secret as that place. Numbers stay as they are: they lead to the notes of the page.
    """
    by_number = {note.number: note for note in notes}
    occurrences: dict[int, list[int]] = {}
    waiting = [blocks]
    while waiting:
        for node in inlines(Document(waiting.pop())):
            if isinstance(node, NoteReference) and node.number in by_number:
                if node.number not in occurrences:
                    waiting.append(by_number[node.number].blocks)
                occurrences.setdefault(node.number, []).append(node.occurrence)
    return tuple(
        replace(note, occurrences=tuple(sorted(occurrences[note.number])))
        for note in notes
        if note.number in occurrences
    )
