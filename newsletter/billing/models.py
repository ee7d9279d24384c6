"""Money: the author's account at the payment provider, who pays there, what we were told, and what came of it."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from sqlalchemy import ForeignKey, Index, LargeBinary, PrimaryKeyConstraint, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from newsletter.db import Base, Id, Json, db
from newsletter.subscribers.models import Subscriber
from newsletter.tiers.models import Cadence, Price, Tier


class Account(Base):
    """The author's own account at the payment provider. One is connected at a time; earlier ones stay for the books."""

    __tablename__ = "billing_account"
    __table_args__ = (
        Index(
            "uq_billing_account_now", "publication_id", unique=True, postgresql_where=text("disconnected_at IS NULL")
        ),
    )

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    reference: Mapped[str]  # the provider's name of it
    name: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")  # ISO 3166
    is_live: Mapped[bool]  # False: a test account, in which no money moves
    sealed_key: Mapped[bytes] = mapped_column(LargeBinary)  # see newsletter/sealing.py
    sealed_hook_secret: Mapped[bytes] = mapped_column(LargeBinary)
    hook_reference: Mapped[str] = mapped_column(default="")  # of the webhook that we made there
    portal_reference: Mapped[str] = mapped_column(default="")  # of the settings of its page for cards and invoices
    connected_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disconnected_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")  # why it could not be asked the last time
    trouble_at: Mapped[datetime | None]

    @classmethod
    def connected(cls) -> Self | None:
        return db.session.scalar(select(cls).where(cls.disconnected_at.is_(None)).limit(1))


class TaxBehavior(StrEnum):
    """How prices are meant."""

    UNSPECIFIED = "unspecified"  # tax is no matter of ours
    INCLUSIVE = "inclusive"  # it is part of the price
    EXCLUSIVE = "exclusive"  # it comes on top


class Terms(Base):
    """What the author has decided about money, whatever account is connected."""

    __tablename__ = "billing_terms"

    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"), primary_key=True)
    grace_days: Mapped[int] = mapped_column(default=14, server_default="14")  # they read on after a payment failed
    tax_behavior: Mapped[TaxBehavior] = mapped_column(
        default=TaxBehavior.UNSPECIFIED, server_default=TaxBehavior.UNSPECIFIED.value
    )
    is_tax_automatic: Mapped[bool] = mapped_column(default=False, server_default="false")  # the provider reckons it
    supporter_minimum: Mapped[int | None]  # of a payment made once, to no tier; None: there is no such thing
    supporter_currency: Mapped[str] = mapped_column(default="EUR", server_default="EUR")
    has_gifts: Mapped[bool] = mapped_column(default=True, server_default="true")  # readers may give tiers away
    has_groups: Mapped[bool] = mapped_column(default=True, server_default="true")  # one pays for several
    retention_offer_id: Mapped[int | None] = mapped_column(ForeignKey("offer.id"))  # shown to who cancels
    win_back_offer_id: Mapped[int | None] = mapped_column(ForeignKey("offer.id"))  # mailed to who has left …
    win_back_days: Mapped[int] = mapped_column(default=30, server_default="30")  # … so many days ago
    is_author_told: Mapped[bool] = mapped_column(default=True, server_default="true")  # of each new or leaving payer
    paused_at: Mapped[datetime | None]  # nobody is charged
    pause_carried_out_at: Mapped[datetime | None]  # the provider has been told, for everybody


class CounterpartKind(StrEnum):
    TIER = "tier"  # a product there
    PRICE = "price"
    OFFER = "offer"  # a coupon there


class Counterpart(Base):
    """What one of our tiers, prices or offers is called in an account at the provider."""

    __tablename__ = "counterpart"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "kind", "our_id"),
        UniqueConstraint("account_id", "reference"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("billing_account.id"))
    kind: Mapped[CounterpartKind]
    our_id: Mapped[int]
    reference: Mapped[str]
    said: Mapped[str] = mapped_column(default="")  # a fingerprint of what it was told last; differs: tell it again


