"""What a reader must find of a post in a rendering."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WHITE = re.compile(r"\s+")


@dataclass(frozen=True)
class Piece:
    """Words are without white space; no address means: any."""

    kind: str  # heading, words, item, quote, code, link, image, reference, card, cell, formula
    words: str
    url: str | None = None

    @classmethod
    def of(cls, kind: str, words: str, url: str | None = None) -> Piece:
        return cls(kind, solid(words), url)

    def __str__(self) -> str:
        return f"{self.kind} “{self.words[:60]}”" + (f" ({self.url})" if self.url else "")


def solid(text: str) -> str:
    return _WHITE.sub("", text)
