"""Lines of a readable width, counted in columns: a Chinese character takes two, a merge mark about a name."""

import re
from unicodedata import category, combining, east_asian_width

from emails.personalise import MARK

WIDTH = 78

_WORDS = re.compile(r"\S+")


def wrap(text: str, width: int = WIDTH, first: str = "", rest: str | None = None) -> list[str]:
    """`text` in lines of at most `width` columns, behind `first` and then `rest`. A word too long stays whole."""
    rest = " " * columns(first) if rest is None else rest
    lines: list[str] = []
    for paragraph in text.split("\n"):
        for line in _filled(paragraph, width - columns(first)):
            lines.append((rest if lines else first) + line)
    return [line.rstrip() for line in lines]


def columns(text: str) -> int:
    shown = MARK.sub("__________", text)
    if shown.isascii():
        return len(shown)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in shown)


def _filled(text: str, width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in _WORDS.findall(text):
        for number, piece in enumerate(_pieces(word)):
            gap = " " if line and number == 0 else ""
            if line and columns(line) + len(gap) + columns(piece) > width:
                lines.append(line)
                line, gap = "", ""
            line += gap + piece
    return [*lines, line]


def _pieces(word: str) -> list[str]:
    """Where a word may be broken: between wide characters, but not before a mark that closes."""
    if word.isascii():
        return [word]
    pieces = [""]
    for character in word:
        wide = east_asian_width(character) in "WF" and category(character) not in ("Pe", "Pf", "Po")
        if pieces[-1] and (wide or _ends_wide(pieces[-1])) and (wide or character.isalnum()):
            pieces.append("")
        pieces[-1] += character
    return pieces


def _ends_wide(piece: str) -> bool:
    return east_asian_width(piece[-1]) in "WF"
