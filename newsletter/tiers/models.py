"""What readers pay for, and who holds it."""

from datetime import datetime
from typing import Self

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from newsletter.db import Base, Id, db


class Tier(Base):
    __tablename__ = "tier"
    __table_args__ = (UniqueConstraint("publication_id", "slug"),)

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    slug: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @classmethod
    def by_slug(cls, slug: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.slug == slug))

    @classmethod
    def in_order(cls) -> list[Self]:
        return list(db.session.scalars(select(cls).order_by(cls.position, cls.id)))

    @classmethod
    def any_exists(cls) -> bool:
        return db.session.scalar(select(cls.id).limit(1)) is not None


class Membership(Base):
    """One span of time in which a subscriber holds a tier."""

    __tablename__ = "membership"
    __table_args__ = (Index("ix_membership_subscriber_id_ends_at", "subscriber_id", "ends_at"),)

    id: Mapped[Id]
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ends_at: Mapped[datetime | None]

    tier: Mapped[Tier] = relationship(lazy="joined")

    @classmethod
    def is_current(cls) -> ColumnElement[bool]:
        """True in SQL for a membership that holds now, by the database's clock."""
        return (cls.started_at <= func.now()) & or_(cls.ends_at.is_(None), cls.ends_at > func.now())
