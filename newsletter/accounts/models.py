"""Staff: who may use the desk, and what they did there."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import ForeignKey, Index, LargeBinary, func, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from newsletter.db import Base, Id, Json, db


class Role(StrEnum):
    OWNER = "owner"
    EDITOR = "editor"


class User(Base):
    __tablename__ = "staff"  # “user” is a reserved word in SQL
    __table_args__ = (Index("uq_staff_email", text("lower(email)"), unique=True),)

    id: Mapped[Id]
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[Role]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @classmethod
    def by_email(cls, email: str) -> Self | None:
        return db.session.scalar(select(cls).where(func.lower(cls.email) == email.strip().lower()))


class StaffSession(Base):
    """A signed-in browser. The cookie holds the secret, the row only its hash."""

    __tablename__ = "staff_session"

    id: Mapped[Id]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]

    user: Mapped[User] = relationship(lazy="joined")


class AuditEntry(Base):
    """Append-only: what staff did, to what, when."""

    __tablename__ = "audit_entry"

    id: Mapped[Id]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id", ondelete="SET NULL"))
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    detail: Mapped[Json] = mapped_column(default=dict)
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
