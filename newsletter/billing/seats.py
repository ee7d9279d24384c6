"""Groups: one pays for several. The payer holds the first seat, and offers the others by mail.

A seat lasts as long as what is paid for it: it takes its tier and its end from the payer's membership.
"""

from datetime import timedelta

from sqlalchemy import func, select

from newsletter import clock, links
from newsletter.billing import checkout, customers, telling
from newsletter.billing.models import Seat
from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.jobs import Job, enqueue
from newsletter.links import Purpose
from newsletter.publication.models import Newsletter
from newsletter.subscribers import addresses, notices
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.models import NoticeKind, Subscriber
from newsletter.tiers.models import Membership, MembershipKind, MembershipState, Tier

FEWEST, MOST = 2, 500  # of one group, with its payer
SPARE_OFFERS = (
    5  # more than there are seats, that can be mailed in a day: whoever pays for two seats is no mailing list
)
ONE_LETTER_IN = timedelta(days=7)  # to each address, whoever offers
LASTS = timedelta(days=3)  # of a letter whose mail server does not take it


class BadSeat(NewsletterError):
    status = 422


class NoneFree(NewsletterError):
    status = 409

    def __init__(self) -> None:
        super().__init__("All seats are given. Take one back, or pay for more.")


class TooMany(NewsletterError):
    status = 429

    def __init__(self) -> None:
        super().__init__("Many seats were offered today. Go on tomorrow: nothing is lost.")


