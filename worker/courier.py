"""Carries messages over one connection at a time, and opens another when the server has closed it."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from newsletter.config import settings
from worker import transports
from worker.transports import Accepted, Deferred, Refused, Session, Unavailable


class Courier:
    def __init__(self) -> None:
        self._session: Session | None = None

    def hand_over(
        self, sender: str, recipient: str, message: bytes, *, before_dot: Callable[[], None]
    ) -> Accepted | Refused | Deferred:
        """As Session.hand_over. A connection that the server has closed since the last message is opened anew once."""
        if self._session is not None:
            try:
                return self._over(self._session, sender, recipient, message, before_dot)
            except Unavailable:
                pass  # servers close after so many messages: only a fresh connection tells whether they serve
        self._session = transports.open_session(settings().mail_url, settings().smtp_timeout)
        return self._over(self._session, sender, recipient, message, before_dot)

    def _over(
        self, session: Session, sender: str, recipient: str, message: bytes, before_dot: Callable[[], None]
    ) -> Accepted | Refused | Deferred:
        try:
            return session.hand_over(sender, recipient, message, before_dot=before_dot)
        except BaseException:
            self._session = None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            self._session.close()
