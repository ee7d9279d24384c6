"""Which readers are signed in, in which browser. The cookie holds a random secret; the table only its hash."""

import secrets
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, func, select

from newsletter import clock
from newsletter.db import db
from newsletter.subscribers.models import ReaderSession, Subscriber

LASTS = timedelta(days=60)  # since the browser was seen last
SEEN_EVERY = timedelta(days=1)


def begin(subscriber: Subscriber, user_agent: str) -> str:
    """A new session; its secret, for the cookie, is told once."""
    secret = secrets.token_urlsafe(32)
    db.session.add(
        ReaderSession(
            secret_hash=hashed(secret),
            subscriber_id=subscriber.id,
            user_agent=user_agent[:300],
            expires_at=clock.now() + LASTS,
        )
    )
    return secret


def current(secret: str) -> ReaderSession | None:
    """The living session of this secret."""
    if not secret:
        return None
    session = db.session.scalar(select(ReaderSession).where(ReaderSession.secret_hash == hashed(secret)))
    if session is None or session.expires_at <= clock.now() or session.subscriber.email is None:
        return None
    return session


def note_seen(session: ReaderSession) -> bool:
    """A browser that comes back stays signed in. False when that is already known; so most pages write nothing."""
    if clock.now() - session.seen_at < SEEN_EVERY:
        return False
    session.seen_at = clock.now()
    session.expires_at = clock.now() + LASTS
    return True


def of(subscriber: Subscriber) -> list[ReaderSession]:
    living = select(ReaderSession).where(
        ReaderSession.subscriber_id == subscriber.id, ReaderSession.expires_at > func.now()
    )
    return list(db.session.scalars(living.order_by(ReaderSession.seen_at.desc(), ReaderSession.id.desc())))


def end(subscriber: Subscriber, session_id: int) -> None:
    """Sign one browser of this reader out; those of others are out of reach."""
    db.session.execute(
        delete(ReaderSession).where(ReaderSession.id == session_id, ReaderSession.subscriber_id == subscriber.id)
    )


def end_all(subscriber: Subscriber) -> None:
    db.session.execute(delete(ReaderSession).where(ReaderSession.subscriber_id == subscriber.id))


def forget_old() -> None:
    db.session.execute(delete(ReaderSession).where(ReaderSession.expires_at < func.now()))


def hashed(secret: str) -> bytes:
    # A fast hash is enough: the secret has 256 random bits, nobody can guess it.
    return sha256(secret.encode()).digest()
