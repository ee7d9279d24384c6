"""A mailbox that bounces and answers come to, looked into once a minute by IMAP.

Seen are the messages that we are done with, flagged those that are none of our business, for a person to look at.
Both are marked only after the commit: what a crash leaves unmarked is taken again, and that changes nothing.
"""

import contextlib
import imaplib
import ipaddress
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy.exc import SQLAlchemyError

from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.sending import inbound
from newsletter.sending.inbound import Taken

log = structlog.get_logger()

MOST_AT_ONCE = 200  # messages in one look
LONGEST_LOOK = 40.0  # seconds; then others have their turn
PATIENCE = 20.0  # seconds for each answer of the server
SEEN, FLAGGED = r"(\Seen)", r"(\Flagged)"


class NoMailbox(NewsletterError):
    """The mailbox cannot be opened; says why, without its password."""


@dataclass(frozen=True)
class Account:
    host: str
    port: int
    user: str
    password: str
    folder: str
    is_tls: bool

    @classmethod
    def read(cls, url: str) -> Self:
        """Read imaps://user:password@host:993/INBOX; imap:// begins in the clear and turns to TLS. Raises NoMailbox."""
        parts = urlsplit(url)
        if parts.scheme not in {"imap", "imaps"} or not parts.hostname or not parts.username:
            raise NoMailbox("IMAP_URL must look like imaps://user:password@host/INBOX.")
        is_tls = parts.scheme == "imaps"
        return cls(
            host=parts.hostname,
            port=parts.port or (993 if is_tls else 143),
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            folder=unquote(parts.path.strip("/")) or "INBOX",
            is_tls=is_tls,
        )

    @property
    def is_here(self) -> bool:
        if self.host == "localhost":
            return True
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return False


def fetch() -> int:
    """One look into the mailbox. Returns how many messages were dealt with. Safe to run twice, or twice at once.

    Raises NoMailbox if it cannot be opened, SQLAlchemyError if the database is away: then nothing is marked.
    """
    url = settings().imap_url
    if url is None:
        return 0
    until = time.monotonic() + LONGEST_LOOK
    done = 0
    with _opened(Account.read(url.get_secret_value())) as mailbox:
        for uid in _new_ones(mailbox)[:MOST_AT_ONCE]:
            if time.monotonic() > until:
                break
            raw = _message(mailbox, uid)
            if raw is not None:  # somebody else may have moved it
                mark = _take(raw)
                mailbox.uid("STORE", uid, "+FLAGS.SILENT", mark)
                done += 1
    return done


def _take(raw: bytes) -> str:
    """Do what it asks for, and commit. Returns how it is to be marked."""
    try:
        taken = inbound.take(raw)
        db.session.commit()
    except SQLAlchemyError:
        db.session.rollback()
        raise
    except Exception:  # a message that we cannot digest must not keep the others waiting
        db.session.rollback()
        log.exception("a message in the mailbox could not be taken")
        return FLAGGED
    return SEEN if taken is Taken.DONE else FLAGGED


@contextlib.contextmanager
def _opened(account: Account) -> Iterator[imaplib.IMAP4]:
    try:
        mailbox = _connected(account)
        try:
            mailbox.login(account.user, account.password)
            kind, said = mailbox.select(_quoted(account.folder))
            if kind != "OK":
                raise NoMailbox(f"The folder “{account.folder}” of the mailbox cannot be opened: {_words(said)}")
            yield mailbox
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                mailbox.logout()
            with contextlib.suppress(OSError):
                mailbox.shutdown()  # a server that broke off leaves our end open
    except imaplib.IMAP4.error as error:
        raise NoMailbox(f"The mailbox does not open: {str(error)[:200]}") from None
    except OSError as error:
        raise NoMailbox(f"The mailbox does not answer: {error.strerror or type(error).__name__}") from None


def _connected(account: Account) -> imaplib.IMAP4:
    """TLS is verified and required, except on this machine."""
    if account.is_tls:
        return imaplib.IMAP4_SSL(account.host, account.port, ssl_context=ssl.create_default_context(), timeout=PATIENCE)
    mailbox = imaplib.IMAP4(account.host, account.port, timeout=PATIENCE)
    if not account.is_here:
        mailbox.starttls(ssl.create_default_context())
    return mailbox


def _new_ones(mailbox: imaplib.IMAP4) -> list[str]:
    """Oldest first."""
    kind, found = mailbox.uid("SEARCH", "UNSEEN", "UNFLAGGED")
    if kind != "OK" or not found or not found[0]:
        return []
    return sorted(found[0].decode("ascii").split(), key=int)


def _message(mailbox: imaplib.IMAP4, uid: str) -> bytes | None:
    """Without marking it as seen, and no more of it than is looked at."""
    kind, parts = mailbox.uid("FETCH", uid, f"(UID BODY.PEEK[]<0.{inbound.LARGEST}>)")
    if kind != "OK":
        return None
    return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)


def _quoted(folder: str) -> str:
    """A folder name as IMAP wants it (RFC 3501 §5.1.3 for letters beyond ASCII is left to the one who writes it)."""
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words(said: list[bytes | None]) -> str:
    return b" ".join(part for part in said if part).decode("ascii", "replace")[:200]
