"""The first account of an installation, made on the command line."""

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError

from newsletter.accounts import audit, passwords
from newsletter.accounts.models import Role, User
from newsletter.db import db
from newsletter.errors import NewsletterError


class AddressTaken(NewsletterError):
    status = 409


class NotAnAddress(NewsletterError):
    """What was given is no mail address."""


def create_owner(email: str, name: str, password: str) -> User:
    """An account that may do everything. Raises AddressTaken, NotAnAddress or WeakPassword."""
    address, name = _address(email), name.strip()
    passwords.refuse_weak(password, email=address, name=name)
    owner = User(
        email=address, name=name or address.partition("@")[0], password_hash=passwords.hashed(password), role=Role.OWNER
    )
    try:
        with db.session.begin_nested():
            db.session.add(owner)
    except IntegrityError:
        raise AddressTaken(f"{address} already has an account here.") from None
    audit.record("created an owner", by=owner)
    return owner


def _address(email: str) -> str:
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise NotAnAddress(f"“{email}” is not a mail address: {error}") from None
