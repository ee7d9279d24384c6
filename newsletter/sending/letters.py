"""The frozen letters of a mailing, and how one becomes a reader's message: the same bytes whenever it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

from sqlalchemy import func, select

import emails
from emails.dkim import Unsigned
from newsletter import config, links, signing
from newsletter.db import db
from newsletter.posts import content
from newsletter.publication.models import Newsletter
from newsletter.sending.models import Mailing, Variant
from newsletter.subscribers import letters as subscriber_letters
from newsletter.subscribers import return_path


class Addressee(Protocol):
    """What a message needs to know of its reader."""

    @property
    def id(self) -> int: ...
    @property
    def email(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...  # emails.Audience


class Message(NamedTuple):
    parts: list[bytes]  # nothing is between them
    variant_id: int
    token: str  # names it to those who report on it later; empty where nobody could use it
    return_path: str

    @property
    def content(self) -> bytes:
        return b"".join(self.parts)


class _Begun(NamedTuple):
    """A message that is not signed yet."""

    unsigned: Unsigned
    variant_id: int
    token: str
    return_path: str

    def signed(self) -> Message:
        return Message(self.unsigned.signed(), self.variant_id, self.token, self.return_path)


@dataclass(frozen=True)
class MailingLetters:
    """Everything that the messages of one mailing are made of. Holds no database object."""

    mailing_id: int
    root_id: int  # of the mailing whose readers these first were: a message sent again keeps its Message-ID
    sender: str
    newsletter: subscriber_letters.Home
    view_url: str
    has_tokens: bool
    tier_ids: tuple[int, ...]  # whose holders get all of it; none: all who pay
    variants: dict[str, tuple[int, emails.Letter | emails.SignedLetter]]

    def message_for(self, reader: Addressee) -> Message:
        """About 10 µs. Raises emails.LetterError for an address or name that no message can carry."""
        begun = self._begin(reader)
        return begun.signed() if isinstance(begun, _Begun) else begun

    def messages_for(self, readers: Sequence[Addressee]) -> list[Message | emails.LetterError]:
        """`message_for` many, in their order; an error instead of a message that cannot be made."""
        begun = [self._begin_or_not(reader) for reader in readers]
        return [each.signed() if isinstance(each, _Begun) else each for each in begun]

    def _begin_or_not(self, reader: Addressee) -> "Message | _Begun | emails.LetterError":
        try:
            return self._begin(reader)
        except emails.LetterError as error:
            return error

    def _begin(self, reader: Addressee) -> "Message | _Begun":
        variant_id, letter = self.variants[reader.kind]
        recipient = self._values.of(reader, self.message_id(reader.id))
        token = return_path.token(mailing_id=self.mailing_id, subscriber_id=reader.id) if self.has_tokens else ""
        sender = return_path.address(token, self.sender)
        if isinstance(letter, emails.SignedLetter):
            return _Begun(letter.begin(recipient), variant_id, token, sender)
        return Message(letter.fill(recipient), variant_id, token, sender)

    @cached_property
    def _values(self) -> subscriber_letters.Values:
        return subscriber_letters.Values(self.newsletter, self.root_id, self.view_url)

    @cached_property
    def message_id(self) -> Callable[[int], str]:
        return message_ids(self.root_id)


def message_id(root_id: int, reader_id: int) -> str:
    """What stands before the @: the same for ever, and it does not tell who the reader is (RFC 5322 §3.6.4)."""
    return message_ids(root_id)(reader_id)


def message_ids(root_id: int) -> Callable[[int], str]:
    """`message_id(root_id, reader_id)` for many readers."""
    hashed = links.fingerprinter("message-id")
    return lambda reader_id: f"m{root_id}.{hashed(f'{root_id}.{reader_id}')[:16].hex()}"


def load(mailing_id: int) -> MailingLetters:
    mailing = db.session.get_one(Mailing, mailing_id)
    newsletter = db.session.get_one(Newsletter, mailing.newsletter_id)
    rows = db.session.execute(
        select(Variant.audience, Variant.id, func.md5(Variant.letter).label("seen")).where(
            Variant.mailing_id == mailing_id
        )
    )
    keys = signing.load(config.settings())
    return MailingLetters(
        mailing_id=mailing.id,
        root_id=mailing.root_id or mailing.id,
        sender=newsletter.sender_email,
        newsletter=subscriber_letters.home(newsletter),
        view_url=content.url(mailing.post),
        has_tokens=return_path.is_of_use(),
        tier_ids=tuple(mailing.tier_ids),
        variants={row.audience: (row.id, _letter(row.id, row.seen, newsletter.sender_email, keys)) for row in rows},
    )


@lru_cache(maxsize=16)
def _letter(
    variant_id: int,
    seen: str,  # noqa: ARG001
    sender: str,
    keys: tuple[emails.Key, ...],  # noqa: ARG001
) -> emails.Letter | emails.SignedLetter:
    """A variant never changes, so that each process reads it once. `seen` tells a restored database's variant apart."""
    stored = db.session.execute(select(Variant.letter).where(Variant.id == variant_id)).scalar_one()
    return signing.letter(emails.Letter.from_bytes(stored), sender)
