"""What a mail server can say to a message, whatever language it speaks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    """250 to the message: it is theirs now."""

    reply: str


@dataclass(frozen=True)
class Refused:
    """Never, for this reader."""

    reply: str


@dataclass(frozen=True)
class Deferred:
    """Not now, for this reader."""

    reply: str


class Unavailable(Exception):
    """The server takes nothing from us now: the message at hand has certainly not been handed over."""


class BrokenOff(Unavailable):
    """It had begun with the message at hand and then took nothing any more: it may be this message that it minds."""


class NoAnswer(Exception):
    """The connection broke between the last byte and the answer: the server may or may not have the message."""
