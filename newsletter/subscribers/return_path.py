"""The return path of each message: an address of its own, so that what comes back tells whom it was for (VERP)."""

import re
from dataclasses import dataclass

from newsletter import links
from newsletter.config import settings
from newsletter.links import BadLink, Purpose

_MAILBOX = re.compile(r"<?b\+([a-z2-7]+)@", re.IGNORECASE)


@dataclass(frozen=True)
class Sent:
    """One message that we sent: of a mailing to a subscriber, or a notice."""

    mailing_id: int | None = None
    subscriber_id: int | None = None
    notice_id: int | None = None


def token(*, mailing_id: int = 0, subscriber_id: int = 0, notice_id: int = 0) -> str:
    """What names one message to those who report on it: signed, and without an address in it. At most 48 characters."""
    return links.sign(Purpose.BOUNCE, mailing_id, subscriber_id or notice_id)


def is_of_use() -> bool:
    """Whether anybody can tell us a token again: by a bounce to our own domain, or by a provider's hook."""
    return bool(settings().bounce_domain) or not settings().mail_url.startswith(("smtp:", "smtps:"))


def address(token: str, sender: str) -> str:
    """The envelope sender (RFC 5321 §3.6.3) of the message with this token; the sender's own without BOUNCE_DOMAIN."""
    domain = settings().bounce_domain
    return f"b+{token}@{domain}" if token and domain else sender


def read(token: str) -> Sent | None:
    """The message that a token names. None for what is not ours."""
    try:
        mailing_id, other = links.read(Purpose.BOUNCE, token)
    except (BadLink, ValueError):
        return None
    return Sent(mailing_id=mailing_id, subscriber_id=other) if mailing_id else Sent(notice_id=other)


def token_in(address: str) -> str:
    """The token in an address of ours, unchecked; empty if it is no return path."""
    found = _MAILBOX.match(address.strip())
    return found[1].lower() if found else ""
