"""A finished message with gaps: constant bytes, and slots that are filled per reader by a join."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from html import escape

from emails import headers, quoted_printable
from emails.addresses import mailable
from emails.errors import LetterError, UnsafeHeader
from emails.personalise import Slot, tidy_name, value_of
from emails.values import Recipient

VERSION = 1

_BODIES = frozenset({"text", "html"})
_MESSAGE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}\Z")


@dataclass(frozen=True)
class Place:
    """A slot and where it stands: the same name is written differently in a header, in HTML and in text."""

    kind: str  # to, message-id, list-unsubscribe, subject-start, subject, html, text
    name: str = ""
    fallback: str = ""


@dataclass(frozen=True)
class Letter:
    parts: tuple[bytes | Place, ...]

    def splice(self, recipient: Recipient) -> bytes:
        """This reader's message: CRLF, 7-bit, no line over 998 bytes, none that begins with a dot."""
        return b"".join(self.fill(recipient))

    def fill(self, recipient: Recipient) -> list[bytes]:
        """The same, still in parts: a value for each place."""
        message = list(self.parts)
        for value, places in self._gaps:
            words = value(recipient)
            plain = quoted_printable.plain(words)
            if plain is None and words and words == escape(words):
                plain = quoted_printable.value(words)
            for place, gaps in places:
                written = plain if plain is not None and place.kind in _BODIES else _written(place, words, recipient)
                for at in gaps:  # written once, however often it is needed
                    message[at] = written
        return message  # type: ignore[return-value]  # every place has been filled

    def to_bytes(self) -> bytes:
        """ASCII JSON that `from_bytes` turns into the same letter, byte for byte."""
        parts = [
            part.decode("ascii") if isinstance(part, bytes) else [part.kind, part.name, part.fallback]
            for part in self.parts
        ]
        return json.dumps({"version": VERSION, "parts": parts}).encode("ascii")

    @classmethod
    def from_bytes(cls, stored: bytes) -> Letter:
        content = json.loads(stored)
        if content["version"] != VERSION:
            raise LetterError(f"This letter was stored in format {content['version']}, which is not known here.")
        return cls(tuple(part.encode("ascii") if isinstance(part, str) else Place(*part) for part in content["parts"]))

    @cached_property
    def _gaps(self) -> list[tuple[Callable[[Recipient], str], list[tuple[Place, list[int]]]]]:
        """Each value, the places it is written in (each kind of place writes it differently), and where those are."""
        gaps: dict[Slot, dict[Place, list[int]]] = {}
        for at, part in enumerate(self.parts):
            if isinstance(part, Place):
                gaps.setdefault(Slot(part.name, part.fallback), {}).setdefault(part, []).append(at)
        return [(value_of(slot) if slot.name else _no_words, list(places.items())) for slot, places in gaps.items()]


def _no_words(_: Recipient) -> str:
    return ""


def _written(place: Place, words: str, recipient: Recipient) -> bytes:
    match place.kind:
        case "text":
            return quoted_printable.value(words)
        case "html":
            return quoted_printable.value(words if words.isalnum() else escape(words))
        case "to":
            return headers.mailbox(tidy_name(recipient.name), mailable(recipient.address)).encode("ascii")
        case "message-id":
            return _message_id(recipient)
        case "list-unsubscribe":
            return _list_unsubscribe(recipient)
    start = "" if place.kind == "subject-start" or not words else "\r\n "
    return (start + headers.encoded(words)).encode("ascii")


def _message_id(recipient: Recipient) -> bytes:
    if not _MESSAGE_ID.match(recipient.message_id):
        raise UnsafeHeader(f"“{recipient.message_id[:80]}” cannot be the first half of a Message-ID.")
    return recipient.message_id.encode("ascii")


def _list_unsubscribe(recipient: Recipient) -> bytes:
    written = headers.uri(recipient.unsubscribe_url)
    if recipient.unsubscribe_mailto:
        written += f",\r\n {headers.uri(f'mailto:{recipient.unsubscribe_mailto}')}"
    return written.encode("ascii")