class NoSuchSeat(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no seat at this address any more. Ask whoever offered it to you.")


class NotForYou(NewsletterError):
    status = 409


def of(group: Membership) -> list[Seat]:
    """Those that are offered or taken, oldest first."""
    held = select(Seat).where(Seat.group_id == group.id, Seat.withdrawn_at.is_(None))
    return list(db.session.scalars(held.order_by(Seat.id)))


def free(group: Membership) -> int:
    """How many can be offered."""
    return max(group.seats - 1 - len(of(group)), 0)


def offer(group: Membership, address: Address) -> Seat:
    """Keep a seat for somebody, and mail them the link to it. Raises BadSeat, NoneFree, TooMany."""
    _one_at_a_time(group)
    payer = db.session.get_one(Subscriber, group.subscriber_id)
    if not _runs(group):
        raise BadSeat("What is paid has ended: pay first, and then offer seats.")
    if group.state is not MembershipState.ACTIVE:
        raise BadSeat("Seats can be offered while what is paid goes on. Go on with it first.")
    if address.key == payer.email_key:
        raise BadSeat("You hold the first seat already.")
    if address.key in {addresses.key(seat.email) for seat in of(group) if seat.email}:
        raise BadSeat("A seat is kept for this address already.")
    if not free(group):
        raise NoneFree
    today = select(func.count(Seat.id)).where(
        Seat.group_id == group.id, Seat.created_at > clock.now() - timedelta(days=1)
    )
    if (db.session.scalar(today) or 0) >= group.seats + SPARE_OFFERS:
        raise TooMany
    if notices.latest_of(address.key, (NoticeKind.SEAT,), clock.now() - ONE_LETTER_IN):
        raise BadSeat("This address had such a letter within a week. Ask them to look for it, or offer it later.")
    seat = Seat(group_id=group.id, email=address.email, created_at=clock.now())
    db.session.add(seat)
    db.session.flush()
    _mail(seat, payer, group.tier)
    return seat


def take_back(group: Membership, seat: Seat) -> None:
    """It is free again; whoever holds it is told that it ended. Safe to say twice."""
    _one_at_a_time(group)
    seat = _fresh(seat.id)
    if seat.withdrawn_at is None:
        _withdraw([seat])


def give_back(membership: Membership) -> None:
    """By who holds it. Safe to say twice."""
    group = db.session.get(Membership, membership.group_id) if membership.group_id else None
    if group is None:
        return
    _one_at_a_time(group)  # first, as everywhere: group, seat, membership
    held = select(Seat).where(Seat.membership_id == membership.id, Seat.withdrawn_at.is_(None))
    _withdraw(list(db.session.scalars(held)))


def by_link(token: str) -> tuple[Seat, Membership]:
    """With what is paid for it. Changes nothing. Raises BadLink, NoSuchSeat."""
    (seat_id,) = links.read(Purpose.SEAT, token)
    seat = db.session.get(Seat, seat_id)
    group = db.session.get(Membership, seat.group_id) if seat else None
    if seat is None or group is None or seat.withdrawn_at or not _runs(group):
        raise NoSuchSeat
    return seat, group


def take(token: str, reader: Subscriber | Address) -> Membership | None:
    """It is theirs. None: it was taken before. Raises NoSuchSeat, NotForYou."""
    seat, group = by_link(token)
    _one_at_a_time(group)
    seat = _fresh(seat.id)
    if seat.withdrawn_at or not _runs(group):
        raise NoSuchSeat
    if seat.taken_at:
        return None
    if isinstance(reader, Address) and reader.key != addresses.key(seat.email):
        raise NotForYou("This seat is kept for another address. Sign in with yours, and open the link once more.")
    publication_id = db.session.get_one(Subscriber, group.subscriber_id).publication_id
    taker = customers.reader_with(reader, publication_id, "group") if isinstance(reader, Address) else reader
    if taker is None or taker.email is None:
        raise NoSuchSeat
    _refuse_who_needs_none(taker, group)
    membership = Membership(
        subscriber_id=taker.id,
        tier=group.tier,
        kind=MembershipKind.SEAT,
        state=MembershipState.ACTIVE,
        started_at=clock.now(),
        ends_at=group.ends_at,
        group_id=group.id,
    )
    db.session.add(membership)
    db.session.flush()
    seat.taken_at, seat.membership_id = clock.now(), membership.id
    notices.take_back(NoticeKind.SEAT, "seat", seat.id)
    customers.ask_to_confirm(taker)
    telling.to_reader(membership, NoticeKind.MEMBER_WELCOME)
    return membership


def follow(group: Membership) -> None:
    """Seats last as long as what is paid for them. Where there are fewer now, the newest are the first to go."""
    kept = of(group)
    _withdraw(kept[max(group.seats - 1, 0) :])
    if group.state is MembershipState.ENDED:
        _withdraw([seat for seat in kept if not seat.taken_at])  # no address is kept for what nobody can take
    for membership in _taken(group):
        before, membership.tier = membership.tier, group.tier
        membership.ends_at = group.ends_at
        if _runs(group):
            membership.state, membership.ended_at = MembershipState.ACTIVE, None
        if _runs(group) and before.id != group.tier.id:
            telling.of_seat(membership, before.name)
    if kept and not _runs(group):
        enqueue(Job.KEEP_MEMBERSHIPS)  # which tells them


def url(seat: Seat) -> str:
    return f"{settings().site_url}/seats/{links.sign(Purpose.SEAT, seat.id)}"


def _taken(group: Membership) -> list[Membership]:
    query = (
        select(Membership)
        .join(Seat, Seat.membership_id == Membership.id)
        .where(Seat.group_id == group.id, Seat.withdrawn_at.is_(None))
    )
    return list(db.session.scalars(query.order_by(Membership.id).with_for_update(of=Membership)).unique())


def _withdraw(seats: list[Seat]) -> None:
    for seat in seats:
        membership = db.session.get(Membership, seat.membership_id) if seat.membership_id else None
        seat.withdrawn_at, seat.email = seat.withdrawn_at or clock.now(), ""
        notices.take_back(NoticeKind.SEAT, "seat", seat.id)
        if membership and (membership.ends_at is None or membership.ends_at > clock.now()):
            membership.ends_at = clock.now()
            enqueue(Job.KEEP_MEMBERSHIPS)
    db.session.flush()


def _refuse_who_needs_none(taker: Subscriber, group: Membership) -> None:
    """Raises NotForYou."""
    if checkout.running(taker.id):
        raise NotForYou(
            "You pay for a tier yourself. Cancel that in your account first, and take the seat when it has ended: "
            "it stays yours until then."
        )
    holds = select(Membership.id).where(
        Membership.group_id == group.id, Membership.subscriber_id == taker.id, Membership.ends_at > clock.now()
    )
    if db.session.scalar(holds.limit(1)):
        raise NotForYou("You hold a seat of this group already. Leave this one to somebody else.")


def _runs(group: Membership) -> bool:
    return group.kind is MembershipKind.PAID and (group.ends_at is None or group.ends_at > clock.now())


def _one_at_a_time(group: Membership) -> None:
    """Of two who take or offer the last seat at once, one gets it; of how many there are, the newest word counts."""
    query = select(Membership).where(Membership.id == group.id).with_for_update(of=Membership)
    if db.session.scalar(query.execution_options(populate_existing=True)) is None:
        raise NoSuchSeat  # its payer is erased


def _fresh(seat_id: int) -> Seat:
    """As it is now; whoever calls holds the lock of its group. Raises NoSuchSeat."""
    found = db.session.scalar(select(Seat).where(Seat.id == seat_id).execution_options(populate_existing=True))
    if found is None:
        raise NoSuchSeat
    return found


def _mail(seat: Seat, payer: Subscriber, tier: Tier) -> None:
    """In the payer's proved address: a name could say anything, and this goes to who has not asked for mail."""
    newsletters = Newsletter.open()
    if newsletters:
        notices.owe(
            NoticeKind.SEAT,
            address=seat.email,
            newsletter=newsletters[0],
            values={"payer": payer.email or "", "tier": tier.name, "seat_url": url(seat), "seat": seat.id},
            lasts=LASTS,
        )
