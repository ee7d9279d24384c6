"""A message that came to us, taken apart: whatever it holds, in bounded time and memory, and without an error."""

import binascii
import quopri
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from functools import cached_property

LONGEST = 2_000_000  # bytes of a message that are looked at: reports and answers stand before attachments
MOST_PARTS = 100
DEEPEST = 8
MOST_FIELDS = 500
LONGEST_FIELD = 8_000
LONGEST_TEXT = 200_000  # bytes of one part that are read as words

ORIGINALS = {"message/rfc822", "message/global", "message/global-headers", "text/rfc822-headers", "message/partial"}

_FIELD = re.compile(rb"^([!-9;-~]{1,80})[ \t]*:[ \t]*")
_PARAMETER = re.compile(r";\s*([\w-]{1,40})\*?\s*=\s*(\"[^\"]*\"|[^\s;]+)")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


class Fields:
    """Header fields in their order; names in small letters, values unfolded and not yet decoded."""

    def __init__(self, block: bytes) -> None:
        self._fields = list(_fields(block))

    def __contains__(self, name: str) -> bool:
        return any(name == known for known, _ in self._fields)

    def all(self, name: str) -> list[str]:
        return [value for known, value in self._fields if known == name]

    def first(self, *names: str) -> str:
        """The first field of these names, in the order asked for. Empty if there is none."""
        for name in names:
            for known, value in self._fields:
                if known == name and value:
                    return value
        return ""

    def words(self, name: str) -> str:
        """As a person reads it: encoded words decoded (RFC 2047)."""
        return decoded(self.first(name))


@dataclass(frozen=True)
class Part:
    block: bytes  # of header fields
    content: bytes  # as it stands there, with its transfer encoding
    default: str = "text/plain"

    @cached_property
    def fields(self) -> Fields:
        return Fields(self.block)

    @cached_property
    def kind(self) -> str:
        written = self.fields.first("content-type").partition(";")[0].strip().lower()
        return written if "/" in written else self.default

    @cached_property
    def parameters(self) -> dict[str, str]:
        found = _PARAMETER.findall(self.fields.first("content-type"))
        return {name.lower(): value.strip('"') for name, value in found}

    @property
    def is_attached(self) -> bool:
        return self.fields.first("content-disposition").lower().lstrip().startswith("attachment")

    @cached_property
    def bytes(self) -> bytes:
        """The content without its transfer encoding."""
        match self.fields.first("content-transfer-encoding").lower().strip():
            case "base64":
                return _from_base64(self.content)
            case "quoted-printable":
                return quopri.decodestring(self.content)
        return self.content

    @cached_property
    def text(self) -> str:
        """As words, at most LONGEST_TEXT bytes of them; lines end with a line feed."""
        words = in_charset(self.bytes[:LONGEST_TEXT], self.parameters.get("charset", "utf-8"))
        words = words.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
        return _unflowed(words, self.parameters) if self.parameters.get("format", "").lower() == "flowed" else words


def split(raw: bytes) -> list[Part]:
    """The message itself, then every part in reading order. What was returned to us is one part, not looked into."""
    waiting = [(_part(raw[:LONGEST].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")), 0)]
    found: list[Part] = []
    while waiting and len(found) < MOST_PARTS:
        part, depth = waiting.pop()
        found.append(part)
        boundary = part.parameters.get("boundary", "") if part.kind.startswith("multipart/") else ""
        if boundary and depth < DEEPEST:
            default = "message/rfc822" if part.kind == "multipart/digest" else "text/plain"
            waiting += [(inner, depth + 1) for inner in reversed(_inside(part.content, boundary, default))]
    return found


def fields_of(part: Part) -> Fields:
    """The header fields of a returned message."""
    return _part(part.bytes.replace(b"\r\n", b"\n").lstrip(b"\n")).fields


def decoded(value: str) -> str:
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, binascii.Error):
        return value
    return "".join(
        piece if isinstance(piece, str) else in_charset(piece, charset or "utf-8") for piece, charset in pieces
    )


def in_charset(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset)
    except (LookupError, ValueError):  # unknown, not true, or not meant for text
        pass
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        # Cut in the middle of a letter is still UTF-8.
        return raw.decode(errors="replace") if error.start > len(raw) - 4 else raw.decode("cp1252", errors="replace")


def _part(block: bytes, default: str = "text/plain") -> Part:
    if block.startswith(b"\n"):
        return Part(b"", block[1:], default)
    head, _, content = block.partition(b"\n\n")
    return Part(head, content, default)


def _inside(content: bytes, boundary: str, default: str) -> list[Part]:
    line = re.compile(rb"^--" + re.escape(boundary.encode("latin-1", "replace")) + rb"(--)?[ \t]*$", re.MULTILINE)
    parts: list[Part] = []
    start = None
    for mark in line.finditer(content):
        if start is not None:
            parts.append(_part(content[start : max(start, mark.start() - 1)], default))
        start = None if mark[1] else mark.end() + 1
        if start is None or len(parts) >= MOST_PARTS:
            return parts
    if start is not None:  # cut short on the way: what is there counts
        parts.append(_part(content[start:], default))
    return parts


def _fields(block: bytes) -> Iterator[tuple[str, str]]:
    name, value, size, count = "", [b""], 0, 0
    for line in block.split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if size < LONGEST_FIELD:
                value.append(line.strip())
                size += len(line)
            continue
        if name:
            yield name, _value(value)
        found = _FIELD.match(line[:100])
        count += 1
        if count > MOST_FIELDS:
            return
        name = found[1].decode("ascii").lower() if found else ""
        value = [line[found.end() : LONGEST_FIELD].strip()] if found else []
        size = len(line)
    if name:
        yield name, _value(value)


def _value(pieces: list[bytes]) -> str:
    return in_charset(b" ".join(pieces)[:LONGEST_FIELD], "utf-8").replace("\0", "").strip()


def _from_base64(content: bytes) -> bytes:
    letters = _NOT_BASE64.sub(b"", content[: LONGEST_TEXT * 2])
    return b64decode(letters[: len(letters) // 4 * 4] + _rest(letters))


def _rest(letters: bytes) -> bytes:
    rest = letters[len(letters) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _unflowed(words: str, parameters: dict[str, str]) -> str:
    """RFC 3676: a line that ends with a blank goes on in the next."""
    joint = "" if parameters.get("delsp", "").lower() == "yes" else " "
    lines: list[str] = []
    goes_on = False
    for line in words.split("\n"):
        line = line.removeprefix(" ")
        if goes_on and not line.startswith(">") and line != "-- ":
            lines[-1] = lines[-1][:-1] + joint + line
        else:
            lines.append(line)
        goes_on = line.endswith(" ") and line != "-- " and not line.startswith(">")
    return "\n".join(lines)
