"""What readers pay, over time: told from the changes of memberships and from the books. Currencies are never mixed.

Amounts are in a currency's smallest unit. A year counts as a twelfth of it a month; discounts count where they last.
How each figure is reckoned is said in docs/billing.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, and_, case, cast, func, literal, or_, select
from sqlalchemy.orm import aliased

from newsletter import clock
from newsletter.billing.changes import FINE
from newsletter.billing.models import ChangeKind, MembershipChange, Payment, PaymentKind
from newsletter.db import db
from newsletter.posts.models import Post
from newsletter.tiers.models import Cadence, Membership, MembershipKind, MembershipState, Tier

ENOUGH_LEAVERS = 5  # fewer tell nothing of how long readers stay
LOOKS_BACK = 6  # months, for how long readers stay
A_YEAR = 12

Change = MembershipChange
_JOINED = and_(Change.monthly_before == 0, Change.monthly_after > 0)
_WENT = and_(Change.monthly_before > 0, Change.monthly_after == 0)
_GREW = Change.monthly_after > Change.monthly_before


@dataclass(frozen=True)
class Month:
    first: date
    mrr: int  # at its end, or now
    members: int  # who pay, at its end
    joined: int
    went: int
    earlier_mrr: int  # at its beginning
    earlier_members: int
    lost: int  # of what was earned a month at its beginning
    counts: dict[ChangeKind, int] = field(default_factory=dict)

    @property
    def churn(self) -> float | None:
        """The part of those who paid at its beginning that does not at its end."""
        return self.went / self.earlier_members if self.earlier_members else None

    @property
    def lost_part(self) -> float | None:
        """The same of the money."""
        return self.lost / self.earlier_mrr if self.earlier_mrr else None


@dataclass(frozen=True)
class OfTier:
    tier: str
    members: int
    mrr: int
    trials: int


@dataclass(frozen=True)
class Now:
    mrr: int
    members: int
    trials: int
    trials_kept: float | None  # of those that are decided, the part that pays
    failing: int
    failing_amount: int
    recovered: float | None  # of payments that failed in a year, the part that came after all
    lifetime: int | None  # what a member pays until they leave
    tiers: list[OfTier]

    @property
    def arr(self) -> int:
        return self.mrr * A_YEAR


@dataclass(frozen=True)
class Taken:
    """One month of the books."""

    first: date
    gross: int
    tax: int
    fee: int
    refunded: int

    @property
    def net(self) -> int:
        return self.gross - self.tax - self.fee - self.refunded


@dataclass(frozen=True)
class Brought:
    """What a post brought: readers who chose a tier while they read it."""

    post_id: int
    title: str
    members: int
    mrr: int  # of those members, now
    once: int  # payments made once


def currencies() -> list[str]:
    """Those in which anything was ever paid, the one with most in it first."""
    of_changes = select(Change.currency.label("currency"), func.count().label("n")).group_by(Change.currency)
    of_books = select(Payment.currency, func.count()).group_by(Payment.currency)
    both = of_changes.union_all(of_books).subquery()
    query = select(both.c.currency).group_by(both.c.currency).order_by(func.sum(both.c.n).desc(), both.c.currency)
    return [currency for currency in db.session.scalars(query) if currency]


def now(currency: str, months: list[Month]) -> Now:
    tiers, worth = _by_tier(currency)
    failing = _failing(currency)
    return Now(
        mrr=_whole(worth),
        members=sum(each.members for each in tiers),
        trials=sum(each.trials for each in tiers),
        trials_kept=_trials_kept(currency),
        failing=failing[0],
        failing_amount=failing[1],
        recovered=_recovered(currency),
        lifetime=_lifetime(months),
        tiers=tiers,
    )


def by_month(currency: str, zone: ZoneInfo, tier_id: int | None = None) -> list[Month]:
    """From the first change to this month, without gaps."""
    month = _month(Change.at, zone)
    of_these = Change.currency == currency, *([Change.tier_id == tier_id] if tier_id else [])
    delta = Change.monthly_after - Change.monthly_before
    sums = {
        row.month: row
        for row in db.session.execute(
            select(
                month.label("month"),
                func.sum(delta).label("delta"),
                func.count().filter(_JOINED).label("joined"),
                func.count().filter(_WENT).label("went"),
                func.coalesce(func.sum(-delta).filter(~_GREW), 0).label("lost"),
            )
            .where(*of_these)
            .group_by(month)
        )
    }
    counts: dict[date, dict[ChangeKind, int]] = {}
    kinds = select(month, Change.kind, func.count()).where(*of_these).group_by(month, Change.kind)
    for first, kind, number in db.session.execute(kinds):
        counts.setdefault(first, {})[kind] = number
    made, worth, members = [], 0, 0
    for first in _months(min(sums), _today(zone)) if sums else ():
        row, earlier = sums.get(first), (worth, members)
        if row:
            worth, members = worth + int(row.delta), members + row.joined - row.went
        made.append(
            Month(
                first=first,
                mrr=_whole(worth),
                members=members,
                joined=row.joined if row else 0,
                went=row.went if row else 0,
                earlier_mrr=_whole(earlier[0]),
                earlier_members=earlier[1],
                lost=_whole(int(row.lost)) if row else 0,
                counts=counts.get(first, {}),
            )
        )
    return made


def books(currency: str, zone: ZoneInfo) -> list[Taken]:
    """Month by month, the newest first. A fee in another currency is the provider's matter and not taken off."""
    month = _month(Payment.at, zone)
    fee = case((Payment.fee_currency == currency, func.coalesce(Payment.fee, 0)), else_=0)
    query = (
        select(month, *(func.sum(each) for each in (Payment.amount, Payment.tax, fee, Payment.refunded)))
        .where(Payment.currency == currency)
        .group_by(month)
        .order_by(month.desc())
    )
    return [Taken(row[0], *(int(each) for each in row[1:])) for row in db.session.execute(query)]


