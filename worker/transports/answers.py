"""What a mail server can say to a message, whatever language it speaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Outgoing(NamedTuple):
    """One message on its way to one mailbox."""

    key: int  # whose it is, for who gave it out: a reader or a notice
    sender: str  # the return path (RFC 5321 reverse-path)
    recipient: str
    parts: Sequence[bytes]  # joined: CRLF to the end, 7-bit, no line over 998 bytes or begun by a dot (emails.Letter)
    token: str  # names this message to those who report on it later (return_path.token)
    variant_id: int | None = None

    @property
    def content(self) -> bytes:
        """The whole message. Who can send the parts as they are saves a copy."""
        return b"".join(self.parts)


@dataclass(frozen=True, slots=True)
class Accepted:
    """250 to the message: it is theirs now."""

    reply: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Never, for this reader."""

    reply: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now, for this reader."""

    reply: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The connection broke between the last byte and the answer: the server may or may not have the message."""

    reply: str


Answer = Accepted | Refused | Deferred | NoAnswer


class Unavailable(Exception):
    """The server takes nothing from us now: what it has not answered to has certainly not been handed over."""
