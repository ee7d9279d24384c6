"""Readers prove by their mailbox who they are: by a link, in the browser that asked, or by a code typed into it."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, exists, func, select

from newsletter import clock, links
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.jobs import Job, enqueue
from newsletter.links import Purpose
from newsletter.subscribers import moving, notices, sessions, suppression
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.letters import CODE_MINUTES
from newsletter.subscribers.models import NoticeKind, SignIn, Subscriber
from newsletter.tiers.models import Membership

LASTS = timedelta(minutes=CODE_MINUTES)
MOST_TRIES = 3  # with MOST_A_DAY: in a year, a stranger guesses one code in a hundred
MOST_A_DAY = 10
KEPT_FOR = timedelta(days=2)


class NotSignedIn(NewsletterError):
    """Not the code, or no longer. The try counts: whoever catches this commits."""

    status = 422


class OtherBrowser(NewsletterError):
    """The link is in the wrong hands, or in the right ones and another browser."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "This link signs in the browser in which you asked for it, and no other. Open it there, or type the code "
            "from the same letter into that page."
        )


@dataclass(frozen=True)
class SignedIn:
    secret: str  # of the session, for the cookie
    next: str


def ask(address: Address, next_page: str = "") -> str:
    """Mail a link and a code to a reader. Returns the secret that the asking browser keeps.

    Does the same for every address, and says nothing about who is there.
    """
    forget_old()
    secret, digits = secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06}"
    address_hash = links.fingerprint("sign-in address", address.key)
    reader = None if _asked_too_often(address_hash) else _reader(address)
    request = SignIn(
        subscriber_id=reader.id if reader else None,
        address_hash=address_hash,
        browser_hash=sessions.hashed(secret),
        code_hash=_hash(secret, digits),
        next=next_page,
        created_at=clock.now(),
        expires_at=clock.now() + LASTS,
    )
    db.session.add(request)
    db.session.flush()
    if reader:
        notices.owe(
            NoticeKind.SIGN_IN,
            address=reader.email or "",
            newsletter=moving.voice_for(reader),
            subscriber=reader,
            values={"code": digits, "request": request.id},
            lasts=LASTS,
        )
    enqueue(Job.SEND_NOTICES)  # takes as long for everybody
    return secret


def by_code(secret: str, typed: str, user_agent: str) -> SignedIn:
    """In the browser that asked. Raises NotSignedIn, which counts."""
    request = _waiting(secret)
    if request is None:
        raise NotSignedIn("This code is no longer good. Ask for a new one.")
    request.tries += 1
    digits = "".join(letter for letter in typed if letter.isdecimal() and letter.isascii())
    if request.subscriber_id is None or not hmac.compare_digest(request.code_hash, _hash(secret, digits)):
        left = MOST_TRIES - request.tries
        raise NotSignedIn(
            f"That is not the code. {left} more {'try' if left == 1 else 'tries'}."
            if left
            else "That was not the code, and it is void now. Ask for a new one."
        )
    return _let_in(request, user_agent)


def may_follow(token: str, secret: str) -> None:
    """Whether this link would sign this browser in; changes nothing. Raises BadLink, OtherBrowser, NotSignedIn."""
    _by_link(token, secret)


def by_link(token: str, secret: str, user_agent: str) -> SignedIn:
    """Raises BadLink, OtherBrowser, NotSignedIn."""
    return _let_in(_by_link(token, secret), user_agent)


def forget_old() -> None:
    db.session.execute(delete(SignIn).where(SignIn.created_at < clock.now() - KEPT_FOR))
    sessions.forget_old()


def _by_link(token: str, secret: str) -> SignIn:
    (request_id,) = links.read(Purpose.SIGN_IN, token)
    known = db.session.get(SignIn, request_id)
    if known is None or known.expires_at <= clock.now() or known.used_at or known.tries >= MOST_TRIES:
        raise NotSignedIn(f"This link was good for {CODE_MINUTES} minutes, once. Ask for a new one.")
    if not secret or not hmac.compare_digest(known.browser_hash, sessions.hashed(secret)):
        raise OtherBrowser
    request = _waiting(secret)
    if request is None or request.subscriber_id is None:
        raise NotSignedIn("This link is no longer good. Ask for a new one.")
    return request


def _waiting(secret: str) -> SignIn | None:
    """What this browser asked for, as long as it can be answered."""
    return db.session.scalar(
        select(SignIn)
        .where(
            SignIn.browser_hash == sessions.hashed(secret),
            SignIn.used_at.is_(None),
            SignIn.expires_at > clock.now(),
            SignIn.tries < MOST_TRIES,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _let_in(request: SignIn, user_agent: str) -> SignedIn:
    reader = db.session.get(Subscriber, request.subscriber_id)
    if reader is None or reader.email is None:
        raise NotSignedIn("This code is no longer good. Ask for a new one.")
    request.used_at = clock.now()
    return SignedIn(sessions.begin(reader, user_agent), request.next)


def _reader(address: Address) -> Subscriber | None:
    """Who has confirmed this address, or pays, or has paid: they must be able to cancel."""
    reader = Subscriber.by_key(address.key)
    if reader is None or reader.email is None or suppression.is_suppressed(address.key):
        return None
    is_member = db.session.scalar(select(exists().where(Membership.subscriber_id == reader.id)))
    return reader if reader.confirmed_at or is_member else None


def _asked_too_often(address_hash: bytes) -> bool:
    since = clock.now() - timedelta(days=1)
    asked = select(func.count()).where(SignIn.address_hash == address_hash, SignIn.created_at > since)
    return (db.session.scalar(asked) or 0) >= MOST_A_DAY


def _hash(secret: str, digits: str) -> bytes:
    return links.fingerprint("sign-in code", f"{secret}:{digits}")
