"""The breaker: a mailing that comes back, or is complained about, too often is held until its author says go on."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, or_, select, update

from newsletter.accounts import team
from newsletter.config import settings
from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.sending.models import Bounce, BounceKind, Chunk, Mailing, MailingState
from newsletter.subscribers import notices
from newsletter.subscribers.models import NoticeKind

MOST_HARD = 0.03  # of the messages that were answered: accepted or refused
LEAST_HARD = 10  # a list of 20 is not held for one
MOST_COMPLAINTS = 0.001  # of what was accepted (Gmail asks to stay below it, and to stop at 0.003)
MOST_COMPLAINTS_STILL = 0.003  # those that came after the author had said go on
LEAST_COMPLAINTS = 3
NOTICE_LASTS = timedelta(days=2)
TOO_MANY = "Too many "  # how every reason of ours begins


@dataclass(frozen=True)
class Tally:
    """What a mailing has done so far."""

    accepted: int
    refused: int
    hard: int
    complaints: int
    complaints_since: int  # after the author had said go on
    is_off: bool  # the author has said go on

    def verdict(self) -> str:
        """Why this mailing should be held. Empty if it need not be."""
        answered = self.accepted + self.refused
        if not self.is_off and self.hard >= LEAST_HARD and self.hard >= MOST_HARD * answered:
            return (
                f"{TOO_MANY}messages came back: {self.hard:,} of {answered:,} went to mailboxes that do not exist. "
                "A list like that harms the name of your address with all mail providers."
            )
        fresh = self.complaints_since if self.is_off else self.complaints
        most = MOST_COMPLAINTS_STILL if self.is_off else MOST_COMPLAINTS
        if fresh >= LEAST_COMPLAINTS and fresh >= most * self.accepted:
            return (
                f"{TOO_MANY}readers complained: {self.complaints:,} of the {self.accepted:,} reached so far called "
                "this spam."
            )
        return ""


def check(mailing_id: int) -> bool:
    """Hold a mailing for which it is too much now, and tell the staff. True for exactly one caller.

    Leaves the commit to its caller.
    """
    before = db.session.execute(
        select(Mailing.state, Mailing.breaker_off_at, Mailing.newsletter_id).where(Mailing.id == mailing_id)
    ).one()
    if before.state is not MailingState.SENDING:
        return False
    verdict = tally(mailing_id).verdict()
    if not verdict:
        return False
    held = db.session.scalar(
        update(Mailing)
        .where(
            Mailing.id == mailing_id,
            Mailing.state == MailingState.SENDING,
            Mailing.breaker_off_at.is_not_distinct_from(before.breaker_off_at),
        )
        .values(state=MailingState.HELD, held_because=verdict)
        .returning(Mailing.id)
        .execution_options(synchronize_session=False)
    )
    if held is None:
        return False
    _tell(mailing_id, before.newsletter_id, verdict)
    return True


def tally(mailing_id: int) -> Tally:
    sums = db.session.execute(
        select(
            func.coalesce(func.sum(Chunk.accepted), 0).label("accepted"),
            func.coalesce(func.sum(Chunk.refused), 0).label("refused"),
        ).where(Chunk.mailing_id == mailing_id)
    ).one()
    complaint = Bounce.kind == BounceKind.COMPLAINT
    counts = db.session.execute(
        select(
            Mailing.breaker_off_at,
            func.count(Bounce.id).filter(Bounce.kind == BounceKind.HARD).label("hard"),
            func.count(Bounce.id).filter(complaint).label("complaints"),
            func.count(Bounce.id).filter(complaint, Bounce.at > Mailing.breaker_off_at).label("complaints_since"),
        )
        .outerjoin(
            Bounce,
            (Bounce.mailing_id == Mailing.id) & or_(Bounce.kind == BounceKind.HARD, complaint),
        )
        .where(Mailing.id == mailing_id)
        .group_by(Mailing.id)
    ).one()
    return Tally(
        accepted=int(sums.accepted),
        refused=int(sums.refused),
        hard=counts.hard,
        complaints=counts.complaints,
        complaints_since=counts.complaints_since,
        is_off=counts.breaker_off_at is not None,
    )


def _tell(mailing_id: int, newsletter_id: int, verdict: str) -> None:
    newsletter = db.session.get_one(Newsletter, newsletter_id)
    title = db.session.get_one(Mailing, mailing_id).post.title
    for user, _ in team.everybody():
        if user.disabled_at is None:
            notices.owe(
                NoticeKind.HELD,
                address=user.email,
                newsletter=newsletter,
                lasts=NOTICE_LASTS,
                values={
                    "title": title,
                    "because": verdict,
                    "mailing_url": f"{settings().site_url}/desk/sends/{mailing_id}",
                },
            )
