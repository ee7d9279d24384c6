"""What a provider's request is to us before it is believed, and the ways to turn it down."""

import hmac
from dataclasses import dataclass
from datetime import timedelta

from werkzeug.datastructures import Headers

from newsletter import clock

AHEAD = timedelta(minutes=5)  # how far a provider's clock may be before ours


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, as it came: the body's bytes are what was signed."""

    body: bytes
    headers: Headers
    password: str = ""  # of Basic authentication


class TurnedDown(Exception):
    """Nothing was taken in. The reason is for the log: it holds no address, token or secret, and is not sent."""

    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Forged(TurnedDown):
    """Nothing proves that the provider sent this."""

    status = 403


class NotSignedIn(TurnedDown):
    """The password is missing or wrong."""

    status = 401


class Unreadable(TurnedDown):
    """It came from the provider, but is not what the provider says that it sends."""


class NotNow(TurnedDown):
    """It cannot be told whether this is genuine: the provider should come back."""

    status = 503


def is_same(given: str, true: str) -> bool:
    """Compared in a time that does not tell how much of it was right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), true.encode("utf-8", "surrogateescape"))


def check_age(sent_at: str, oldest: timedelta) -> None:
    """Raises Forged for a moment (in seconds since 1970) that is no moment, too old, or not yet."""
    if not (sent_at.isascii() and sent_at.isdecimal() and len(sent_at) <= 12):
        raise Forged("no time of sending")
    age = timedelta(seconds=clock.now().timestamp() - int(sent_at))
    if not -AHEAD <= age <= oldest:
        raise Forged("too old, or sent in the future")