def brought(currency: str, limit: int = 50) -> list[Brought]:
    """By post, the one that brought most first."""
    members = (
        select(Membership.post_id, func.count().label("members"), func.sum(_worth()).label("worth"))
        .where(Membership.kind == MembershipKind.PAID, Membership.currency == currency, Membership.post_id.is_not(None))
        .group_by(Membership.post_id)
        .subquery()
    )
    once = (
        select(Payment.post_id, func.sum(Payment.amount - Payment.refunded).label("once"))
        .where(Payment.currency == currency, Payment.kind.in_((PaymentKind.SUPPORT, PaymentKind.GIFT)))
        .where(Payment.post_id.is_not(None))
        .group_by(Payment.post_id)
        .subquery()
    )
    query = (
        select(Post.id, Post.title, members.c.members, members.c.worth, once.c.once)
        .outerjoin(members, members.c.post_id == Post.id)
        .outerjoin(once, once.c.post_id == Post.id)
        .where(or_(members.c.members.is_not(None), once.c.once.is_not(None)))
        .order_by(func.coalesce(members.c.worth, 0).desc(), func.coalesce(once.c.once, 0).desc(), Post.id)
    )
    return [
        Brought(row[0], row[1], row[2] or 0, _whole(int(row[3] or 0)), int(row[4] or 0))
        for row in db.session.execute(query.limit(limit))
    ]


def reasons(limit: int = 30) -> list[tuple[datetime, str, str]]:
    """What readers said when they cancelled: when, which tier, and why. The newest first."""
    query = (
        select(Change.at, Tier.name, Change.reason)
        .join(Tier, Tier.id == Change.tier_id)
        .where(Change.kind == ChangeKind.CANCELLED, Change.reason.not_in(_NO_REASONS))
        .order_by(Change.id.desc())
    )
    return [(row[0], row[1], row[2]) for row in db.session.execute(query.limit(limit))]


_NO_REASONS = ("", "cancellation_requested", "payment_failed", "payment_disputed", "erased")


