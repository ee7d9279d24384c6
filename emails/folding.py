"""A letter that mail programs would cut, folded by us first: at a border of its text, with a way on to the web page.

Both parts are folded at the same place: filters compare them, and readers of either get the same letter.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import accumulate
from urllib.parse import quote

from emails.document import Block, Document, Heading, NoteReference, Paragraph, Rule, Text, plain
from emails.elements.buttons import Button
from emails.elements.reach import Paywall
from emails.values import Access, Audience, Compiled, Fold, PostContent, Rendering
from emails.visible import visible

LIMIT = 95_000  # bytes: Gmail cuts at 102 kB, and what differs per reader makes a letter a little longer
CONTINUE = "Continue on the web"
LONGEST_QUOTE = 60  # characters of the first words by which a browser finds a place that has no name

Compile = Callable[[PostContent], Compiled]


def folded(
    content: PostContent, audience: Audience, whole: Compiled, compiled: Compile, weights: Sequence[int]
) -> Compiled:
    """The letter up to the last good border where it is no larger than `content.fold_over`.

    `weights` says how large each block is beside the others; it only saves compiling. A border that would leave less
    than half of what may stay is not taken while there is a finer one. What its readers would not find on the page
    is never folded away: then the letter may stay whole.
    """
    limit = content.fold_over or LIMIT
    if not (content.preheader or content.subtitle):  # a letter folded at its start opens with words of ours
        content = replace(content, preheader=visible(content, Rendering.MAIL, audience).document.opening)
    press = _Press(content, whole, compiled, weights)
    blocks = content.document.blocks
    last, first = _end(content, audience), _first_border(content, audience)
    largest = None
    for borders in (headings(blocks), rules(blocks), range(1, len(blocks)), [0]):
        letter = press.largest([at for at in borders if first <= at < last], limit)
        if letter and letter.size >= limit / 2:
            return letter
        largest = max(filter(None, [largest, letter]), key=lambda each: each.size, default=None)
    return largest or whole


def headings(blocks: Sequence[Block]) -> list[int]:
    """Where a section of the highest level begins, but for one that the letter opens with."""
    highest = min((block.level for block in blocks if isinstance(block, Heading)), default=0)
    return [at for at, block in enumerate(blocks) if at and isinstance(block, Heading) and block.level == highest]


def rules(blocks: Sequence[Block]) -> list[int]:
    return [at for at, block in enumerate(blocks) if at and isinstance(block, Rule)]


def shortened(content: PostContent, at: int) -> PostContent:
    """The first `at` blocks and the notes they cite, and at the end where it goes on."""
    document = content.document
    kept = document.blocks[:at]
    cited = _cited(kept, document)
    blocks = (
        *kept,
        Paragraph((Text(_words(document.blocks, at)),)),
        Button(CONTINUE, content.url + _place(document, at)),
    )
    notes = tuple(note for note in document.notes if note.number in cited)
    return replace(content, document=Document(blocks, notes))


class _Press:
    """Compiles each length once at most, and looks for the largest that fits without trying them all."""

    def __init__(self, content: PostContent, whole: Compiled, compiled: Compile, weights: Sequence[int]) -> None:
        self._content = content
        self._whole = whole
        self._compiled = compiled
        self._until = [0, *accumulate(weights)]
        self._letters: dict[int, Compiled] = {}

    def largest(self, borders: list[int], limit: int) -> Compiled | None:
        """Bisects, first where the weights say: two or three letters are compiled as a rule, and never more than
        a few more than the logarithm of the number of borders."""
        low, high = -1, len(borders)  # fits, and does not
        probe = self._guess(borders, limit) if borders else 0
        step = 0
        while high - low > 1:
            probe = min(max(probe, low + 1), high - 1)
            if self._letter(borders[probe]).size <= limit:
                low, guess = probe, probe + 1
            else:
                high, guess = probe, probe - 1
            step += 1
            probe = guess if step < 3 else (low + high) // 2
        return self._letter(borders[low]) if low >= 0 else None

    def _guess(self, borders: list[int], limit: int) -> int:
        bare = self._letter(0).size
        scale = (self._whole.size - bare) / max(self._until[-1], 1)
        sizes = [bare + scale * self._until[at] for at in borders]
        return bisect_right(sizes, limit) - 1

    def _letter(self, at: int) -> Compiled:
        if at not in self._letters:
            letter = self._compiled(shortened(self._content, at))
            fold = Fold(_begins(self._content.document.blocks, at), self._whole.size)
            self._letters[at] = replace(letter, fold=fold)
        return self._letters[at]


def _end(content: PostContent, audience: Audience) -> int:
    """How many blocks these readers get, as far as a line ends them."""
    blocks = content.document.blocks
    line = next((at for at, block in enumerate(blocks) if isinstance(block, Paywall)), len(blocks))
    return len(blocks) if audience is Audience.PAYING else line


def _first_border(content: PostContent, audience: Audience) -> int:
    """Below the last block that not everybody finds on the page as these readers have it in the mail."""
    blocks = content.document.blocks
    has_line = any(isinstance(block, Paywall) for block in blocks)
    if content.access is not Access.EVERYONE or (has_line and audience is Audience.PAYING):
        return len(blocks)
    got = blocks[: _end(content, audience)]
    kept = [at for at, block in enumerate(got) if not _is_on_the_page(content, block, audience)]
    return kept[-1] + 1 if kept else 0


def _is_on_the_page(content: PostContent, block: Block, audience: Audience) -> bool:
    alone = replace(content, document=Document((block,)))
    in_mail = visible(alone, Rendering.MAIL, audience).document.blocks
    return in_mail in ((), visible(alone, Rendering.PAGE, Audience.STRANGER).document.blocks)


def _cited(kept: Sequence[Block], document: Document) -> set[int]:
    """The numbers of the notes that these blocks lead to, by way of other notes too."""
    notes = {note.number: note for note in document.notes}
    found: set[int] = set()
    waiting = list(_references(kept))
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += _references(notes[number].blocks) if number in notes else ()
    return found


def _references(node: object) -> Iterator[int]:
    if isinstance(node, NoteReference):
        yield node.number
    elif isinstance(node, list | tuple):
        for each in node:
            yield from _references(each)
    elif is_dataclass(node):
        for part in fields(node):
            yield from _references(getattr(node, part.name))


def _begins(blocks: Sequence[Block], at: int) -> str:
    """The heading that comes next, if one does just now; else the first words."""
    for block in blocks[at:]:
        match block:
            case Heading(_, _, children):
                return plain(children)
            case Paragraph(children) if words := plain(children):
                return words if len(words) <= LONGEST_QUOTE else words[:LONGEST_QUOTE].rsplit(" ", 1)[0] + "…"
            case Rule():
                continue
        return ""
    return ""


def _words(blocks: Sequence[Block], at: int) -> str:
    if at < len(blocks) and isinstance(heading := blocks[at], Heading):
        return f"This letter is too long for some inboxes. It goes on with “{plain(heading.children)}”."
    return "This letter is too long for some inboxes. It goes on from here on its page."


def _place(document: Document, at: int) -> str:
    """Its own name where a heading begins; else the name of the section it is in, and its words for browsers that
    look for them. Others show the section."""
    blocks = document.blocks
    if at < len(blocks) and isinstance(heading := blocks[at], Heading):
        return f"#{quote(heading.id)}"
    section = next((f"#{quote(block.id)}" for block in reversed(blocks[:at]) if isinstance(block, Heading)), "#")
    opening = next((block for block in blocks[at : at + 2] if isinstance(block, Paragraph)), None)
    words = _first_words(opening) if opening else ""
    # A dash or a comma would be read as syntax.
    fragment = f":~:text={quote(words, safe='').replace('-', '%2D')}" if words else ""
    return section + fragment if section + fragment != "#" else ""


def _first_words(paragraph: Paragraph) -> str:
    """As many whole words as stand there as they were typed."""
    start = paragraph.children[0] if paragraph.children else None
    if not isinstance(start, Text):
        return ""
    words = start.text[:LONGEST_QUOTE].rsplit(" ", 1)
    return words[0].strip() if len(words) > 1 else ""
