"""Other people's secrets in our database: sealed with our own, so that a copy of the tables opens nothing."""

import base64
from hashlib import blake2b

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from newsletter.config import settings
from newsletter.errors import NewsletterError


class CannotOpen(NewsletterError):
    """It was sealed under a secret key that is not among ours any more."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "What was stored here can be read no more: SECRET_KEY has changed. Put the earlier one into "
            "SECRET_KEY_FALLBACKS, or enter it again."
        )


def seal(text: str) -> bytes:
    return _box().encrypt(text.encode())


def open_(sealed: bytes) -> str:
    """Raises CannotOpen."""
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken:
        raise CannotOpen from None


def _box() -> MultiFernet:
    """Seals with the present key, opens with the earlier ones too."""
    return MultiFernet([Fernet(_key(secret)) for secret in settings().all_secret_keys])


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(blake2b(secret.encode(), person=b"sealing", digest_size=32).digest())
