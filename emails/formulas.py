"""Mathematics: MathML for the page, and for mail, where no program shows that, a line of ordinary letters and signs."""

import re
from functools import lru_cache
from xml.etree import ElementTree

from lxml import etree

from emails.errors import LetterError

LONGEST = 2000  # characters of TeX

_MATHML = "{http://www.w3.org/1998/Math/MathML}"
_ELEMENTS = frozenset(
    "math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle mpadded mphantom msub msup msubsup munder mover "
    "munderover mtable mtr mtd menclose".split()
)
_ATTRIBUTES = frozenset(
    "display mathvariant width height depth lspace rspace stretchy fence form separator accent accentunder symmetric "
    "minsize maxsize movablelimits largeop linethickness columnalign rowalign columnspacing rowspacing columnlines "
    "rowlines displaystyle scriptlevel mathsize notation".split()
)
# What the converter answers nonsense with, beside classes of its own.
_REFUSALS: tuple[type[Exception], ...] = (
    etree.LxmlError,
    ElementTree.ParseError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_RAISED = dict(zip("0123456789+−-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ", strict=True))  # a minus is not a dash
_LOWERED = dict(zip("0123456789+−-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎", strict=True))
_SPACED = frozenset("=≠<>≤≥≈≡∼→←↔⇒⇐⇔∈∉⊂⊆∪∩+−±×⋅÷∧∨")
_BLANKS = re.compile(r"\s+")


class BadFormula(LetterError):
    """It cannot be read as TeX."""


@lru_cache(maxsize=256)
def mathml(tex: str, *, is_block: bool = False) -> str:
    """As MathML, with the TeX as its alternative text. Raises BadFormula."""
    root = _tree(tex, is_block)
    root.set("alttext", tex)
    written: str = etree.tostring(root, encoding="unicode")
    return written


@lru_cache(maxsize=256)
def in_words(tex: str) -> str:
    """On one line, with brackets where a line needs them: (a+b)/2, √(x²+1). Raises BadFormula."""
    try:
        return _BLANKS.sub(" ", _line(_tree(tex, is_block=False))).strip() or tex
    except RecursionError:
        raise _unreadable(tex) from None


def _tree(tex: str, is_block: bool) -> etree._Element:
    if len(tex) > LONGEST:
        raise BadFormula(f"This formula has {len(tex):,} characters; the most is {LONGEST:,}.")
    if not _is_balanced(tex):
        raise _unreadable(tex)
    from latex2mathml import converter, exceptions  # needed by few posts

    # They have no parent in common.
    theirs = [error for error in vars(exceptions).values() if isinstance(error, type) and issubclass(error, Exception)]
    try:
        root = etree.fromstring(converter.convert(tex, display="block" if is_block else "inline"))
    except (*_REFUSALS, *theirs) as error:
        raise _unreadable(tex) from error
    for element in root.iter():
        # TeX can name links and classes, and text in it is not escaped by everybody: only mathematics passes.
        if not isinstance(element.tag, str) or element.tag.removeprefix(_MATHML) not in _ELEMENTS:
            raise _unreadable(tex)
        if not set(element.attrib) <= _ATTRIBUTES or "\\" in (element.text or ""):
            raise _unreadable(tex)
    return root


def _is_balanced(tex: str) -> bool:
    """The converter closes what was left open, wherever it likes."""
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", tex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def _unreadable(tex: str) -> BadFormula:
    return BadFormula(f"This formula cannot be read as TeX: {tex[:80]}")


def _line(node: etree._Element) -> str:  # noqa: C901  # one line per kind of node
    parts = list(node)
    match node.tag.removeprefix(_MATHML):
        case "mo":
            sign = (node.text or "").strip()
            return f" {sign} " if sign in _SPACED else sign
        case "mi" | "mn" | "mtext" | "ms":
            return node.text or ""
        case "mspace":
            return " "
        case "mfrac" if len(parts) == 2:
            return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
        case "msqrt":
            return f"√{_bracketed(''.join(map(_line, parts)).strip())}"
        case "mroot" if len(parts) == 2:
            return f"{_script(_line(parts[1]), _RAISED, '^')}√{_bracketed(_line(parts[0]).strip())}"
        case "msup" | "mover" if len(parts) == 2:
            return _grouped(parts[0]) + _script(_line(parts[1]), _RAISED, "^")
        case "msub" | "munder" if len(parts) == 2:
            return _grouped(parts[0]) + _script(_line(parts[1]), _LOWERED, "_")
        case "msubsup" | "munderover" if len(parts) == 3:
            below, above = _script(_line(parts[1]), _LOWERED, "_"), _script(_line(parts[2]), _RAISED, "^")
            return f"{_grouped(parts[0])}{below}{above} "
        case "mtable":
            return "[" + "; ".join(_line(row) for row in parts) + "]"
        case "mtr":
            return ", ".join(_line(cell).strip() for cell in parts)
    return "".join(map(_line, parts))


def _grouped(node: etree._Element) -> str:
    """In brackets, if it would fall apart on a line."""
    line = _line(node).strip()
    return (
        _bracketed(line)
        if len(line) > 1 and any(not (letter.isalnum() or letter in ".,'′∞") for letter in line)
        else line
    )


def _bracketed(line: str) -> str:
    return line if len(line) == 1 else f"({line})"


def _script(line: str, signs: dict[str, str], mark: str) -> str:
    """Small raised or lowered signs where Unicode has them all, else ^(…) or _(…)."""
    solid = _BLANKS.sub("", line)
    if solid and all(sign in signs for sign in solid):
        return "".join(signs[sign] for sign in solid)
    return f"{mark}{_bracketed(solid)}"
