"""A post on its way to its readers: the frozen mailing, its chunks of readers, and what became of each message."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
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
    tier_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list, server_default="{}")  # of the post
    audience_count: Mapped[int]  # what the outcomes must add up to
    scheduled_for: Mapped[datetime]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    paused_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]  # until then temporary refusals are tried again
    held_because: Mapped[str] = mapped_column(default="")
    breaker_off_at: Mapped[datetime | None]  # the author has seen why it was held, and said go on
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
    """Some hundred readers of a mailing, or up to two thousand, frozen at its start: the unit of claiming."""

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
    send_after: Mapped[datetime | None]  # None: at once, whatever a clock says
    attempts: Mapped[int] = mapped_column(default=0)  # in a row without any message handed over
    token: Mapped[str | None]  # fresh for each claim
    host: Mapped[str | None]  # where the journal of that claim is
    lease_until: Mapped[datetime | None]
    accepted: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    expired: Mapped[int] = mapped_column(default=0)
    unconfirmed: Mapped[int] = mapped_column(default=0)

    @classmethod
    def is_due(cls) -> ColumnElement[bool]:
        return cls.send_after.is_(None) | (cls.send_after <= func.now())


class Delivery(Base):
    """The ledger: one row for each reader whose message has an outcome."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_troubled", "mailing_id", "outcome", postgresql_where=text("outcome <> 'accepted'")),
        Index("ix_delivery_subscriber_id", "subscriber_id"),
    )

    # No foreign keys: the ledger outlives the reader, and looking for the mailing again costs as much as the row.
    mailing_id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[Outcome]
    variant_id: Mapped[int | None]
    reply: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Doubt(Base):
    """Beside a delivery that is or was `unconfirmed`: what a judge needs to know, and what was tried."""

    __tablename__ = "doubt"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str]  # where it was handed over from: the name of the disk with its journal
    at: Mapped[datetime] = mapped_column(server_default=func.now())  # it was handed over before this
    looked_at: Mapped[datetime | None]  # a judge could not tell
    verdict: Mapped[str] = mapped_column(default="", server_default="")  # why not
    resent_at: Mapped[datetime | None]  # sent once more although nobody could tell: never a third time


class Waiting(Base):
    """A reader whose message the server put off, and when to try again."""

    __tablename__ = "waiting"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(primary_key=True)
    chunk_id: Mapped[int] = mapped_column(ForeignKey("chunk.id", ondelete="CASCADE"), index=True)
    send_after: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=1)
    reply: Mapped[str] = mapped_column(default="")


class BounceKind(StrEnum):
    """What a bounce means for the reader. See severity.py."""

    HARD = "hard"  # there is no such mailbox: never write again
    SOFT = "soft"  # full, busy, not found in time: counts only when it goes on and on
    BLOCKED = "blocked"  # about us, our address or our words: never the reader's fault
    COMPLAINT = "complaint"  # pressed “spam”: never write again


class Bounce(Base):
    """A message that came back, was refused, or was complained about. Append-only."""

    __tablename__ = "bounce"
    __table_args__ = (
        Index("ix_bounce_mailing_id_kind", "mailing_id", "kind"),
        Index("ix_bounce_subscriber_id_at", "subscriber_id", "at"),
        Index("uq_bounce_once", "mailing_id", "subscriber_id", "kind", unique=True),
    )

    id: Mapped[Id]
    kind: Mapped[BounceKind]
    mailing_id: Mapped[int | None] = mapped_column(ForeignKey("mailing.id", ondelete="CASCADE"))  # None: a notice
    subscriber_id: Mapped[int | None]  # no foreign key: it outlives the reader
    notice_id: Mapped[int | None]
    status: Mapped[str] = mapped_column(default="")  # RFC 3463: 5.1.1
    words: Mapped[str] = mapped_column(default="")
    source: Mapped[str]  # reply (of the mail server, at once) | mail | ses | postmark | …
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class InboundEvent(Base):
    """What we were told already: a repetition changes nothing."""

    __tablename__ = "inbound_event"

    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class InboundTally(Base):
    """How much of what came in was of a kind, hour by hour: what was dropped, and what a cap is held against."""

    __tablename__ = "inbound_tally"

    what: Mapped[str] = mapped_column(primary_key=True)  # see tally.py
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class Reply(Base):
    """What a person answered to an issue, as it came to one of our own addresses. Forwarded to the author."""

    __tablename__ = "reply"
    __table_args__ = (Index("ix_reply_mailing_id_at", "mailing_id", "at"),)

    id: Mapped[Id]
    mailing_id: Mapped[int | None] = mapped_column(ForeignKey("mailing.id", ondelete="CASCADE"))
    subscriber_id: Mapped[int | None]
    sender: Mapped[str]  # as it stands in From: nobody has checked it
    subject: Mapped[str] = mapped_column(default="")
    words: Mapped[str] = mapped_column(default="")  # the new part, as text
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Lane(Base):
    """A way to some destinations that is not simply open: a server's words have slowed it down, or closed it."""

    __tablename__ = "lane"

    name: Mapped[str] = mapped_column(primary_key=True)  # relay, or relay/group
    pace: Mapped[float] = mapped_column(default=1.0)  # of its ordinary speed; grows back to 1
    closed_until: Mapped[datetime | None]
    words: Mapped[str] = mapped_column(default="")  # the server's, that changed it
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LaneUse(Base):
    """How many messages took a lane in an hour: what limits for the hour, the day and the warm-up are held against."""

    __tablename__ = "lane_use"

    lane: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    taken: Mapped[int] = mapped_column(default=0)


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