class AdoptedPrice(Base):
    """A price at the provider that was made elsewhere, by an earlier platform say: its payers hold a tier of ours."""

    __tablename__ = "adopted_price"
    __table_args__ = (PrimaryKeyConstraint("account_id", "reference"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("billing_account.id"))
    reference: Mapped[str]
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    name: Mapped[str]  # of its product there
    adopted_at: Mapped[datetime] = mapped_column(server_default=func.now())

    tier: Mapped[Tier] = relationship(lazy="joined")


class Customer(Base):
    """Who pays, as the provider knows them. Stays for the books when the reader is erased."""

    __tablename__ = "customer"
    __table_args__ = (UniqueConstraint("account_id", "reference"),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("billing_account.id"))
    reference: Mapped[str]
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id", ondelete="SET NULL"), index=True)
    card_brand: Mapped[str] = mapped_column(default="")
    card_last4: Mapped[str] = mapped_column(default="")
    card_expires: Mapped[date | None]  # the last day it is good
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    closing_since: Mapped[datetime | None]  # the reader is erased: nothing may be charged any more
    deleted_at: Mapped[datetime | None]  # at the provider

    subscriber: Mapped[Subscriber | None] = relationship()


class PaymentEvent(Base):
    """A bell that the provider rang: written down before anything is done about it, and done about once.

    What it says is not believed: whatever it is about is asked for anew, so that it does not matter in which order
    events come, how often, or whether one is lost.
    """

    __tablename__ = "payment_event"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "reference"),
        Index("ix_payment_event_due", "next_try_at", postgresql_where=text("taken_at IS NULL")),
        Index("ix_payment_event_received_at", "received_at"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("billing_account.id"))
    reference: Mapped[str]
    type: Mapped[str]
    about: Mapped[str]  # the name of the object
    hints: Mapped[Json] = mapped_column(default=dict)  # names of other objects that it belongs to
    created_at: Mapped[datetime]  # there
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    taken_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    trouble: Mapped[str] = mapped_column(default="")

    @classmethod
    def any_due(cls) -> bool:
        due = select(cls.reference).where(cls.taken_at.is_(None), cls.next_try_at <= func.now())
        return db.session.scalar(due.limit(1)) is not None


class PaymentKind(StrEnum):
    MEMBERSHIP = "membership"
    GIFT = "gift"
    SUPPORT = "support"  # once, to no tier
    OTHER = "other"


