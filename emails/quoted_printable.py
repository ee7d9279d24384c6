"""Bodies in quoted-printable: 7-bit, short lines, and a line of its own for everything that differs per reader.

A slot on its own line can neither lengthen a neighbour's line nor shift it, so a letter is a join of bytes. A dot or
"From " never begins a line, so nothing needs stuffing on the way. Scripts far from ASCII take more room than base64
would give them; slots in the middle of base64 would move every byte behind them.
"""

import re
from functools import lru_cache

SOFT = b"=\r\n"
_CUT = 72  # columns, so that an escaped first letter and a soft break still fit into 76

_CONSTANT = [bytes([n]) if (32 <= n <= 126 and n != 61) or n == 9 else b"=%02X" % n for n in range(256)]
_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/:;,+&#?%~@!*()'")
_VALUE = [bytes([n]) if n in _KEPT else b"=%02X" % n for n in range(256)]
_CHUNK = 24  # source bytes: 72 columns if each must be escaped
_PLAIN = re.compile(rb"(?:[A-Za-z0-9/:_-][A-Za-z0-9/:._-]{0,71})?\Z")  # as most addresses are
_WORDS = re.compile(rb"[A-Za-z0-9_-][A-Za-z0-9._-]*(?: [A-Za-z0-9._-]+){1,3}\Z")  # as most names are


def constant(text: str) -> bytes:
    """Text that begins on a fresh line. Line feeds become CRLF."""
    return b"\r\n".join(_line(line) for line in text.encode().split(b"\n"))


def plain(text: str) -> bytes | None:
    """A value that is written the same way in text and in HTML, as most are. None for all others."""
    source = text.encode()
    if _PLAIN.match(source):
        return source
    return source.replace(b" ", b"=20") if len(source) <= _CHUNK and _WORDS.match(source) else None


def value(text: str) -> bytes:
    """One line of a reader's own; it must stand between soft line breaks."""
    source = text.encode()
    if _PLAIN.match(source):
        return source
    if len(source) <= _CHUNK:
        return b"".join(map(_VALUE.__getitem__, source))
    return SOFT.join(
        [b"".join(map(_VALUE.__getitem__, source[at : at + _CHUNK])) for at in range(0, len(source), _CHUNK)]
    )


def body(parts: list[bytes | None]) -> list[bytes | None]:
    """Soft breaks around the slots (None) of a body, whose other parts are constants."""
    broken: list[bytes | None] = []
    for number, part in enumerate(parts):
        if part is None:
            broken.append(None)
            continue
        before = SOFT if number else b""
        after = SOFT if number < len(parts) - 1 and part and not part.endswith(b"\r\n") else b""
        broken.append(before + part + after)
    return broken


def _line(line: bytes) -> bytes:
    return _short_line(line) if len(line) < 400 else _any_line(line)


@lru_cache(maxsize=2048)
def _short_line(line: bytes) -> bytes:
    """Notices to many people have nearly all of these in common."""
    return _any_line(line)


def _any_line(line: bytes) -> bytes:
    encoded = b"".join(map(_CONSTANT.__getitem__, line))
    if encoded[-1:] in (b" ", b"\t"):
        encoded = encoded[:-1] + (b"=20" if encoded[-1:] == b" " else b"=09")
    pieces: list[bytes] = []
    while len(encoded) > _CUT:
        escape = encoded.rfind(b"=", _CUT - 2, _CUT)
        cut = escape if escape >= 0 else _CUT
        pieces.append(_started(encoded[:cut]))
        encoded = encoded[cut:]
    return SOFT.join([*pieces, _started(encoded)])


def _started(piece: bytes) -> bytes:
    if piece.startswith((b".", b"From ")):
        return b"=%02X" % piece[0] + piece[1:]
    return piece
