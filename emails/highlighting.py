"""Code in colours: what kind of word each is, by Pygments, as a class. The colours are with the other looks."""

from collections.abc import Callable
from functools import lru_cache

from pygments import lex
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String, _TokenType
from pygments.util import ClassNotFound

LONGEST = 40_000  # characters: more is shown in one colour, since some lexers are slow

_KINDS: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "hl-comment"),
    (Keyword, "hl-keyword"),
    (Operator.Word, "hl-keyword"),
    (String, "hl-string"),
    (Number, "hl-number"),
    (Literal, "hl-string"),
    (Name.Function, "hl-name"),
    (Name.Class, "hl-name"),
    (Name.Tag, "hl-keyword"),
    (Name.Attribute, "hl-name"),
    (Name.Decorator, "hl-name"),
    (Name.Builtin, "hl-name"),
)
KINDS = tuple(dict.fromkeys(kind for _, kind in _KINDS))


def lines(code: str, language: str, escaped: Callable[[str], str]) -> list[str]:
    """Each line as HTML. A language that nobody knows has no colours."""
    lexer = _lexer(language)
    if lexer is None or len(code) > LONGEST:
        return [escaped(line) for line in code.split("\n")]
    whole = "".join(_piece(kind, text, escaped) for kind, text in lex(code, lexer))
    return whole.removesuffix("\n").split("\n")


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False) if language else None
    except ClassNotFound:
        return None


def _piece(kind: _TokenType, text: str, escaped: Callable[[str], str]) -> str:
    name = next((name for known, name in _KINDS if known in kind.split()), None)
    if name is None or not text.strip():
        return escaped(text)
    return "\n".join(f'<span class="{name}">{escaped(part)}</span>' if part else "" for part in text.split("\n"))
