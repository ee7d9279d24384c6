"""What a reader holds, in words, and what can be done with it."""

from dataclasses import dataclass

from sqlalchemy import or_, select

from newsletter import clock
from newsletter.billing import plans, promises, telling, terms
from newsletter.billing.models import Account
from newsletter.config import settings
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import money
from newsletter.tiers.models import Membership, MembershipKind, MembershipState


@dataclass(frozen=True)
class Holding:
    membership: Membership
    sentence: str
    can_be_cancelled: bool = False
    can_be_taken_back: bool = False
    can_be_switched: bool = False
    can_be_paused: bool = False
    can_go_on: bool = False
    has_seats: bool = False  # that can be offered to others
    can_be_given_back: bool = False  # to whoever pays for it
    has_card: bool = False  # at the provider, with invoices
    is_failing: bool = False


def holdings(reader: Subscriber) -> list[Holding]:
    """What runs now, and paid ones that are not over: newest first."""
    query = select(Membership).where(
        Membership.subscriber_id == reader.id,
        or_(Membership.is_current(), Membership.kind == MembershipKind.PAID),
    )
    found = db.session.scalars(query.order_by(Membership.started_at.desc(), Membership.id.desc())).unique().all()
    return [_holding(each) for each in found if not _is_over(each)]


def _is_over(membership: Membership) -> bool:
    return membership.state is MembershipState.ENDED and _has_ended(membership)


def _has_ended(membership: Membership) -> bool:
    return membership.ends_at is not None and membership.ends_at <= clock.now()


def _holding(membership: Membership) -> Holding:
    if membership.kind is not MembershipKind.PAID:
        is_seat = membership.kind is MembershipKind.SEAT
        return Holding(membership, _seat(membership) if is_seat else _given(membership), can_be_given_back=is_seat)
    state = membership.state
    account = Account.connected()
    if settings().billing == "off" or account is None or state is MembershipState.ENDED:
        return Holding(membership, _paid(membership))
    return Holding(
        membership,
        _paid(membership),
        can_be_cancelled=state is not MembershipState.CANCELLED,
        can_be_taken_back=state is MembershipState.CANCELLED,
        can_be_switched=bool(plans.choices(membership)),
        can_be_paused=state is MembershipState.ACTIVE,
        can_go_on=state is MembershipState.PAUSED,
        has_seats=membership.seats > 1
        or (state is MembershipState.ACTIVE and terms.of(account.publication_id).has_groups),
        has_card=True,
        is_failing=state in plans.FAILING,
    )


def _given(membership: Membership) -> str:
    until = telling.day(membership.ends_at)
    given = "A gift" if membership.kind is MembershipKind.GIFT else "Given to you by the publication"
    return f"{given}, until {until}." if until else f"{given}."


def _seat(membership: Membership) -> str:
    group = db.session.get(Membership, membership.group_id) if membership.group_id else None
    if group and group.state in plans.GOING_ON:
        return "A seat that somebody else pays for. It is yours for as long as they do."
    return f"A seat that somebody else paid for, until {telling.day(membership.ends_at)}."


def _paid(membership: Membership) -> str:
    price, until = telling.price(membership), telling.day(membership.ends_at)
    match membership.state:
        case MembershipState.TRIALING:
            then = telling.next_price(membership)
            return f"You try it for nothing until {telling.day(membership.trial_ends_at)}. Then {then} is charged."
        case MembershipState.CANCELLED:
            return f"Cancelled. You read on until {until}, and nothing more is charged."
        case MembershipState.PAUSED:
            again, then = telling.day(membership.paused_until), telling.next_price(membership)
            return f"Paused. What is paid runs until {until}; the next payment, {then}, is due on {again}."
        case MembershipState.PAST_DUE | MembershipState.UNPAID if _has_ended(membership):
            return f"The last payment of {price} did not go through. What you paid for ended on {until}."
        case MembershipState.PAST_DUE:
            return f"The last payment of {price} did not go through. It is tried again; you read on until {until}."
        case MembershipState.UNPAID:
            return f"The last payment of {price} did not go through, and it is not tried again by itself."
        case MembershipState.ENDED:
            return f"Ended. You read on until {until}."
    return f"{price}. The next payment is due on {telling.day(membership.paid_until)}.{_price_to_come(membership)}"


def _price_to_come(membership: Membership) -> str:
    to_come = promises.to_come(membership)
    if to_come is None or not membership.currency:
        return ""
    amount, due_at = to_come
    written = money.written(amount, membership.currency, Publication.current().language)
    return f" From {telling.day(due_at)} on it is {written} a {membership.cadence}."
