"""Lines of a readable width, counted in columns: a Chinese character takes two, a merge mark about a name."""

import re
from unicodedata import category, combining, east_asian_width

from emails.personalise import MARK

WIDTH = 78
GLUE = "\ufdd1"  # a blank at which no line ends: a link and its number stay together

_WORDS = re.compile("(?:\\S|[\u00a0\u2007\u202f])+")  # blanks that were typed to keep a number with its unit
_JOINER = "\u200d"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


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


def parts(word: str) -> list[str]:
    """Where a word may be broken: between wide characters, but not before a mark that closes."""
    if word.isascii():
        return [word]
    pieces = [""]
    for character in word:
        wide = _is_wide(character) and category(character) not in ("Pe", "Pf", "Po")
        before = pieces[-1][-1:]
        if before and not _is_one(before, character) and (wide or (_is_wide(before) and character.isalnum())):
            pieces.append("")
        pieces[-1] += character
    return pieces


def _filled(text: str, room: int, width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in _WORDS.findall(text):
        for number, piece in enumerate(parts(word)):
            gap = " " if line and number == 0 else ""
            if line and columns(line) + len(gap) + columns(piece) > room:
                lines.append(line)
                line, gap, room = "", "", width
            line += gap + piece
    return [*lines, line]


def _is_one(before: str, character: str) -> bool:
    """Whether both are parts of one picture: a family is several people, a hand has a colour."""
    return before == _JOINER or character in _SKIN_TONES


def _is_wide(character: str) -> bool:
    # Our own signs are noncharacters, of which Unicode's tables claim that they are wide.
    return not "\ufdd0" <= character <= "\ufdef" and east_asian_width(character) in "WF"
