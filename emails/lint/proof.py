"""A post laid out to be examined: its source by lines, its tree, and the letters made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Literal

from emails.characters import tidy
from emails.document import Block, CodeBlock, Element, Image, Link, Mention, inlines_of, plain
from emails.elements import Card
from emails.pieces import Piece
from emails.targets import host_of
from emails.values import Audience, Compiled, PostContent, Rendering

Level = Literal["error", "warning", "unchecked"]

_FENCE = re.compile(r"\s*(?:>\s*)*(?:[-*+]|\d+[.)])?\s*(```|~~~)")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_FORMULA = re.compile(r"\$\$.*?\$\$|(?<![\w$])\$(?!\s)[^$\n]*?[\\^_{][^$\n]*\$")
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s<>\"]*", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """An error stops the sending; a warning wants a word from the author; what is unchecked is only said.

    The line counts from 1 in the source; None: not in the text. The place tells two findings of one kind apart, and
    stays the same while lines above it come and go.
    """

    level: Level
    code: str
    sentence: str
    line: int | None = None
    place: str = ""

    @property
    def rank(self) -> tuple[int, int, str]:
        """What must be mended comes first, then what stands first."""
        return ("error", "warning", "unchecked").index(self.level), self.line or 0, self.key

    @property
    def key(self) -> str:
        return key_of(self.code, self.place)

    @property
    def full_sentence(self) -> str:
        return f"Line {self.line}: {self.sentence}" if self.line else self.sentence


def key_of(code: str, place: str) -> str:
    """What an author's “send anyway” is remembered by."""
    return f"{code}-{blake2b(place.encode(), digest_size=6).hexdigest()}" if place else code


@dataclass(frozen=True)
class Reference:
    """An address that the post leads to, or a picture that it shows."""

    url: str
    words: str  # without white space where an element says them
    line: int | None

    @property
    def host(self) -> str:
        return host_of(self.url)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Lines are counted in `source`, the whole file with its front matter; its text begins at `body_line`."""

    content: PostContent
    source: str
    body_line: int = 1
    letters: Mapping[Audience, Compiled] = field(default_factory=dict)
    site_url: str = ""
    can_be_paid: bool = True  # somebody can become a paying reader
    weights: Mapping[str, int] = field(default_factory=dict)  # bytes of the pictures that are known, by their address

    def weighed(self, weights: Mapping[str, int]) -> Proof:
        """The same, with what its pictures weigh."""
        return replace(self, weights=weights)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        return tuple(tidy(self.source).split("\n"))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self.content.document.walk())

    @cached_property
    def runs(self) -> tuple[tuple[Block, ...], ...]:
        """Blocks as they follow each other: those of the text, and those of each note."""
        document = self.content.document
        return (document.blocks, *(note.blocks for note in document.notes))

    @cached_property
    def code_free(self) -> tuple[tuple[int, str], ...]:
        """The lines of the text, numbered, with blanks where code and formulas are: they mean what they say."""
        code = {line for block in self.blocks if isinstance(block, CodeBlock) for line in self._lines_of(block)}
        return tuple(
            (number, "" if number in code else _FORMULA.sub(_blanks, _SPAN.sub(_blanks, line)))
            for number, line in enumerate(self.lines, 1)
            if number >= self.body_line
        )

    @cached_property
    def prose(self) -> tuple[tuple[int, str], ...]:
        """The same without addresses."""
        return tuple((number, _ADDRESS.sub(_blanks, line)) for number, line in self.code_free)

    @cached_property
    def links(self) -> tuple[Reference, ...]:
        return tuple(dict.fromkeys(each for block in self.blocks for each in self._links_of(block)))

    @cached_property
    def pictures(self) -> tuple[tuple[Reference, str], ...]:
        """Each picture that says something, with the words that stand for it."""
        found = {shown.url: (shown, shown.words) for block in self.blocks for shown in self._pictures_of(block)}
        return tuple(found.values())

    def line(self, block: Block) -> int | None:
        """Where a block begins in the source: the tree counts from the first line of the text."""
        return block.line + self.body_line - 1 if block.line else None

    def line_of(self, words: str, since: int | None = None) -> int | None:
        """Where these words stand in the source: the first time at or below `since`, else `since` itself."""
        start = max(since or 1, 1)
        return next((n for n in range(start, len(self.lines) + 1) if words and words in self.lines[n - 1]), since)

    def line_of_key(self, key: str) -> int | None:
        """Of a key of the front matter."""
        begins = re.compile(rf"{key}\s*:", re.IGNORECASE)
        return next((n for n, line in enumerate(self.lines[: self.body_line - 1], 1) if begins.match(line)), None)

    def _lines_of(self, block: CodeBlock) -> range:
        line = self.line(block)
        if line is None or line > len(self.lines):
            return range(0)
        return range(line, line + block.text.count("\n") + (3 if _FENCE.match(self.lines[line - 1]) else 1))

    def _links_of(self, block: Block) -> Iterator[Reference]:
        for node in inlines_of(block):
            if isinstance(node, Link):
                yield self._reference(node.url, plain(node.children), block)
            elif isinstance(node, Mention):
                yield self._reference(node.url, node.name, block)
        # An element may lead to one place twice, by its title and by “Read more”: the first says what it is.
        named = {piece.url: piece.words for piece in reversed(list(_pieces_of(block))) if piece.kind == "link"}
        if isinstance(url := getattr(block, "url", None), str):
            named.setdefault(url, self._words_of(block))
        for url, words in named.items():
            if url:
                yield self._reference(url, words, block)

    def _pictures_of(self, block: Block) -> Iterator[Reference]:
        for node in inlines_of(block):
            if isinstance(node, Image):
                yield self._reference(node.url, node.alt, block)
        for piece in _pieces_of(block):
            if piece.kind == "image" and piece.url and not isinstance(block, Card):  # whose picture only adorns it
                yield self._reference(piece.url, piece.words, block)

    def _words_of(self, block: Block) -> str:
        image = getattr(block, "image", None)
        if isinstance(image, Image):  # a link that has no other words is named after where it leads
            return image.alt or "·"
        return str(getattr(block, "title", "") or "·")

    def _reference(self, url: str, words: str, block: Block) -> Reference:
        return Reference(url, words.strip(), self.line_of(url, self.line(block)))


def _pieces_of(block: Block) -> Iterator[Piece]:
    """What an element shows by itself; the blocks within it are come to by themselves."""
    if isinstance(block, Element):
        yield from block.pieces(Rendering.MAIL, lambda _: iter(()))


def _blanks(found: re.Match[str]) -> str:
    return " " * len(found[0])
