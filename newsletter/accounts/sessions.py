"""Who is signed in, in which browser. The cookie holds a random secret; the table only its hash."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, func, select

from newsletter import clock
from newsletter.accounts import audit, passwords
from newsletter.accounts.models import StaffSession, User
from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NewsletterError

_SEEN_EVERY = timedelta(minutes=5)


class WrongSignIn(NewsletterError):
    """One sentence for an unknown address, a wrong password and a closed account."""

    status = 422

    def __init__(self) -> None:
        super().__init__("Address and password do not belong together. Check both and try again.")


@dataclass(frozen=True)
class SignedIn:
    user: User
    secret: str  # for the cookie, told once


def sign_in(email: str, password: str, *, user_agent: str = "") -> SignedIn:
    """Begin a new session. Raises WrongSignIn, after the same work for every reason."""
    user = User.by_email(email)
    if not passwords.matches(user, password) or user is None or user.disabled_at:
        raise WrongSignIn
    secret = secrets.token_urlsafe(32)
    db.session.execute(delete(StaffSession).where(StaffSession.expires_at < func.now()))
    db.session.add(
        StaffSession(
            secret_hash=_hash(secret),
            user_id=user.id,
            user_agent=user_agent[:300],
            expires_at=clock.now() + timedelta(days=settings().session_days),
        )
    )
    audit.record("signed in", by=user)
    return SignedIn(user, secret)


def current(secret: str) -> StaffSession | None:
    """The living session of this secret."""
    if not secret:
        return None
    session = db.session.scalar(select(StaffSession).where(StaffSession.secret_hash == _hash(secret)))
    if session is None or session.expires_at <= clock.now() or session.user.disabled_at:
        return None
    return session


def note_seen(session: StaffSession) -> bool:
    """Remember that this browser was here. False when that is already known; so most pages write nothing."""
    if clock.now() - session.seen_at < _SEEN_EVERY:
        return False
    session.seen_at = clock.now()
    return True


def of(user: User) -> list[StaffSession]:
    living = select(StaffSession).where(StaffSession.user_id == user.id, StaffSession.expires_at > func.now())
    return list(db.session.scalars(living.order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())))


def sign_out(session: StaffSession) -> None:
    audit.record("signed out", by=session.user)
    db.session.delete(session)


def end(session_id: int, *, user: User) -> None:
    """Sign one browser of this person out; those of others are out of reach."""
    db.session.execute(delete(StaffSession).where(StaffSession.id == session_id, StaffSession.user_id == user.id))
    audit.record("ended a session", by=user)


def sign_out_everywhere(user: User, *, but: StaffSession | None = None) -> int:
    """End all sessions of this person, perhaps but one. How many there were."""
    theirs = delete(StaffSession).where(StaffSession.user_id == user.id)
    if but is not None:
        theirs = theirs.where(StaffSession.id != but.id)
    ended = len(db.session.scalars(theirs.returning(StaffSession.id)).all())
    audit.record("signed out everywhere", by=user, sessions=ended)
    return ended


class WrongPassword(NewsletterError):
    status = 422

    def __init__(self) -> None:
        super().__init__("That is not your present password.")


def change_password(session: StaffSession, *, present: str, new: str) -> int:
    """A new password ends every other session. How many that were."""
    user = session.user
    if not passwords.matches(user, present):
        raise WrongPassword
    passwords.refuse_weak(new, email=user.email, name=user.name)
    user.password_hash = passwords.hashed(new)
    audit.record("changed the password", by=user)
    return sign_out_everywhere(user, but=session)


def _hash(secret: str) -> bytes:
    # A fast hash is enough: the secret has 256 random bits, nobody can guess it.
    return sha256(secret.encode()).digest()
