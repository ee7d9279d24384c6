"""The frozen letters of a mailing, and how one becomes a reader's message: the same bytes whenever it is asked."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

import emails
from newsletter import links
from newsletter.db import db
from newsletter.posts import content
from newsletter.publication.models import Newsletter
from newsletter.sending.models import Mailing, Variant
from newsletter.subscribers import letters as subscriber_letters


class Addressee(Protocol):
    """What a message needs to know of its reader."""

    @property
    def id(self) -> int: ...
    @property
    def email(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def is_paying(self) -> bool: ...


@dataclass(frozen=True)
class Message:
    content: bytes
    variant_id: int


@dataclass(frozen=True)
class MailingLetters:
    """Everything that the messages of one mailing are made of. Holds no database object."""

    root_id: int  # of the mailing whose readers these first were: a message sent again keeps its Message-ID
    sender: str
    newsletter: subscriber_letters.Home
    view_url: str
    variants: dict[emails.Audience, tuple[int, emails.Letter]]

    def message_for(self, reader: Addressee) -> Message:
        """About 20 µs. Raises emails.LetterError for an address or name that no message can carry."""
        variant_id, letter = self.variants[emails.Audience.PAYING if reader.is_paying else emails.Audience.FREE]
        recipient = subscriber_letters.recipient_values(
            reader, self.newsletter, self.root_id, self.message_id(reader.id), self.view_url
        )
        return Message(letter.splice(recipient), variant_id)

    def message_id(self, reader_id: int) -> str:
        """What stands before the @: the same for ever, and it does not tell who the reader is (RFC 5322 §3.6.4)."""
        return f"m{self.root_id}.{links.fingerprint('message-id', f'{self.root_id}.{reader_id}')[:16].hex()}"


def load(mailing_id: int) -> MailingLetters:
    mailing = db.session.get_one(Mailing, mailing_id)
    newsletter = db.session.get_one(Newsletter, mailing.newsletter_id)
    rows = db.session.execute(
        select(Variant.audience, Variant.id, Variant.letter).where(Variant.mailing_id == mailing_id)
    )
    return MailingLetters(
        root_id=mailing.root_id or mailing.id,
        sender=newsletter.sender_email,
        newsletter=subscriber_letters.home(newsletter),
        view_url=content.url(mailing.post),
        variants={emails.Audience(row.audience): (row.id, emails.Letter.from_bytes(row.letter)) for row in rows},
    )
