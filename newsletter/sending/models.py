"""A post on its way to its readers: the frozen mailing, its chunks of readers, and what became of each message."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from newsletter.db import Base, Id
from newsletter.posts.models import Post


class MailingState(StrEnum):
    SENDING = "sending"
    PAUSED = "paused"
    HELD = "held"  # waits for the author's word: too late, or a restored database
    STOPPED = "stopped"
    FINISHED = "finished"


OPEN_STATES = (MailingState.SENDING, MailingState.PAUSED, MailingState.HELD)


class Outcome(StrEnum):
    """What became of one message. Written once; only `unconfirmed` may change."""

    ACCEPTED = "accepted"  # the mail server said 250 to the message
    REFUSED = "refused"  # for good, with its words
    SKIPPED = "skipped"  # left, paused, suppressed or erased before being reached, or the mailing was stopped
    EXPIRED = "expired"  # put off until the deadline
    UNCONFIRMED = "unconfirmed"  # may or may not have left


class Mailing(Base):
    """One post to the readers of one newsletter, once per occasion. What was approved is frozen in its variants."""

    __tablename__ = "mailing"
    __table_args__ = (UniqueConstraint("post_id", "newsletter_id", "occasion"),)

    id: Mapped[Id]
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletter.id"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    occasion: Mapped[str] = mapped_column(default="publication")
    root_id: Mapped[int | None] = mapped_column(ForeignKey("mailing.id"))  # whose unreached readers these are
    state: Mapped[MailingState]
    audience_count: Mapped[int]  # what the outcomes must add up to
    scheduled_for: Mapped[datetime]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    paused_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]  # until then temporary refusals are tried again
    held_because: Mapped[str] = mapped_column(default="")
    trouble: Mapped[str] = mapped_column(default="")  # the last words of a mail server that does not take anything
    trouble_at: Mapped[datetime | None]
    doubts_settled_at: Mapped[datetime | None]  # the author has decided about the unconfirmed ones

    post: Mapped[Post] = relationship(lazy="joined")
    variants: Mapped[list["Variant"]] = relationship(back_populates="mailing")


class Variant(Base):
    """One compiled rendering of a mailing: constant bytes with slots, the same for all its readers."""

    __tablename__ = "variant"
    __table_args__ = (UniqueConstraint("mailing_id", "audience"),)

    id: Mapped[Id]
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailing.id", ondelete="CASCADE"))
    audience: Mapped[str]  # emails.Audience
    subject: Mapped[str]
    letter: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)  # emails.Letter.to_bytes()

    mailing: Mapped[Mailing] = relationship(back_populates="variants")


class ChunkState(StrEnum):
    FREE = "free"
    CLAIMED = "claimed"
    DONE = "done"


class Chunk(Base):
    """About a thousand readers of a mailing, frozen at its start: the unit of claiming."""

    __tablename__ = "chunk"
    __table_args__ = (
        UniqueConstraint("mailing_id", "number"),
        Index("ix_chunk_open", "mailing_id", "send_after", postgresql_where=text("state <> 'done'")),
    )

    id: Mapped[Id]
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailing.id", ondelete="CASCADE"))
    number: Mapped[int]
    reader_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), deferred=True)
    size: Mapped[int]
    state: Mapped[ChunkState] = mapped_column(default=ChunkState.FREE)
    send_after: Mapped[datetime] = mapped_column(server_default=func.now())
    attempts: Mapped[int] = mapped_column(default=0)  # in a row without any message handed over
    token: Mapped[str | None]  # fresh for each claim
    host: Mapped[str | None]  # where the journal of that claim is
    lease_until: Mapped[datetime | None]
    accepted: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    expired: Mapped[int] = mapped_column(default=0)
    unconfirmed: Mapped[int] = mapped_column(default=0)


class Delivery(Base):
    """The ledger: one row for each reader whose message has an outcome."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_troubled", "mailing_id", "outcome", postgresql_where=text("outcome <> 'accepted'")),
        Index("ix_delivery_subscriber_id", "subscriber_id"),
    )

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(primary_key=True)  # no foreign key: the ledger outlives the reader
    outcome: Mapped[Outcome]
    variant_id: Mapped[int | None]
    reply: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Waiting(Base):
    """A reader whose message the server put off, and when to try again."""

    __tablename__ = "waiting"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(primary_key=True)
    chunk_id: Mapped[int] = mapped_column(ForeignKey("chunk.id", ondelete="CASCADE"), index=True)
    send_after: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=1)
    reply: Mapped[str] = mapped_column(default="")


class Heartbeat(Base):
    """When each process of ours was last seen: worker hosts, beat."""

    __tablename__ = "heartbeat"
    __table_args__ = (CheckConstraint("process <> ''", name="named"),)

    process: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Instance(Base):
    """Which database cluster this is, to notice a restored backup or a clone."""

    __tablename__ = "instance"

    id: Mapped[Id]
    cluster: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
