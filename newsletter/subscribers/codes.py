"""Short codes, mailed to prove that the one who asks reads that mailbox now: a forwarded link is not enough."""

import hmac
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from newsletter import clock, links
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.subscribers.letters import CODE_MINUTES
from newsletter.subscribers.models import Code, Subscriber

ADDRESS, ERASE = "address", "erase"

LASTS = timedelta(minutes=CODE_MINUTES)
MOST_TRIES = 5
MOST_A_DAY = 3


class WrongCode(NewsletterError):
    """Not the code, or no longer. The try counts: whoever catches this commits."""

    status = 422


class TooManyCodes(NewsletterError):
    status = 429

    def __init__(self) -> None:
        super().__init__(f"{MOST_A_DAY} codes were mailed within a day. Wait until tomorrow, then ask again.")


def make(subscriber: Subscriber, purpose: str, **values: Any) -> tuple[Code, str]:
    """A fresh code; an earlier one for the same purpose is void. Raises TooManyCodes."""
    now = clock.now()
    recent = select(func.count()).where(Code.subscriber_id == subscriber.id, Code.created_at > now - timedelta(days=1))
    if (db.session.scalar(recent) or 0) >= MOST_A_DAY:
        raise TooManyCodes
    pending = (Code.subscriber_id == subscriber.id, Code.purpose == purpose, Code.used_at.is_(None))
    db.session.execute(update(Code).where(*pending, Code.expires_at > now).values(expires_at=now))
    digits = f"{secrets.randbelow(10**6):06}"
    code = Code(
        subscriber_id=subscriber.id,
        purpose=purpose,
        code_hash=_hash(subscriber, purpose, digits),
        values=values,
        created_at=now,
        expires_at=now + LASTS,
    )
    db.session.add(code)
    db.session.flush()
    return code, digits


def waiting(subscriber: Subscriber, purpose: str) -> Code | None:
    """The code that can still be typed."""
    return db.session.scalar(
        select(Code)
        .where(
            Code.subscriber_id == subscriber.id,
            Code.purpose == purpose,
            Code.used_at.is_(None),
            Code.expires_at > clock.now(),
            Code.tries < MOST_TRIES,
        )
        .order_by(Code.id.desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def use(subscriber: Subscriber, purpose: str, typed: str) -> Code:
    """Spend a code: once, within its minutes, in a few tries. Raises WrongCode."""
    code = waiting(subscriber, purpose)
    if code is None:
        raise WrongCode("This code is no longer good. Ask for a new one.")
    code.tries += 1
    digits = "".join(letter for letter in typed if letter.isdecimal() and letter.isascii())
    if not hmac.compare_digest(code.code_hash, _hash(subscriber, purpose, digits)):
        left = MOST_TRIES - code.tries
        raise WrongCode(_sentence(left))
    code.used_at = clock.now()
    return code


def _sentence(left: int) -> str:
    if left == 0:
        return "That was not the code, and it is void now. Ask for a new one."
    return f"That is not the code. {left} more {'try' if left == 1 else 'tries'}."


def _hash(subscriber: Subscriber, purpose: str, digits: str) -> bytes:
    return links.fingerprint("code", f"{subscriber.id}:{purpose}:{digits}")
