"""What is written: posts, every version of them, and the pictures in them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    UniqueConstraint,
    func,
    select,
    text,
)
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
    tier_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list, server_default="{}")  # none: any
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


class Tick(Base):
    """“Send anyway”: a warning that somebody has read and does not mind, for as long as it says the same."""

    __tablename__ = "tick"

    post_id: Mapped[int] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)  # of the finding: its code and its place
    user_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class LinkState(StrEnum):
    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"  # the other side did not let itself be asked


class LinkCheck(Base):
    """What an address answered when it was last asked. Whoever links to it, it is asked once."""

    __tablename__ = "link_check"

    url: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[LinkState]
    status: Mapped[int | None]  # of HTTP; None: there was no answer
    words: Mapped[str] = mapped_column(default="")  # why it is not alive
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class SpamCheck(Base):
    """What the spam filter of this machine made of a revision."""

    __tablename__ = "spam_check"

    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id", ondelete="CASCADE"), primary_key=True)
    points: Mapped[float]
    rules: Mapped[list[str]] = mapped_column(ARRAY(Text))  # “1.6 NAME what it means”, the heaviest first
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class SnapshotState(StrEnum):
    WANTED = "wanted"
    READ = "read"
    FAILED = "failed"  # for good, until somebody asks again


class LinkSnapshot(Base):
    """What a page elsewhere said of itself when it was last read. What was read once stays, whatever becomes of it."""

    __tablename__ = "link_snapshot"
    __table_args__ = (
        UniqueConstraint("publication_id", "url"),
        Index("ix_link_snapshot_next_try_at", "next_try_at", postgresql_where=text("state = 'wanted'")),
    )

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    url: Mapped[str]  # as it stands in the text
    post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id", ondelete="SET NULL"))  # that asked last
    state: Mapped[SnapshotState] = mapped_column(default=SnapshotState.WANTED)
    title: Mapped[str] = mapped_column(default="")
    publication: Mapped[str] = mapped_column(default="")
    excerpt: Mapped[str] = mapped_column(default="")
    author: Mapped[str] = mapped_column(default="")
    dated: Mapped[date | None]
    image_id: Mapped[int | None] = mapped_column(ForeignKey("media.id"))
    logo_id: Mapped[int | None] = mapped_column(ForeignKey("media.id"))
    fetched_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")  # why the last try gave nothing
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    image: Mapped["Media | None"] = relationship(foreign_keys=[image_id], lazy="joined")
    logo: Mapped["Media | None"] = relationship(foreign_keys=[logo_id], lazy="joined")

    @property
    def has_card(self) -> bool:
        return self.fetched_at is not None


ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}  # what every mail program shows


class Media(Base):
    """A picture that was uploaded. Its files are made by us, under names that cannot be guessed."""

    __tablename__ = "media"
    __table_args__ = (Index("ix_media_unfinished", "id", postgresql_where=text("finished_at IS NULL")),)

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    key: Mapped[str] = mapped_column(unique=True)  # what the names of its files begin with
    content_type: Mapped[str]  # of the file that stands for it, `key`.png and the like
    width: Mapped[int]  # of its largest file, in pixels
    height: Mapped[int]
    name: Mapped[str] = mapped_column(default="", server_default="")  # of the file that came; empty: no part of a post
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # of those from before there was storage
    tries: Mapped[int] = mapped_column(default=0, server_default="0")  # how often its page files were begun
    finished_at: Mapped[datetime | None]  # when they were there
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    files: Mapped[list["MediaFile"]] = relationship(
        order_by="MediaFile.width", cascade="all, delete-orphan", lazy="selectin"
    )

    @classmethod
    def by_key(cls, key: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.key == key))

    @property
    def file_name(self) -> str:
        """The file that stands for it where only one can: in the author's text, in feeds, in mail."""
        return f"{self.key}.{ENDINGS[self.content_type]}"


class MediaPurpose(StrEnum):
    """What a file of a picture is there for."""

    MAIL = "mail"  # every mail program shows it
    PAGE = "page"  # smaller, for browsers
    STILL = "still"  # the first frame, for who wants nothing to move
    MASTER = "master"  # what others are made of; not shown


class MediaFile(Base):
    """One rendering of a picture: so many pixels, in that format."""

    __tablename__ = "media_file"

    name: Mapped[str] = mapped_column(primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey("media.id", ondelete="CASCADE"), index=True)
    content_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]  # bytes
    purpose: Mapped[MediaPurpose]


class PollVote(Base):
    """One vote. Who gave it is a keyed hash that leads back to nobody."""

    __tablename__ = "poll_vote"
    __table_args__ = (PrimaryKeyConstraint("post_id", "poll", "voter"),)

    post_id: Mapped[int] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"))
    poll: Mapped[str]  # Poll.key
    voter: Mapped[str]
    answer: Mapped[int]  # from 1
    at: Mapped[datetime] = mapped_column(server_default=func.now())
