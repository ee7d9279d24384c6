"""What payers were told of a new price: the promise that nobody pays it earlier than that, or another one."""

from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select

from newsletter import clock
from newsletter.billing import offers
from newsletter.billing.models import Account, AdoptedPrice, Counterpart, CounterpartKind, Customer, Repriced, Repricing
from newsletter.db import db
from newsletter.sending.models import Bounce, BounceKind
from newsletter.subscribers.models import Notice, NoticeKind, NoticeState
from newsletter.tiers.models import Membership, MembershipState, Price

A_DAY = timedelta(days=1)
CHARGED_AGAIN = (MembershipState.TRIALING, MembershipState.ACTIVE, MembershipState.PAUSED, MembershipState.PAST_DUE)
LEFT = (NoticeState.ACCEPTED, NoticeState.UNCONFIRMED)  # of a letter: its reader can have read it
MAY_BE_READ = (NoticeState.WAITING, NoticeState.SENDING, *LEFT)
NOT_READ = (BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCKED)  # it came back


def to_come(membership: Membership) -> tuple[int, datetime] | None:
    """What will be charged each time, with the seats of today, and from when on."""
    account = Account.connected()
    query = (
        select(Repriced, Price)
        .join(Repricing, Repricing.id == Repriced.repricing_id)
        .join(Price, Price.id == Repricing.price_id)
        .where(
            Repriced.membership_id == membership.id,
            Repriced.applied_at.is_(None),
            Repricing.called_off_at.is_(None),
            Price.replaced_at.is_(None),
            Repriced.notice_id.in_(letters_that_may_be_read()),
        )
    )
    found = db.session.execute(query.order_by(Repriced.due_at.desc()).limit(1)).one_or_none()
    if account is None or found is None or not is_about(account, found[1], membership):
        return None
    told, price = found
    return amount(membership, price), told.due_at


def applied_early(membership: Membership) -> datetime | None:
    """The day that was told, of a price that the provider has been told to charge from then on."""
    query = select(Repriced.due_at).where(
        Repriced.membership_id == membership.id, Repriced.applied_at.is_not(None), Repriced.due_at > clock.now()
    )
    return db.session.scalar(query.order_by(Repriced.due_at.desc()).limit(1))


def keep(account: Account, membership: Membership, price_reference: str) -> bool:
    """Whether the price that the provider holds now is one that its payer was told of. From now on it is kept."""
    query = (
        select(Repriced)
        .join(Repricing, Repricing.id == Repriced.repricing_id)
        .join(Counterpart, (Counterpart.kind == CounterpartKind.PRICE) & (Counterpart.our_id == Repricing.price_id))
        .where(
            Repriced.membership_id == membership.id,
            Repriced.applied_at.is_(None),
            Repricing.called_off_at.is_(None),
            Counterpart.account_id == account.id,
            Counterpart.reference == price_reference,
        )
    )
    told = db.session.scalars(query).all()
    for each in told:
        each.applied_at = clock.now()
    return bool(told)


def has_been_told(told: Repriced, least: timedelta, before: datetime) -> bool:
    """Whether the letter left so long before that moment, and did not come back."""
    query = select(Notice.id).where(
        Notice.id == told.notice_id,
        Notice.id.in_(letters_that_may_be_read()),
        Notice.state.in_(LEFT),
        Notice.ended_at <= before - least,
    )
    return db.session.scalar(query) is not None


def letters_that_may_be_read() -> Select[int]:
    """Those that left or still may, and did not come back."""
    came_back = select(Bounce.id).where(Bounce.notice_id == Notice.id, Bounce.kind.in_(NOT_READ))
    return select(Notice.id).where(
        Notice.kind == NoticeKind.PRICE_CHANGE, Notice.state.in_(MAY_BE_READ), ~came_back.exists()
    )


def is_about(account: Account, price: Price, membership: Membership) -> bool:
    return db.session.scalar(payers_of_another(account, price).where(Membership.id == membership.id)) is not None


def payers_of_another(account: Account, price: Price) -> Select[Membership]:
    """Memberships that pay another price than this one: an earlier one of ours, or one that was taken over."""
    ours = select(Counterpart.reference).where(
        Counterpart.account_id == account.id,
        Counterpart.kind == CounterpartKind.PRICE,
        Counterpart.our_id.in_(
            select(Price.id).where(
                Price.tier_id == price.tier_id,
                Price.cadence == price.cadence,
                Price.currency == price.currency,
                Price.id != price.id,
                Price.amount != price.amount,
            )
        ),
    )
    taken_over = select(AdoptedPrice.reference).where(
        AdoptedPrice.account_id == account.id, AdoptedPrice.tier_id == price.tier_id
    )
    costs_another = func.coalesce(Membership.full_amount, Membership.amount) != price.amount * Membership.seats
    return select(Membership).where(
        or_(Membership.price_reference.in_(ours), Membership.price_reference.in_(taken_over) & costs_another),
        Membership.tier_id == price.tier_id,
        Membership.cadence == price.cadence,
        Membership.currency == price.currency,
        Membership.state.in_(CHARGED_AGAIN),
        Membership.customer_id.in_(select(Customer.id).where(Customer.account_id == account.id)),
    )


def amount(membership: Membership, price: Price) -> int:
    """What they will pay each time, with their seats, and what is taken off for as long as they pay."""
    full, offer = price.amount * membership.seats, offers.lasting(membership)
    if offer:
        return offers.reduced(offer, full)
    if not membership.full_amount or membership.amount is None:
        return full
    # A discount made elsewhere may be so many percent or so much: what is told is never less than what is charged.
    return max(
        round(full * membership.amount / membership.full_amount), full - membership.full_amount + membership.amount
    )
