"""Readers: who they are, what they asked for, what proves it, and what we owe them."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
    and_,
    exists,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from newsletter import clock
from newsletter.db import Base, Id, Json, db
from newsletter.publication.models import Newsletter

subscriber_tag = Table(
    "subscriber_tag",
    Base.metadata,
    Column("subscriber_id", ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class SubscriberState(StrEnum):
    """How a person stands with us, told in one word. Derived, never stored."""

    PENDING = "pending"  # asked, not yet confirmed
    ACTIVE = "active"
    PAUSED = "paused"
    LEFT = "left"  # on no newsletter any more
    SUPPRESSED = "suppressed"  # never written to again
    ERASED = "erased"


class Subscriber(Base):
    """One person. After erasure the row stays as a nameless number, so that old tallies still add up."""

    __tablename__ = "subscriber"
    __table_args__ = (
        UniqueConstraint("publication_id", "email_key"),
        Index("ix_subscriber_created_at", "created_at"),
    )

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    email: Mapped[str | None]  # as they wrote it, the domain lower-case; None once erased
    email_key: Mapped[str | None]  # folded for comparison, see addresses.py
    name: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    confirmed_at: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    feed_since: Mapped[datetime | None]  # they have a feed of their own
    feed_number: Mapped[int] = mapped_column(default=0, server_default="0")  # of its address; the others lead nowhere
    suppressed_at: Mapped[datetime | None]  # a copy of Suppression for fast reading, kept by suppression.py
    erased_at: Mapped[datetime | None]

    subscriptions: Mapped[list["Subscription"]] = relationship(
        back_populates="subscriber", cascade="all, delete-orphan", order_by="Subscription.newsletter_id"
    )
    tags: Mapped[list["Tag"]] = relationship(secondary=subscriber_tag, order_by="Tag.name")

    @classmethod
    def by_key(cls, email_key: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.email_key == email_key))

    @classmethod
    def may_be_mailed(cls, newsletter_id: int | ColumnElement[int]) -> ColumnElement[bool]:
        """True in SQL for who may get this newsletter now: the one rule of consent, asked before each hand-over."""
        return and_(
            cls.confirmed_at.is_not(None),
            cls.email.is_not(None),
            cls.suppressed_at.is_(None),
            or_(cls.paused_until.is_(None), cls.paused_until <= func.now()),
            exists().where(
                Subscription.subscriber_id == cls.id,
                Subscription.newsletter_id == newsletter_id,
                Subscription.left_at.is_(None),
            ),
        )

    @property
    def state(self) -> SubscriberState:
        if self.erased_at:
            return SubscriberState.ERASED
        if self.suppressed_at:
            return SubscriberState.SUPPRESSED
        if not any(subscription.left_at is None for subscription in self.subscriptions):
            return SubscriberState.LEFT
        if not self.confirmed_at:
            return SubscriberState.PENDING
        if self.paused_until and self.paused_until > clock.now():
            return SubscriberState.PAUSED
        return SubscriberState.ACTIVE

    @property
    def newsletters(self) -> list[Newsletter]:
        """What they are on now (confirmed or still to be confirmed)."""
        return [subscription.newsletter for subscription in self.subscriptions if subscription.left_at is None]


class Subscription(Base):
    """One subscriber on one newsletter. Leaving keeps the row: it says when and why."""

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "newsletter_id"),
        Index(
            "ix_subscription_left_by_mailing_id",
            "left_by_mailing_id",
            postgresql_where=text("left_by_mailing_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletter.id"), index=True)
    joined_at: Mapped[datetime] = mapped_column(server_default=func.now())
    left_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    left_by_mailing_id: Mapped[int | None]  # the issue whose link they left by

    subscriber: Mapped[Subscriber] = relationship(back_populates="subscriptions")
    newsletter: Mapped[Newsletter] = relationship(lazy="joined")


class Tag(Base):
    __tablename__ = "tag"
    __table_args__ = (UniqueConstraint("publication_id", "name"),)

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    name: Mapped[str]


class ConsentKind(StrEnum):
    ASKED = "asked"  # sent the form
    CONFIRMED = "confirmed"  # pressed the button from the mail
    IMPORTED = "imported"  # an author vouched for them, and said from where
    ADDED = "added"  # by staff, by hand
    CHANGED = "changed"  # newsletters, name or address
    PAUSED = "paused"
    LEFT = "left"
    RETURNED = "returned"
    REFUSED = "refused"  # “this was not me”
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"


class ConsentEvent(Base):
    """Append-only proof: what was asked or said, in which words, when and from where."""

    __tablename__ = "consent_event"
    __table_args__ = (Index("ix_consent_event_subscriber_id_at", "subscriber_id", "at"),)

    id: Mapped[Id]
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    kind: Mapped[ConsentKind]
    newsletter_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)
    wording: Mapped[str] = mapped_column(default="")  # the exact text shown beside the button
    form_url: Mapped[str] = mapped_column(default="")
    network: Mapped[str] = mapped_column(default="")  # the truncated IP: /24 or /48
    user_agent: Mapped[str] = mapped_column(default="")
    detail: Mapped[Json] = mapped_column(default=dict)  # reason, mailing, message id, staff, source
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class SuppressionReason(StrEnum):
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REFUSED = "refused"  # “never write to me again”
    ERASED = "erased"
    STAFF = "staff"


class Suppression(Base):
    """An address that is never written to again, kept as a keyed hash so that it outlives erasure."""

    __tablename__ = "suppression"

    address_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"), primary_key=True)
    reason: Mapped[SuppressionReason]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class NoticeKind(StrEnum):
    CONFIRM = "confirm"
    ALREADY_SUBSCRIBED = "already_subscribed"
    WELCOME = "welcome"
    ADDRESS_CODE = "address_code"
    ADDRESS_CHANGED = "address_changed"
    ERASE_CODE = "erase_code"
    SIGN_IN = "sign_in"
    MEMBER_WELCOME = "member_welcome"
    RECEIPT = "receipt"
    TRIAL_ENDING = "trial_ending"
    PAYMENT_FAILED = "payment_failed"
    CARD_EXPIRING = "card_expiring"
    MEMBERSHIP_CANCELLED = "membership_cancelled"
    MEMBERSHIP_ENDED = "membership_ended"
    MEMBERSHIP_CHANGED = "membership_changed"
    GIFT = "gift"  # somebody gives them a tier
    PRICE_CHANGE = "price_change"  # what they pay will cost something else
    SEAT = "seat"  # somebody pays for them, too
    WIN_BACK = "win_back"  # an offer to who held a tier
    GIVEN_ENDING = "given_ending"  # what they were given ends soon
    MEMBER_NEWS = "member_news"  # of payments, to the owners
    TEST = "test"  # a post, to its author
    HELD = "held"  # a mailing was held by itself, to all staff
    REPLY = "reply"  # what a reader answered, to the author


class NoticeState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    UNCONFIRMED = "unconfirmed"


class Notice(Base):
    """Mail owed to one person. The same promises as a delivery: claimed before it is sent, recorded after."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_due", "send_after", postgresql_where=text("state IN ('waiting', 'sending')")),
        Index("ix_notice_address_key_created_at", "address_key", "created_at"),
    )

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"), index=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletter.id"))  # whose sender signs it
    kind: Mapped[NoticeKind]
    address: Mapped[str]
    address_key: Mapped[str]
    values: Mapped[Json] = mapped_column(default=dict)  # what its template needs
    message: Mapped[bytes | None] = mapped_column(LargeBinary)  # frozen at the first attempt, forgotten at the end
    message_id: Mapped[str] = mapped_column(default="")
    state: Mapped[NoticeState] = mapped_column(default=NoticeState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    send_after: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    token: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    reply: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]


class Code(Base):
    """A short code mailed to prove that the one who asks reads that mailbox. Kept as a hash, used once."""

    __tablename__ = "code"

    id: Mapped[Id]
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str]  # address | erase
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    values: Mapped[Json] = mapped_column(default=dict)  # the new address
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignIn(Base):
    """Somebody asked to be signed in, from one browser. Kept for everybody who asks, known here or not."""

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_address_hash_created_at", "address_hash", "created_at"),)

    id: Mapped[Id]
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"), index=True)
    address_hash: Mapped[bytes] = mapped_column(LargeBinary)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    next: Mapped[str] = mapped_column(default="")  # the page they came from
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ReaderSession(Base):
    """A reader's signed-in browser. The cookie holds the secret, the row only its hash."""

    __tablename__ = "reader_session"

    id: Mapped[Id]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]

    subscriber: Mapped[Subscriber] = relationship(lazy="joined")
