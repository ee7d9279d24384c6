"""The ways out. A transport takes one message at a time and says what the server said."""

from collections.abc import Callable
from typing import Protocol

from worker.transports import smtp
from worker.transports.answers import Accepted, BrokenOff, Deferred, NoAnswer, Refused, Unavailable

__all__ = ["Accepted", "BrokenOff", "Deferred", "NoAnswer", "Refused", "Session", "Unavailable", "open_session"]


class Session(Protocol):
    """An open connection to a mail server."""

    def hand_over(
        self, sender: str, recipient: str, message: bytes, *, before_dot: Callable[[], None]
    ) -> Accepted | Refused | Deferred:
        """Hand one message over. `before_dot` is called when nothing but the last command is missing; if it raises,
        the connection is closed without it and the message has not been handed over.

        Raises Unavailable when the server takes nothing now (this message included; BrokenOff if it had begun with it),
        NoAnswer when it may have it.
        """

    def close(self) -> None: ...


def open_session(url: str, timeout: float) -> Session:
    """Connect, secure and sign in as MAIL_URL says. Raises Unavailable."""
    return smtp.connect(url, timeout)
