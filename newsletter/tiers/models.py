"""What readers pay for, what it costs, and who holds it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from newsletter.db import Base, Id, db


class Cadence(StrEnum):
    """How often a price is paid."""

    MONTH = "month"
    YEAR = "year"


class MembershipKind(StrEnum):
    """How somebody came to hold a tier."""

    PAID = "paid"  # a subscription at the payment provider
    COMPLIMENTARY = "complimentary"  # given by hand, by the publication
    GIFT = "gift"  # paid for once, by somebody else
    SEAT = "seat"  # one of a group, paid for by somebody else


class MembershipState(StrEnum):
    """Where a membership is in its life. Paid ones have all of these; the others are active, then ended."""

    TRIALING = "trialing"  # nothing has been paid yet
    ACTIVE = "active"
    PAST_DUE = "past_due"  # a payment failed, and is tried again: they read on for the days of grace
    UNPAID = "unpaid"  # it failed for good
    CANCELLED = "cancelled"  # they read on until the end of what is paid, and no longer
    PAUSED = "paused"  # nothing is charged; they read on until the end of what is paid
    ENDED = "ended"


class Tier(Base):
    __tablename__ = "tier"
    __table_args__ = (UniqueConstraint("publication_id", "slug"),)

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    slug: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    benefits: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    trial_days: Mapped[int] = mapped_column(default=0, server_default="0")
    is_minimum: Mapped[bool] = mapped_column(default=False, server_default="false")  # who wants to may pay more
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    hidden_at: Mapped[datetime | None]  # not shown to readers; whoever is given it holds it all the same
    archived_at: Mapped[datetime | None]  # nobody new; whoever holds it keeps it

    prices: Mapped[list["Price"]] = relationship(
        primaryjoin="and_(Price.tier_id == Tier.id, Price.replaced_at.is_(None))",
        order_by="Price.id",
        lazy="selectin",
        back_populates="tier",
    )

    @classmethod
    def by_slug(cls, slug: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.slug == slug))

    @classmethod
    def named(cls, ids: Sequence[int]) -> list[Self]:
        """These, in the author's order."""
        return (
            list(db.session.scalars(select(cls).where(cls.id.in_(ids)).order_by(cls.position, cls.id))) if ids else []
        )

    @classmethod
    def in_order(cls) -> list[Self]:
        """Those that somebody new may come to hold."""
        return list(db.session.scalars(select(cls).where(cls.archived_at.is_(None)).order_by(cls.position, cls.id)))

    @classmethod
    def on_offer(cls) -> list[Self]:
        """Those that readers are shown."""
        return [tier for tier in cls.in_order() if tier.hidden_at is None]

    @classmethod
    def any_on_offer(cls) -> bool:
        shown = select(cls.id).where(cls.archived_at.is_(None), cls.hidden_at.is_(None))
        return db.session.scalar(shown.limit(1)) is not None

    @classmethod
    def any_exists(cls) -> bool:
        return db.session.scalar(select(cls.id).where(cls.archived_at.is_(None)).limit(1)) is not None


class Price(Base):
    """What a tier costs in one currency. One that is replaced stays: there may be readers who go on paying it."""

    __tablename__ = "price"
    __table_args__ = (
        CheckConstraint("amount > 0", name="costs_something"),
        Index(
            "uq_price_now", "tier_id", "cadence", "currency", unique=True, postgresql_where=text("replaced_at IS NULL")
        ),
    )

    id: Mapped[Id]
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    cadence: Mapped[Cadence]
    currency: Mapped[str]  # ISO 4217
    amount: Mapped[int]  # in the currency's smallest unit
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    replaced_at: Mapped[datetime | None]

    tier: Mapped[Tier] = relationship(back_populates="prices")


class Membership(Base):
    """One span of time in which a subscriber holds a tier: until `ends_at`, as access.py draws it from the rest."""

    __tablename__ = "membership"
    __table_args__ = (
        Index("ix_membership_subscriber_id_ends_at", "subscriber_id", "ends_at"),
        Index("ix_membership_customer_id", "customer_id"),
        Index("ix_membership_group_id", "group_id", postgresql_where=text("group_id IS NOT NULL")),
    )

    id: Mapped[Id]
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    kind: Mapped[MembershipKind] = mapped_column(
        default=MembershipKind.COMPLIMENTARY, server_default=MembershipKind.COMPLIMENTARY.value
    )
    state: Mapped[MembershipState] = mapped_column(
        default=MembershipState.ACTIVE, server_default=MembershipState.ACTIVE.value
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())  # it is known here since then
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ends_at: Mapped[datetime | None]  # they hold it until then, unless something new is heard; None: for ever

    # Of paid ones, as the payment provider told us last.
    reference: Mapped[str | None] = mapped_column(unique=True)  # the provider's name of the subscription
    price_reference: Mapped[str] = mapped_column(default="", server_default="")  # the provider's name of what is paid
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    cadence: Mapped[Cadence | None]
    currency: Mapped[str | None]  # ISO 4217
    amount: Mapped[int | None]  # for each `cadence`, seats and lasting discounts reckoned in, in the smallest unit
    full_amount: Mapped[int | None]  # the same without discounts
    seats: Mapped[int] = mapped_column(default=1, server_default="1")
    paid_until: Mapped[datetime | None]  # the next payment is due then
    trial_ends_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancelled_for: Mapped[datetime | None]  # when it will end
    cancel_reason: Mapped[str] = mapped_column(default="", server_default="")
    paused_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    is_imported: Mapped[bool] = mapped_column(default=False, server_default="false")  # begun on another platform
    post_id: Mapped[int | None]  # what they were reading when they chose it; no foreign key: it outlives the post

    group_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id", ondelete="CASCADE"))  # of a seat

    tier: Mapped[Tier] = relationship(lazy="joined")

    @classmethod
    def by_reference(cls, reference: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.reference == reference))

    @classmethod
    def is_current(cls) -> ColumnElement[bool]:
        """True in SQL for a membership that holds now, by the database's clock."""
        return (cls.started_at <= func.now()) & or_(cls.ends_at.is_(None), cls.ends_at > func.now())
