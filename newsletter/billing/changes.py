"""What became of a membership, as the author counts it and as the reader should know of it."""

from dataclasses import dataclass

from sqlalchemy import func

from newsletter.billing import telling
from newsletter.billing.models import ChangeKind, MembershipChange
from newsletter.db import db
from newsletter.tiers.models import Cadence, Membership, MembershipState

PAYING = frozenset({MembershipState.ACTIVE, MembershipState.PAST_DUE, MembershipState.CANCELLED})
FINE = 1000  # parts of the smallest unit: a twelfth of a year's price is told without loss


@dataclass(frozen=True)
class Snapshot:
    state: MembershipState
    tier_id: int
    tier: str
    cadence: Cadence | None
    currency: str
    amount: int
    had_trial: bool

    def is_like(self, other: "Snapshot") -> bool:
        """All but what it costs."""
        return (self.state, self.tier_id, self.cadence) == (other.state, other.tier_id, other.cadence)

    @property
    def monthly(self) -> int:
        """What it is worth a month now, in thousandths of the smallest unit."""
        if self.state not in PAYING or (self.state is MembershipState.CANCELLED and self.had_trial):
            return 0
        return self.amount * FINE // (12 if self.cadence is Cadence.YEAR else 1)


def snapshot(membership: Membership) -> Snapshot:
    return Snapshot(
        membership.state,
        membership.tier.id,
        membership.tier.name,
        membership.cadence,
        membership.currency or "",
        membership.amount or 0,
        bool(membership.trial_ends_at and membership.paid_until == membership.trial_ends_at),
    )


def record(membership: Membership, was: Snapshot | None, is_now: Snapshot, *, is_told: bool = False) -> None:
    """Write down each change, once, and owe the notices of it, unless its reader was told before.

    What all of them add up to is what memberships are worth now: whatever happens at once, the last change carries it.
    """
    happened = [] if is_told else kinds(was, is_now)
    before = was.monthly if was else 0
    is_taken_over = was is None and membership.is_imported  # begun elsewhere, when it began: news to nobody
    if not happened and before != is_now.monthly:
        happened = [ChangeKind.ADJUSTED]
    for kind in happened:
        db.session.add(
            MembershipChange(
                membership_id=membership.id,
                tier_id=is_now.tier_id,
                kind=kind,
                currency=is_now.currency,
                monthly_before=before,
                monthly_after=is_now.monthly if kind is happened[-1] else before,
                cadence=is_now.cadence,
                reason=membership.cancel_reason if kind in {ChangeKind.CANCELLED, ChangeKind.ENDED} else "",
                post_id=membership.post_id,
                at=membership.started_at if is_taken_over else func.now(),
            )
        )
        if not is_taken_over:
            telling.of_change(membership, kind, was.tier if was else "")
    db.session.flush()


def kinds(was: Snapshot | None, is_now: Snapshot) -> list[ChangeKind]:
    """None where nothing happened that anybody counts."""
    state = is_now.state
    if was is None:
        if state is MembershipState.ENDED:
            return []
        return [ChangeKind.TRIAL if state is MembershipState.TRIALING else ChangeKind.NEW]
    found = [_of_state(was.state, state)] if was.state is not state else []
    if (was.tier_id, was.cadence, was.amount) != (is_now.tier_id, is_now.cadence, is_now.amount):
        found.append(_of_plan(was, is_now))
    return [kind for kind in found if kind]


def _of_state(was: MembershipState, is_now: MembershipState) -> ChangeKind | None:
    match is_now:
        case MembershipState.ENDED:
            return ChangeKind.ENDED
        case MembershipState.CANCELLED:
            return ChangeKind.CANCELLED
        case MembershipState.PAUSED:
            return ChangeKind.PAUSED
        case MembershipState.PAST_DUE | MembershipState.UNPAID:
            return None if was in {MembershipState.PAST_DUE, MembershipState.UNPAID} else ChangeKind.FAILING
    return _of_going_on(was)


def _of_going_on(was: MembershipState) -> ChangeKind | None:
    match was:
        case MembershipState.TRIALING:
            return ChangeKind.NEW
        case MembershipState.PAST_DUE | MembershipState.UNPAID:
            return ChangeKind.RECOVERED
        case MembershipState.CANCELLED:
            return ChangeKind.KEPT
        case MembershipState.PAUSED:
            return ChangeKind.RESUMED
        case MembershipState.ENDED:
            return ChangeKind.RETURNED
    return None


def _of_plan(was: Snapshot, is_now: Snapshot) -> ChangeKind | None:
    def a_month(each: Snapshot) -> float:
        return each.amount / (12 if each.cadence is Cadence.YEAR else 1)

    if was.tier_id == is_now.tier_id and was.cadence is not is_now.cadence:
        # Whoever pays for a year at once pays less a month, and is worth more all the same.
        return ChangeKind.UPGRADED if is_now.cadence is Cadence.YEAR else ChangeKind.DOWNGRADED
    return ChangeKind.UPGRADED if a_month(is_now) >= a_month(was) else ChangeKind.DOWNGRADED
