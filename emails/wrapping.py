"""Lines of a readable width, counted in columns: a Chinese character takes two, a merge mark about a name."""

import re
from unicodedata import category, combining, east_asian_width

from emails.personalise import MARK

WIDTH = 78
GLUE = "\ufdd1"  # a blank at which no line ends: a link and its number stay together

_WORDS = re.compile(r"\S+")


def wrap(text: str, width: int = WIDTH, first: str = "", rest: str | None = None) -> list[str]:
    """`text` in lines of at most `width` columns, behind `first` and then `rest`. A word too long stays whole."""
    rest = " " * columns(first) if rest is None else rest
    lines: list[str] = []
    for paragraph in text.split("\n"):
        room = width - columns(rest if lines else first)
        for line in _filled(paragraph, room, width - columns(rest)):
            lines.append((rest if lines else first) + line)
    return [line.rstrip().replace(GLUE, " ") for line in lines]


def columns(text: str) -> int:
    shown = MARK.sub("__________", text)
    if shown.isascii():
        return len(shown)
    return sum(0 if combining(c) else 2 if _is_wide(c) else 1 for c in shown)


def _filled(text: str, room: int, width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in _WORDS.findall(text):
        for number, piece in enumerate(_pieces(word)):
            gap = " " if line and number == 0 else ""
            if line and columns(line) + len(gap) + columns(piece) > room:
                lines.append(line)
                line, gap, room = "", "", width
            line += gap + piece
    return [*lines, line]


def _pieces(word: str) -> list[str]:
    """Where a word may be broken: between wide characters, but not before a mark that closes."""
    if word.isascii():
        return [word]
    pieces = [""]
    for character in word:
        wide = _is_wide(character) and category(character) not in ("Pe", "Pf", "Po")
        if pieces[-1] and (wide or (_is_wide(pieces[-1][-1]) and character.isalnum())):
            pieces.append("")
        pieces[-1] += character
    return pieces


def _is_wide(character: str) -> bool:
    # Our own signs are noncharacters, of which Unicode's tables claim that they are wide.
    return not "\ufdd0" <= character <= "\ufdef" and east_asian_width(character) in "WF"
