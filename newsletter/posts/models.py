"""What is written: posts, every version of them, and the pictures in them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from newsletter.db import Base, Id, db
from newsletter.errors import NewsletterError
from newsletter.publication.models import Newsletter


class NotADraft(NewsletterError):
    status = 409


class PostStatus(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"


class PostAudience(StrEnum):
    """Who may read a post."""

    EVERYONE = "everyone"
    SUBSCRIBERS = "subscribers"
    PAYING = "paying"


class Post(Base):
    """A post as its newest revision tells it: everything but status and dates is read from that revision's source."""

    __tablename__ = "post"
    __table_args__ = (
        UniqueConstraint("publication_id", "slug"),
        Index("ix_post_status_scheduled_for", "status", "scheduled_for"),
    )

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletter.id"))
    slug: Mapped[str]
    title: Mapped[str]
    subtitle: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")  # of the mail; empty: the title
    preheader: Mapped[str] = mapped_column(default="")  # empty: the subtitle
    authors: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    series: Mapped[str] = mapped_column(default="")
    series_number: Mapped[int | None]
    dated: Mapped[date | None]  # the date shown, when the author gives one
    audience: Mapped[PostAudience] = mapped_column(default=PostAudience.EVERYONE)
    status: Mapped[PostStatus] = mapped_column(default=PostStatus.DRAFT)
    scheduled_for: Mapped[datetime | None]
    scheduled_zone: Mapped[str] = mapped_column(default="")
    trouble: Mapped[str] = mapped_column(default="")  # why it could not be sent at its time
    published_at: Mapped[datetime | None]
    trashed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    newsletter: Mapped[Newsletter] = relationship(lazy="joined")
    revisions: Mapped[list["Revision"]] = relationship(
        back_populates="post", order_by="Revision.number", cascade="all, delete-orphan", lazy="select"
    )

    @classmethod
    def by_slug(cls, slug: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.slug == slug, cls.trashed_at.is_(None)))

    def schedule(self, at: datetime, zone: str) -> None:
        if self.status is not PostStatus.DRAFT:
            raise NotADraft(f"“{self.title}” is already {self.status}.")
        self.status = PostStatus.SCHEDULED
        self.scheduled_for = at
        self.scheduled_zone = zone

    def unschedule(self) -> None:
        if self.status is not PostStatus.SCHEDULED:
            raise NotADraft(f"“{self.title}” is not scheduled: it is {self.status}.")
        self.status = PostStatus.DRAFT
        self.scheduled_for = None


class Revision(Base):
    """One saved version: the whole source, front matter and Markdown, as written."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("post_id", "number"),)

    id: Mapped[Id]
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"))
    number: Mapped[int]
    source: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    post: Mapped[Post] = relationship(back_populates="revisions")


class Media(Base):
    """A picture, re-encoded by us, under a name that cannot be guessed."""

    __tablename__ = "media"

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    key: Mapped[str] = mapped_column(unique=True)  # random; its address is /media/<key>
    content_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @classmethod
    def by_key(cls, key: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.key == key))
