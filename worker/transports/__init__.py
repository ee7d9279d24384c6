"""The ways out. A transport carries messages away and says what was said to each.

A session asks its load for one message after the other, as fast as it can take them: pipelined, or in batches.
"""

from importlib import import_module
from typing import Protocol

from worker.transports.answers import (
    Accepted,
    Answer,
    Deferred,
    NoAnswer,
    Outgoing,
    Refused,
    Unavailable,
)

__all__ = [
    "Accepted",
    "Answer",
    "Deferred",
    "Load",
    "NoAnswer",
    "Outgoing",
    "Refused",
    "Session",
    "Unavailable",
    "open_session",
]


class Load(Protocol):
    """What a session has to carry. Several sessions may share one: each message is given to one of them."""

    def next(self) -> Outgoing | None:
        """The next message, or None when there is no more for now. A session that has asked must say what became of it:
        `answered`, or `returned`."""

    def handing_over(self, *messages: Outgoing) -> None:
        """To be called when nothing is missing but the step that makes them the server's. If it raises, that step must
        not be taken: the session closes its connection, and the messages have not been handed over."""

    def answered(self, message: Outgoing, answer: "Answer") -> None: ...

    def returned(self, message: Outgoing) -> None:
        """It has certainly not been handed over: somebody else may carry it."""


class Session(Protocol):
    """An open connection to a mail server, or to a provider."""

    def carry(self, load: Load) -> None:
        """Hand over what the load gives, until it gives None; then every message that was asked for is answered.

        Raises Unavailable when the server takes nothing now: what was not answered has been returned. A message at
        which it stumbled is answered as Deferred first, so that nobody else has to wait behind it. Raises what
        `handing_over` raises. After any exception the session is closed.
        """

    @property
    def is_open(self) -> bool: ...

    def close(self) -> None: ...


_WAYS = {"smtp": "smtp", "smtps": "smtp"}  # the module of each scheme, where it is not called like it


def open_session(url: str, timeout: float) -> Session:
    """Connect, secure and sign in as one address of MAIL_URL says. Raises Unavailable."""
    scheme = url.partition(":")[0].lower()
    # Only what is used is loaded: HTTP and its certificates take a worker some megabytes.
    way = import_module(f"worker.transports.{_WAYS.get(scheme, scheme)}")
    session: Session = way.connect(url, timeout)
    return session