class Payment(Base):
    """Money that came in: the books. Amounts are in the currency's smallest unit."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("account_id", "reference"),
        Index("ix_payment_at", "at"),
        Index("ix_payment_subscriber_id", "subscriber_id"),
        Index("ix_payment_charge", "charge"),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("billing_account.id"))
    reference: Mapped[str]  # of the invoice, or of the payment where there is none
    charge: Mapped[str] = mapped_column(default="")
    number: Mapped[str] = mapped_column(default="")  # of the invoice, as people say it
    kind: Mapped[PaymentKind]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id", ondelete="SET NULL"))
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id", ondelete="SET NULL"))
    tier_id: Mapped[int | None] = mapped_column(ForeignKey("tier.id"))
    post_id: Mapped[int | None]
    at: Mapped[datetime]
    currency: Mapped[str]
    amount: Mapped[int]  # what was paid, tax included
    tax: Mapped[int] = mapped_column(default=0)
    fee: Mapped[int | None]  # of the provider, in `fee_currency`; None: not told yet
    fee_currency: Mapped[str] = mapped_column(default="")
    refunded: Mapped[int] = mapped_column(default=0, server_default="0")
    country: Mapped[str] = mapped_column(default="")  # of who paid, ISO 3166
    invoice_url: Mapped[str] = mapped_column(default="")
    disputed_at: Mapped[datetime | None]
    dispute: Mapped[str] = mapped_column(default="")  # how it stands: needs_response | won | lost …


class OfferKind(StrEnum):
    PERCENT = "percent"
    AMOUNT = "amount"
    TRIAL = "trial"  # days for nothing, in place of those of the tier


class OfferLasts(StrEnum):
    """For how many payments less is paid."""

    ONCE = "once"
    MONTHS = "months"
    FOREVER = "forever"


class Offer(Base):
    """A tier for less, by a link or a code."""

    __tablename__ = "offer"
    __table_args__ = (UniqueConstraint("publication_id", "code"),)

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    code: Mapped[str]  # as it is typed, in small letters
    name: Mapped[str]  # for the author, and on invoices
    kind: Mapped[OfferKind]
    percent: Mapped[int | None]
    amount: Mapped[int | None]  # off each payment, in the currency's smallest unit
    currency: Mapped[str] = mapped_column(default="")
    days: Mapped[int | None]  # of a trial
    lasts: Mapped[OfferLasts] = mapped_column(default=OfferLasts.ONCE)
    months: Mapped[int | None]  # for those that last so long
    tier_id: Mapped[int | None] = mapped_column(ForeignKey("tier.id"))  # None: any
    cadence: Mapped[Cadence | None]  # None: both
    most: Mapped[int | None]  # that can be taken; None: any number
    ends_at: Mapped[datetime | None]
    is_for_new: Mapped[bool] = mapped_column(default=True, server_default="true")  # not for who has paid before
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    archived_at: Mapped[datetime | None]

    tier: Mapped[Tier | None] = relationship(lazy="joined")

    @property
    def last_moment(self) -> datetime | None:
        """On the last day on which it is taken: its end is the midnight after."""
        return self.ends_at - timedelta(seconds=1) if self.ends_at else None

    @classmethod
    def any_exists(cls) -> bool:
        return db.session.scalar(select(cls.id).where(cls.archived_at.is_(None)).limit(1)) is not None

    @classmethod
    def by_code(cls, code: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.code == code.strip().lower()))


class Redemption(Base):
    """An offer that somebody takes: held for them while they are at the checkout, and theirs once they have paid."""

    __tablename__ = "redemption"
    __table_args__ = (Index("ix_redemption_offer_id", "offer_id"),)

    id: Mapped[Id]
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id", ondelete="SET NULL"), index=True)
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id", ondelete="SET NULL"))
    held_until: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Gift(Base):
    """A tier for some months, paid for once by somebody for somebody else. Nothing of it counts before it is paid."""

    __tablename__ = "gift"
    __table_args__ = (
        Index("ix_gift_deliver_for", "deliver_for", postgresql_where=text("paid_at IS NOT NULL")),
        Index("ix_gift_giver_id", "giver_id"),
    )

    id: Mapped[Id]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    months: Mapped[int]
    currency: Mapped[str]  # ISO 4217
    amount: Mapped[int]  # in the currency's smallest unit
    giver_name: Mapped[str]
    giver_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id", ondelete="SET NULL"))
    recipient_email: Mapped[str]  # empty: whoever has the link; forgotten once it is taken
    message: Mapped[str]
    deliver_for: Mapped[datetime]  # not mailed before
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    paid_at: Mapped[datetime | None]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"))
    mailed_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id", ondelete="SET NULL"))
    voided_at: Mapped[datetime | None]  # the money went back

    tier: Mapped[Tier] = relationship(lazy="joined")


class Seat(Base):
    """A place in a group that its payer keeps for somebody. The payer holds the first one without a row here."""

    __tablename__ = "seat"
    __table_args__ = (Index("ix_seat_group_id_id", "group_id", "id"),)

    id: Mapped[Id]
    group_id: Mapped[int] = mapped_column(ForeignKey("membership.id", ondelete="CASCADE"))  # what is paid for
    email: Mapped[str]  # as the payer typed it, to know which is whose; empty once nobody is to hold it
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id", ondelete="SET NULL"))  # who took it
    taken_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]  # free again


class Repricing(Base):
    """A price that those who pay an earlier one are to pay, from their first payment on or after a day."""

    __tablename__ = "repricing"

    id: Mapped[Id]
    price_id: Mapped[int] = mapped_column(ForeignKey("price.id"), index=True)
    starts_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    called_off_at: Mapped[datetime | None]

    price: Mapped[Price] = relationship()


class Repriced(Base):
    """A payer who was told of it: what will be charged, and not before when."""

    __tablename__ = "repriced"
    __table_args__ = (PrimaryKeyConstraint("repricing_id", "membership_id"),)

    repricing_id: Mapped[int] = mapped_column(ForeignKey("repricing.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id", ondelete="CASCADE"), index=True)
    amount: Mapped[int]  # each time, in the currency's smallest unit
    due_at: Mapped[datetime]
    told_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # The letter that told them.
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id", ondelete="SET NULL"), index=True)
    applied_at: Mapped[datetime | None]  # the provider charges it from the next payment on


class ChangeKind(StrEnum):
    """What became of a membership, as the author counts it."""

    TRIAL = "trial"
    NEW = "new"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    CANCELLED = "cancelled"  # will end
    KEPT = "kept"  # took a cancellation back
    FAILING = "failing"
    RECOVERED = "recovered"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    RETURNED = "returned"
    ADJUSTED = "adjusted"  # worth something else, by nothing that anybody did: a payment was given up, say


class MembershipChange(Base):
    """What changed in a paid membership, and what it was worth a month before and after. Append-only."""

    __tablename__ = "membership_change"
    __table_args__ = (
        Index("ix_membership_change_at", "at"),
        Index("ix_membership_change_membership_id_at", "membership_id", "at"),
    )

    id: Mapped[Id]
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id", ondelete="SET NULL"))
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    kind: Mapped[ChangeKind]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    currency: Mapped[str]
    monthly_before: Mapped[int]  # a twelfth of what a year costs, in thousandths of the smallest unit: nothing is lost
    monthly_after: Mapped[int]
    cadence: Mapped[Cadence | None]
    reason: Mapped[str] = mapped_column(default="")
    post_id: Mapped[int | None]


class Told(Base):
    """A notice about money that was owed on one occasion: never twice."""

    __tablename__ = "told"
    __table_args__ = (PrimaryKeyConstraint("about", "occasion"),)

    about: Mapped[str]  # "membership 7"
    occasion: Mapped[str]  # "trial ends 2026-12-01"
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Reconciliation(Base):
    """One comparison of all that we hold with all that the provider holds, and what it put right."""

    __tablename__ = "reconciliation"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("billing_account.id"))
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
    compared: Mapped[int] = mapped_column(default=0)
    differences: Mapped[list[Json]] = mapped_column(JSONB, default=list)  # {"about": …, "was": …, "is": …}
    elsewhere: Mapped[list[Json]] = mapped_column(JSONB, default=list, server_default="[]")  # see adopting.Elsewhere
    trouble: Mapped[str] = mapped_column(default="")
