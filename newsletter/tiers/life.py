"""The life of a paid membership: its state follows from what the payment provider holds, and so does its end.

Pure, and complete: whoever knows what the provider holds knows the membership. Events may come in any order, twice or
never; the picture of the states is in docs/billing.md.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from newsletter.tiers.models import Membership, MembershipState

# A renewal is booked within hours of its moment, and asked about every night: who pays is not locked out for our delay,
# and who does not is not let in for ever when nothing is heard any more.
SLACK: Final = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class Held:
    """A subscription as the provider holds it, in our words. `status` is the provider's own word."""

    status: str  # incomplete | incomplete_expired | trialing | active | past_due | canceled | unpaid | paused
    started_at: datetime
    paid_until: datetime  # the end of the running period
    trial_ends_at: datetime | None = None
    cancelled_for: datetime | None = None  # when it is to end
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    ended_at: datetime | None = None
    failing_since: datetime | None = None  # the first try of the payment that has failed
    paused_from: datetime | None = None  # by the reader: the end of what is paid, …
    paused_until: datetime | None = None  # … and when the next payment is due


def state(held: Held) -> MembershipState | None:
    """None for what was begun and never paid: it is no membership yet."""
    match held.status:
        case "incomplete" | "incomplete_expired":
            return None
        case "canceled":
            return MembershipState.ENDED
        case "past_due":
            return MembershipState.PAST_DUE
        case "unpaid":
            return MembershipState.UNPAID
        case "paused":
            return MembershipState.PAUSED
    if held.cancelled_for:
        return MembershipState.CANCELLED
    if held.status == "trialing":
        return _in_trial(held)
    return MembershipState.ACTIVE


def _in_trial(held: Held) -> MembershipState:
    """A pause is kept as a trial at the provider: see billing/plans.py."""
    if held.paused_until is None or held.paused_from is None:
        return MembershipState.TRIALING
    return MembershipState.PAUSED if held.paused_until > held.paused_from else MembershipState.ACTIVE


def holds_until(held: Held, grace: timedelta) -> datetime:
    """Until when its reader holds the tier, unless something new is heard: the one rule of access by payment."""
    match state(held):
        case None:
            return held.started_at
        case MembershipState.ENDED:
            return held.ended_at or held.cancelled_for or held.paid_until
        case MembershipState.PAST_DUE | MembershipState.UNPAID:
            # The running period is the very one that is not paid: days of grace are counted from its beginning.
            return (held.failing_since or held.paid_until) + grace
        case MembershipState.CANCELLED:
            return held.cancelled_for or held.paid_until
        case MembershipState.PAUSED:
            return held.paused_from or held.trial_ends_at or held.paid_until
        case MembershipState.TRIALING:
            return (held.trial_ends_at or held.paid_until) + SLACK
    return held.paid_until + SLACK


def since_first_failure(held: Held, membership: Membership) -> Held:
    """Who was given up has no days of grace for what falls due after that: it is the first failure that counts."""
    failing = (MembershipState.PAST_DUE, MembershipState.UNPAID)
    first, now = membership.failing_since, held.failing_since
    if state(held) is not MembershipState.UNPAID or membership.state not in failing or first is None or now is None:
        return held
    return replace(held, failing_since=min(first, now))


def write(membership: Membership, held: Held, grace: timedelta) -> None:
    """What the provider holds is what we hold. `held` must be a membership (see `state`)."""
    held = since_first_failure(held, membership)
    is_now = state(held)
    assert is_now is not None
    membership.state = is_now
    membership.started_at = held.started_at
    membership.paid_until = held.paid_until
    membership.trial_ends_at = held.trial_ends_at or membership.trial_ends_at  # a pause takes its place there
    membership.cancelled_for = held.cancelled_for
    membership.cancelled_at = held.cancelled_at
    membership.cancel_reason = held.cancel_reason
    membership.ended_at = held.ended_at
    membership.failing_since = held.failing_since
    membership.paused_until = held.paused_until if is_now is MembershipState.PAUSED else None
    membership.ends_at = holds_until(held, grace)
