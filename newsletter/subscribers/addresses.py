"""What an email address is for us: written as it was given, and folded for comparison."""

import unicodedata
from dataclasses import dataclass
from typing import Self

from email_validator import EmailNotValidError, validate_email

from newsletter.errors import NewsletterError

ROLES = frozenset({"postmaster", "abuse", "noreply", "no-reply", "mailer-daemon"})
LONGEST_LOCAL_PART, LONGEST_ADDRESS = 64, 254

# Letters of other scripts that pass for Latin ones. A name made of nothing else is a disguise.
_LATIN_LOOKALIKES = frozenset("аеорсухіјѕԁһԛԝӏьαορνυτικ")
_SCRIPTS_THAT_MIX = (
    {"LATIN", "HIRAGANA", "KATAKANA", "CJK"},
    {"LATIN", "HANGUL", "CJK"},
    {"LATIN", "BOPOMOFO", "CJK"},
)


class BadAddress(NewsletterError):
    """No address that mail can be sent to, with the reason for the person who typed it."""

    status = 422


@dataclass(frozen=True)
class Address:
    email: str  # as typed, but for the domain: lower-case, and in ASCII (xn--…) where it is international

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what a person typed. Asks no name server. Raises BadAddress."""
        typed = text.strip()
        if not typed:
            raise BadAddress("Write your email address.")
        try:
            read = validate_email(typed, check_deliverability=False)
        except EmailNotValidError as error:
            raise BadAddress(f"This address does not work: {_sentence(error)}") from None
        if read.ascii_email is None:
            raise BadAddress("Before the @ only letters from a to z, digits and signs can be used for now.")
        _check_length(read.ascii_email)
        _check_disguise(read.domain)
        if read.local_part.lower() in ROLES:
            raise BadAddress(
                f"{read.local_part}@ is the address of a machine or an office. Use one that a person reads."
            )
        return cls(read.ascii_email)

    @property
    def key(self) -> str:
        return key(self.email)

    @property
    def masked(self) -> str:
        return masked(self.email)


def key(email: str) -> str:
    """What two spellings of one mailbox have in common. Dots and +tags stay: only the receiver knows what they mean."""
    return email.casefold()


def masked(email: str) -> str:
    """Enough for its owner to recognise, too little for anybody else: “a•••@example.com”."""
    local_part, _, domain = email.rpartition("@")
    return f"{local_part[:1]}•••@{domain}"


def _check_length(email: str) -> None:
    if len(email.rpartition("@")[0]) > LONGEST_LOCAL_PART or len(email) > LONGEST_ADDRESS:
        raise BadAddress("This address is longer than an email address can be.")


def _check_disguise(domain: str) -> None:
    """Letters of several alphabets in one name are how one domain dresses up as another."""
    labels = domain.split(".")
    for label in labels:
        scripts = {_script(letter) for letter in label if letter.isalpha()}
        mixed = len(scripts) > 1 and not any(scripts <= mix for mix in _SCRIPTS_THAT_MIX)
        disguised = labels[-1].isascii() and not label.isascii() and set(label) <= _LATIN_LOOKALIKES
        if mixed or disguised:
            raise BadAddress(f"The domain “{domain}” is written with look-alike letters. Type it again by hand.")


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").replace("-", " ").split(" ")[0]


def _sentence(error: EmailNotValidError) -> str:
    words = str(error)
    return words[:1].lower() + words[1:]
