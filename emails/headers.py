"""Header fields: short lines, pure ASCII, and no way out of a field for anybody's words."""

import re
from base64 import b64encode

from emails.characters import one_line
from emails.errors import UnsafeHeader

LONGEST_LINE = 76
LONGEST_URL = 900  # a raw field cannot be folded, and no line may pass 998

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+\Z")
_SAFE_IN_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = tuple("_" if n == 32 else chr(n) if n in _SAFE_IN_WORD else f"={n:02X}" for n in range(256))
_RAW = re.compile(r"[!-~]+(?: [!-~]+)*\Z")
_URI = re.compile(r"(?:https?://|mailto:)[!-;=?-~]+\Z")
_LIST_ID = re.compile(r"(.*?)\s*<([A-Za-z0-9][A-Za-z0-9.-]*)>\Z", re.DOTALL)


def unstructured(name: str, text: str) -> str:
    """A whole field of free words, such as Subject, with its line end."""
    text = one_line(text)
    words = text.split(" ")
    # Longer words than a line, or what looks like an encoded word, must be encoded.
    if text.isascii() and "=?" not in text and max(map(len, words)) < LONGEST_LINE - len(name) - 2:
        return f"{name}: {_folded(words, len(name) + 2)}\r\n"
    return f"{name}: {encoded(text)}\r\n"


def phrase(text: str) -> str:
    """A display name, as it stands before an address."""
    text = one_line(text)
    if not text.isascii() or "=?" in text or len(text) > 60:
        return encoded(text)
    if not text or _ATOMS.match(text):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def mailbox(name: str, address: str) -> str:
    """A name and an address that has already been found mailable."""
    named = phrase(name)
    if not named:
        return address
    gap = " " if "\r\n" not in named and len(named) + len(address) < LONGEST_LINE - 14 else "\r\n "
    return f"{named}{gap}<{address}>"


def encoded(text: str) -> str:
    """Encoded words of whole characters, one a line."""
    raw = text.encode()
    by_letter = sum(map(len, map(_Q.__getitem__, raw)))
    written = _base64 if by_letter * 3 > len(raw) * 4 else _by_letter
    limit = 36 if written is _base64 else 16  # bytes: both stay under 60 columns, and a field's name fits before
    if 0 < len(raw) <= limit:
        return written(raw)
    words: list[str] = []
    chunk = b""
    for character in text:
        piece = character.encode()
        if len(chunk) + len(piece) > limit:
            words.append(written(chunk))
            chunk = b""
        chunk += piece
    return "\r\n ".join([*words, written(chunk)]) if chunk or words else ""


def raw(name: str, value: str) -> str:
    """A structured field, never folded and never encoded: both destroy it."""
    if not _RAW.match(value) or len(value) > LONGEST_URL:
        raise UnsafeHeader(f"“{value[:80]}” cannot stand in {name}.")
    return f"{name}: {value}\r\n"


def uri(address: str) -> str:
    """A web or mail address between angle brackets."""
    if not _URI.match(address) or len(address) > LONGEST_URL:
        raise UnsafeHeader(f"“{address[:80]}” is not an address for a header.")
    return f"<{address}>"


def list_id(value: str) -> str:
    match = _LIST_ID.match(value)
    if not match:
        raise UnsafeHeader("A list is named “Title <label.lists.example.com>”.")
    title = phrase(match[1])
    gap = "\r\n " if len(title) + len(match[2]) > LONGEST_LINE - 12 else " "
    return f"List-Id: {title}{gap if title else ''}<{match[2]}>\r\n"


def _folded(words: list[str], used: int) -> str:
    lines, line = [], words[0]
    for word in words[1:]:
        if used + len(line) + 1 + len(word) > LONGEST_LINE:
            lines.append(line)
            line, used = word, 1
        else:
            line += f" {word}"
    return "\r\n ".join([*lines, line])


def _by_letter(chunk: bytes) -> str:
    return f"=?utf-8?q?{''.join(map(_Q.__getitem__, chunk))}?="


def _base64(chunk: bytes) -> str:
    return f"=?utf-8?b?{b64encode(chunk).decode()}?="
