"""What the payment provider tells us, as plain values in our words. Only stripe.py knows its own."""

from dataclasses import dataclass, field
from datetime import date, datetime

from newsletter.tiers.life import Held
from newsletter.tiers.models import Cadence


@dataclass(frozen=True, kw_only=True)
class Subscribed:
    """A subscription there."""

    reference: str
    customer: str
    price: str
    product: str
    cadence: Cadence | None  # None: something else than a month or a year
    currency: str  # ISO 4217
    amount: int  # for each cadence, with quantity and lasting discounts
    full_amount: int  # the same without discounts
    quantity: int
    held: Held
    created_at: datetime
    notes: dict[str, str] = field(default_factory=dict)  # what we wrote on it ourselves (metadata)
    latest_invoice: str = ""
    item: str = ""  # the provider's name of the line that holds the price
    is_collection_paused: bool = False
    cancels_at_period_end: bool = False


@dataclass(frozen=True, kw_only=True)
class Paid:
    """An invoice that was paid, or a payment made once."""

    reference: str
    customer: str
    subscription: str  # empty: none
    at: datetime
    currency: str
    amount: int
    tax: int = 0
    number: str = ""
    charge: str = ""
    fee: int | None = None
    fee_currency: str = ""
    refunded: int = 0
    country: str = ""
    invoice_url: str = ""
    card: "Card | None" = None
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    brand: str
    last4: str
    expires: date  # the last day it is good


@dataclass(frozen=True, kw_only=True)
class Bought:
    """A visit to the checkout that ended."""

    reference: str
    mode: str  # subscription | payment | setup
    status: str  # complete | expired | open
    is_paid: bool
    customer: str
    email: str
    name: str
    subscription: str
    payment: str
    amount: int
    currency: str
    notes: dict[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True)
class Payer:
    """A customer there."""

    reference: str
    email: str
    name: str
    country: str
    is_deleted: bool
    card: Card | None
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bell:
    """An event: what happened to what. Everything else is asked for."""

    reference: str
    type: str
    about: str
    created_at: datetime
    hints: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """What changing a plan costs now, and from when on."""

    due_now: int  # below nothing: left over, for the payments to come
    currency: str
    next_amount: int
    next_at: datetime
