"""What the author publishes under, and the newsletters that readers choose from."""

from datetime import datetime
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from emails import Cards, Faces, Header, Headings, Quotes, Style
from newsletter.db import Base, Id, db
from newsletter.errors import NotFound


class NoPublication(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no publication yet. Make one with: newsletter create-owner")


class LongMail(StrEnum):
    """What becomes of a letter that is so long that Gmail would cut it."""

    FOLD = "fold"  # its end is left to its page
    WHOLE = "whole"


class Publication(Base):
    __tablename__ = "publication"

    id: Mapped[Id]
    name: Mapped[str]
    tagline: Mapped[str] = mapped_column(default="")
    postal_address: Mapped[str] = mapped_column(default="")
    time_zone: Mapped[str] = mapped_column(default="UTC")
    language: Mapped[str] = mapped_column(default="en")
    accent: Mapped[str] = mapped_column(default="#8a4b2d")
    logo_key: Mapped[str | None]  # Media.key; no foreign key, since media belong to the publication in turn
    logo_dark_key: Mapped[str | None]  # shown instead where the scheme is dark
    faces: Mapped[Faces] = mapped_column(default=Faces.SERIF)
    header: Mapped[Header] = mapped_column(default=Header.LEFT)
    headings: Mapped[Headings] = mapped_column(default=Headings.PLAIN)
    quotes: Mapped[Quotes] = mapped_column(default=Quotes.LINE)
    cards: Mapped[Cards] = mapped_column(default=Cards.BOX)
    footer: Mapped[str] = mapped_column(default="")  # as typed
    long_mail: Mapped[LongMail] = mapped_column(default=LongMail.FOLD)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    newsletters: Mapped[list["Newsletter"]] = relationship(
        back_populates="publication", order_by="Newsletter.position, Newsletter.id"
    )

    @classmethod
    def current(cls) -> Self:
        """The one publication of this installation. Raises NoPublication."""
        publication = cls.find()
        if publication is None:
            raise NoPublication
        return publication

    @classmethod
    def find(cls) -> Self | None:
        return db.session.scalar(select(cls).order_by(cls.id).limit(1))

    @property
    def style(self) -> Style:
        return Style(faces=self.faces, header=self.header, headings=self.headings, quotes=self.quotes, cards=self.cards)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Newsletter(Base):
    """One list a reader can be on: its own name, sender and readers."""

    __tablename__ = "newsletter"
    __table_args__ = (UniqueConstraint("publication_id", "slug"),)

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    slug: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    sender_name: Mapped[str]
    sender_email: Mapped[str]
    reply_to: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    publication: Mapped[Publication] = relationship(back_populates="newsletters")

    @classmethod
    def by_slug(cls, slug: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.slug == slug))

    @classmethod
    def open(cls) -> list[Self]:
        """The newsletters that can be chosen, in the author's order."""
        return list(db.session.scalars(select(cls).where(cls.archived_at.is_(None)).order_by(cls.position, cls.id)))

    @classmethod
    def all_of(cls, publication: Publication) -> list[Self]:
        """Those that can be chosen, then the archived ones."""
        query = select(cls).where(cls.publication_id == publication.id)
        return list(db.session.scalars(query.order_by(cls.archived_at.is_not(None), cls.position, cls.id)))

    @property
    def sender_domain(self) -> str:
        return self.sender_email.rpartition("@")[2]

    @property
    def list_id(self) -> str:
        """The label of List-Id (RFC 2919): never changes, so it is made of what never changes."""
        return f"n{self.id}.{self.sender_domain}"