def _by_tier(currency: str) -> tuple[list[OfTier], int]:
    """And what all of them are worth a month, in thousandths."""
    is_trial = Membership.state == MembershipState.TRIALING
    query = (
        select(
            Tier.name,
            func.count().filter(_worth() > 0),
            func.coalesce(func.sum(_worth()), 0),
            func.count().filter(is_trial),
        )
        .join(Membership, Membership.tier_id == Tier.id)
        .where(Membership.kind == MembershipKind.PAID, Membership.currency == currency)
        .group_by(Tier.id, Tier.name, Tier.position)
        .order_by(Tier.position, Tier.id)
    )
    rows = db.session.execute(query).all()
    return [OfTier(row[0], row[1], _whole(int(row[2])), row[3]) for row in rows], sum(int(row[2]) for row in rows)


def _worth() -> ColumnElement[int]:
    """What a membership is worth a month, in thousandths: changes.Snapshot.monthly in SQL."""
    is_in_trial = Membership.paid_until == Membership.trial_ends_at
    pays = or_(
        Membership.state.in_((MembershipState.ACTIVE, MembershipState.PAST_DUE)),
        and_(Membership.state == MembershipState.CANCELLED, func.coalesce(~is_in_trial, True)),
    )
    months = case((Membership.cadence == Cadence.YEAR, A_YEAR), else_=1)
    return case((pays, func.coalesce(Membership.amount, 0) * FINE // months), else_=0)


def _trials_kept(currency: str) -> float | None:
    later = aliased(Change)

    def followed(*kinds: ChangeKind) -> ColumnElement[bool]:
        return (
            select(literal(1))
            .where(later.membership_id == Change.membership_id, later.id > Change.id, later.kind.in_(kinds))
            .exists()
        )

    trials = select(followed(ChangeKind.NEW).label("kept"), followed(ChangeKind.ENDED).label("ended")).where(
        Change.kind == ChangeKind.TRIAL, Change.currency == currency, Change.membership_id.is_not(None)
    )
    each = trials.subquery()
    query = select(func.count().filter(each.c.kept), func.count().filter(or_(each.c.kept, each.c.ended)))
    kept, decided = db.session.execute(query.select_from(each)).one()
    return kept / decided if decided else None


def _failing(currency: str) -> tuple[int, int]:
    query = select(func.count(), func.coalesce(func.sum(Membership.amount), 0)).where(
        Membership.kind == MembershipKind.PAID,
        Membership.currency == currency,
        Membership.state.in_((MembershipState.PAST_DUE, MembershipState.UNPAID)),
    )
    number, amount = db.session.execute(query).one()
    return number, int(amount or 0)


def _recovered(currency: str) -> float | None:
    since = func.now() - func.make_interval(1)
    query = select(
        func.count().filter(Change.kind == ChangeKind.RECOVERED), func.count().filter(Change.kind == ChangeKind.FAILING)
    ).where(Change.currency == currency, Change.at > since)
    recovered, failed = db.session.execute(query).one()
    return min(recovered / failed, 1.0) if failed else None


def _lifetime(months: list[Month]) -> int | None:
    """What a member pays a month, for as long as members stay: no figure where too few have left to tell."""
    full = months[:-1][-LOOKS_BACK:]
    went = sum(month.went for month in full)
    stayed = sum(month.earlier_members for month in full)
    if went < ENOUGH_LEAVERS or not stayed or not months[-1].members:
        return None
    return round(months[-1].mrr / months[-1].members / (went / stayed))


def _month(moment: ColumnElement[datetime] | object, zone: ZoneInfo) -> ColumnElement[date]:
    """The first day of its month, where the publication lives."""
    return cast(func.date_trunc("month", func.timezone(zone.key, moment)), Date)


def _months(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _today(zone: ZoneInfo) -> date:
    return clock.now().astimezone(zone).date()


def _whole(thousandths: int) -> int:
    return round(thousandths / FINE)
