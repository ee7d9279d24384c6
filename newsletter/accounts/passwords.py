"""Passwords: argon2id, and the same work for someone who does not exist."""

from functools import cache
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from newsletter.accounts.models import User
from newsletter.config import settings
from newsletter.errors import NewsletterError

SHORTEST: Final = 12
LONGEST: Final = 200

# What is tried first against every sign-in page, among passwords that are long enough for us.
_COMMON: Final = frozenset(Path(__file__).with_name("common_passwords.txt").read_text().split())


class WeakPassword(NewsletterError):
    """A password that would be guessed."""


def refuse_weak(password: str, *, email: str = "", name: str = "") -> None:
    """Raises WeakPassword with what to do about it."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"A password here has {SHORTEST} characters or more. A short sentence works well.")
    if len(password) > LONGEST:
        raise WeakPassword(f"A password here has at most {LONGEST} characters.")
    folded = password.casefold()
    if folded in _COMMON or folded in {email.casefold(), name.casefold()} or len(set(folded)) < 5:
        raise WeakPassword("That is one of the first passwords that anybody would try. Choose another one.")


def hashed(password: str) -> str:
    return _hasher().hash(password)


def matches(user: User | None, password: str) -> bool:
    """Whether this is the password of this person. Takes as long when there is no such person.

    A hash made with older settings is renewed on the way; the caller commits.
    """
    known = user.password_hash if user else _nobodys_hash()
    try:
        _hasher().verify(known, password if len(password) <= LONGEST else "")
    except (VerificationError, InvalidHashError):
        return False
    if user is None:
        return False
    if _hasher().check_needs_rehash(user.password_hash):
        user.password_hash = hashed(password)
    return True


def _hasher() -> PasswordHasher:
    return _hasher_with(settings().password_memory_kib)


@cache
def _hasher_with(memory_kib: int) -> PasswordHasher:
    return PasswordHasher(time_cost=3, memory_cost=memory_kib, parallelism=1)


def _nobodys_hash() -> str:
    return _nobodys_hash_with(settings().password_memory_kib)


@cache
def _nobodys_hash_with(memory_kib: int) -> str:
    return _hasher_with(memory_kib).hash("nobody has this password")
