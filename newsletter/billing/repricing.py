"""A new price for those who pay an earlier one: each is told of it, with the day, a month before it is charged.

What was told is a promise: nobody pays the new price earlier than that, or another one.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from newsletter import clock
from newsletter.billing import counterparts, keeping, promises, telling
from newsletter.billing.apart import apart
from newsletter.billing.models import Account, Repriced, Repricing
from newsletter.billing.stripe import Stripe
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.publication.models import Publication
from newsletter.publication.settings import BadSetting
from newsletter.subscribers.models import Notice, NoticeKind, NoticeState
from newsletter.tiers import money
from newsletter.tiers.models import Cadence, Membership, MembershipState, Price, Tier

NOTICE = timedelta(days=30)  # from the letter to the first payment of it, at least …
NOT_EARLIER = timedelta(days=45)  # … and no more: what is told a year before is forgotten
FURTHEST = timedelta(days=366)
AHEAD = timedelta(days=3)  # the provider is told that long before the payment, in case we stand still for a day
A_DAY = promises.A_DAY


class CannotReprice(NewsletterError):
    status = 409


@dataclass(frozen=True)
class Standing:
    """One price of a tier, and those who pay an earlier one."""

    price: Price
    payers: int  # of an earlier price
    running: Repricing | None
    told: int
    applied: int
    unreached: int  # the letter could not be sent: they go on paying what they pay


def standings(account: Account, tier: Tier) -> list[Standing]:
    """Of every price of the tier that somebody pays less or more than, or has paid."""
    found = []
    for price in tier.prices:
        payers = (
            db.session.scalar(select(func.count()).select_from(promises.payers_of_another(account, price).subquery()))
            or 0
        )
        running = running_for(account, price)
        told, applied, unreached = _counted(running) if running else (0, 0, 0)
        if payers or running:
            found.append(Standing(price, payers, running, told, applied, unreached))
    return found


def announce(account: Account, price: Price, day: date) -> Repricing:
    """From their first payment on that day or later they pay this. The letters go out with the next round.

    Raises CannotReprice.
    """
    zone = Publication.current().zone
    starts_at = datetime.combine(day, time(0), zone)
    if price.replaced_at or price.tier.is_minimum:
        raise CannotReprice("This price is not one that readers can be moved to.")
    if not earliest() <= day <= (clock.now() + FURTHEST).astimezone(zone).date():
        raise CannotReprice(f"Choose a day from {earliest().isoformat()} on, within a year.")
    if running_for(account, price):
        raise CannotReprice("Its payers are being told already.")
    if not db.session.scalar(promises.payers_of_another(account, price).limit(1)):
        raise CannotReprice("Nobody pays an earlier price of it.")
    made = Repricing(price=price, starts_at=starts_at)
    db.session.add(made)
    db.session.flush()
    return made


def earliest() -> date:
    """The first day that can be announced, where the publication lives."""
    return (clock.now() + NOTICE).astimezone(Publication.current().zone).date() + A_DAY


def call_off(account: Account, repricing: Repricing) -> None:
    """Whoever was told and has not been charged hears that the price stays. Safe to say twice."""
    db.session.refresh(repricing, with_for_update=True)
    if repricing.called_off_at:
        return
    repricing.called_off_at = clock.now()
    waiting = select(Repriced).where(
        Repriced.repricing_id == repricing.id,
        Repriced.applied_at.is_(None),
        Repriced.notice_id.in_(promises.letters_that_may_be_read()),
    )
    for told in db.session.scalars(waiting).all():
        membership = db.session.get(Membership, told.membership_id)
        if membership and promises.is_about(account, repricing.price, membership):
            _tell(membership, repricing.price, told, is_off=True)


def carry_out(account: Account, stripe: Stripe) -> None:
    """Tell those who have not been told, and have charged whose day has come. Commits after each."""
    for repricing in db.session.scalars(select(Repricing).where(Repricing.called_off_at.is_(None))).all():
        if repricing.price.replaced_at is None:
            _tell_who_is_not_told(account, repricing)
            _apply_where_due(account, stripe, repricing)


def running_for(account: Account, price: Price) -> Repricing | None:
    """One that was announced, was not called off, and has somebody left to whom it is to come."""
    query = select(Repricing).where(Repricing.price_id == price.id, Repricing.called_off_at.is_(None))
    found = db.session.scalar(query.order_by(Repricing.id.desc()).limit(1))
    return found if found and db.session.scalar(promises.payers_of_another(account, price).limit(1)) else None


def refuse_another_price(account: Account, tier: Tier) -> None:
    """What readers were told is a promise: as long as it is not kept, the price stands. Raises BadSetting."""
    promised = (
        select(Price)
        .join(Repricing, Repricing.price_id == Price.id)
        .where(Price.tier_id == tier.id, Price.replaced_at.is_not(None), Repricing.called_off_at.is_(None))
    )
    for price in db.session.scalars(promised).all():
        if running_for(account, price):
            raise BadSetting(
                "prices",
                f"Readers were told that they will pay {_written(price.amount, price.currency)} a {price.cadence}. "
                "Call that off first, or wait until all of them do.",
            )


def _tell_who_is_not_told(account: Account, repricing: Repricing) -> None:
    _forget_letters_of_no_use(repricing)
    cadence = repricing.price.cadence
    told = select(Repriced.membership_id).where(Repriced.repricing_id == repricing.id)
    waiting = promises.payers_of_another(account, repricing.price).where(Membership.id.not_in(told))
    earliest = max(repricing.starts_at, clock.now() + NOTICE)
    for membership_id, paid_until in db.session.execute(
        waiting.with_only_columns(Membership.id, Membership.paid_until)
    ).all():
        due_at = _first_payment(paid_until, cadence, earliest)
        if due_at > clock.now() + NOT_EARLIER:
            continue
        membership = db.session.get(Membership, membership_id)
        if membership and _is_on(repricing):
            _promise(repricing, membership, due_at)
        db.session.commit()


def _promise(repricing: Repricing, membership: Membership, due_at: datetime) -> None:
    """Nothing is promised, or charged, to whom nothing can be written."""
    made = db.session.scalars(
        insert(Repriced)
        .values(
            repricing_id=repricing.id,
            membership_id=membership.id,
            amount=promises.amount(membership, repricing.price),
            due_at=due_at,
        )
        .on_conflict_do_nothing()  # another round was quicker
        .returning(Repriced)
    ).one_or_none()
    if made is None:
        return
    letter = _tell(membership, repricing.price, made, is_off=False)
    if letter:
        made.notice_id = letter.id
    else:
        db.session.delete(made)


def _forget_letters_of_no_use(repricing: Repricing) -> None:
    """Whoever was not reached for days, because the mail server was away, is told once more, with a new day; and so is
    whoever was told of a payment that is over, and does not pay again before it would be forgotten."""
    never_left = Repriced.notice_id.in_(select(Notice.id).where(Notice.state == NoticeState.EXPIRED))
    pays_much_later = Repriced.membership_id.in_(
        select(Membership.id).where(Membership.paid_until > clock.now() + NOT_EARLIER)
    )
    is_over = (Repriced.due_at < clock.now()) & pays_much_later
    db.session.execute(
        delete(Repriced).where(
            Repriced.repricing_id == repricing.id, Repriced.applied_at.is_(None), never_left | is_over
        )
    )
    db.session.commit()


def _is_on(repricing: Repricing) -> bool:
    """It cannot be called off until the commit."""
    db.session.refresh(repricing, with_for_update={"read": True})
    return repricing.called_off_at is None


def _apply_where_due(account: Account, stripe: Stripe, repricing: Repricing) -> None:
    """The payment comes within days, and is not one before that of which they were told."""
    query = (
        select(Membership.id)
        .join(Repriced, Repriced.membership_id == Membership.id)
        .where(
            Repriced.repricing_id == repricing.id,
            Repriced.applied_at.is_(None),
            Repriced.notice_id.in_(promises.letters_that_may_be_read()),
            Membership.paid_until <= clock.now() + AHEAD,
            Membership.paid_until > Repriced.due_at - A_DAY,
            Membership.state.in_(promises.CHARGED_AGAIN),
            Membership.state != MembershipState.PAST_DUE,
        )
    )
    due = db.session.scalars(query).all()
    new = ""
    with apart("a new price", repricing.price_id):
        new = counterparts.of_price(account, stripe, repricing.price) if due else ""
    db.session.commit()  # it is known here before anybody pays it there
    for membership_id in due if new else ():
        with apart("another price", membership_id):
            _apply(account, stripe, repricing, membership_id, new)
        db.session.commit()


def _apply(account: Account, stripe: Stripe, repricing: Repricing, membership_id: int, new: str) -> None:
    membership = db.session.get(Membership, membership_id)
    known = keeping.refresh(account, stripe, membership.reference or "") if membership else None
    if known is None or known.paid_until is None or not _is_on(repricing):
        return
    told = db.session.get(Repriced, (repricing.id, membership_id), with_for_update=True, populate_existing=True)
    if told is None or told.applied_at or not promises.is_about(account, repricing.price, known):
        return
    if not told.due_at - A_DAY < known.paid_until <= clock.now() + AHEAD:
        return  # it was paid meanwhile, or was put off
    if not promises.has_been_told(told, NOTICE - A_DAY, known.paid_until):
        return  # the letter has not left, or not in time for this payment
    there = stripe.subscription(known.reference or "")
    item = {"id": there.item, "price": new, "quantity": there.quantity}
    changed = stripe.change(there.reference, {"items": [item], "proration_behavior": "none"})
    keeping.keep(account, stripe, changed, is_told=True)  # and with it the promise


def _counted(repricing: Repricing) -> tuple[int, int, int]:
    """How many were told, how many of them pay it by now, and how many could not be told."""
    is_told = Repriced.applied_at.is_not(None) | Repriced.notice_id.in_(promises.letters_that_may_be_read())
    counted = (
        select(
            func.count().filter(is_told),
            func.count(Repriced.applied_at),
            func.count().filter(func.coalesce(is_told, False).is_(False)),
        )
        .select_from(Repriced)
        .where(Repriced.repricing_id == repricing.id)
    )
    told, applied, unreached = db.session.execute(counted).one()
    return told, applied, unreached


def _first_payment(next_at: datetime | None, cadence: Cadence, earliest: datetime) -> datetime:
    """That comes no earlier; what is due next is `next_at`."""
    due = first = next_at or clock.now()
    months = 0
    while due < earliest:
        months += 12 if cadence is Cadence.YEAR else 1
        due = clock.months_later(first, months)
    return due


def _tell(membership: Membership, price: Price, told: Repriced, *, is_off: bool) -> Notice | None:
    values = {
        "tier": membership.tier.name,
        "amount": telling.price(membership),
        "new_amount": f"{_written(told.amount, price.currency)} a {price.cadence}",
        "date": telling.day(told.due_at),
        "is_off": is_off,
    }
    return telling.to_reader(membership, NoticeKind.PRICE_CHANGE, values)


def _written(amount: int, currency: str) -> str:
    return money.written(amount, currency, Publication.current().language)
