"""What the author may do with a mailing: pause, go on, stop, send to those not reached, decide about doubts.

Every move is one compare-and-set: a second press finds the work done.
"""

from sqlalchemy import ColumnElement, case, func, insert, literal, select, text, update
from sqlalchemy.dialects import postgresql

from newsletter import clock
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.jobs import Job, enqueue
from newsletter.sending import breaker
from newsletter.sending.models import Delivery, Mailing, MailingState, Outcome, Variant
from newsletter.sending.start import GIVE_UP_AFTER, write_chunks

STOPPED = "The mailing was stopped before this reader was reached."


class NotNow(NewsletterError):
    """The mailing is in a state in which this cannot be done."""

    status = 409


def pause(mailing: Mailing) -> None:
    """Nothing more leaves but the messages in flight."""
    _move(mailing, (MailingState.SENDING,), MailingState.PAUSED, paused_at=func.now())


def go_on(mailing: Mailing) -> None:
    """From paused, or from held: then the author has said that it may go out. However long that took, all get it."""
    _move(
        mailing,
        (MailingState.PAUSED, MailingState.HELD),
        MailingState.SENDING,
        paused_at=None,
        breaker_off_at=case(
            (Mailing.held_because.startswith(breaker.TOO_MANY), func.now()), else_=Mailing.breaker_off_at
        ),
        held_because="",
        expires_at=clock.now() + GIVE_UP_AFTER,
    )
    enqueue(Job.DELIVER, mailing.id)


def stop(mailing: Mailing) -> None:
    """For good: whoever is not reached yet is recorded as skipped."""
    open_states = (MailingState.SENDING, MailingState.PAUSED, MailingState.HELD)
    _move(mailing, open_states, MailingState.STOPPED, paused_at=None)
    enqueue(Job.DELIVER, mailing.id)


def send_to_unreached(mailing: Mailing) -> Mailing:
    """A mailing of the same messages to exactly those who did not get them: refused, expired, or skipped by a stop.

    Whoever left by themselves is not among them. Asked twice, it answers with the same mailing.
    """
    _must_be_over(mailing)
    unreached = Delivery.outcome.in_((Outcome.REFUSED, Outcome.EXPIRED)) | (
        (Delivery.outcome == Outcome.SKIPPED) & (Delivery.reply == STOPPED)
    )
    return _again(mailing, f"those not reached by {mailing.id}", unreached)


def send_doubtful_again(mailing: Mailing) -> Mailing:
    """Once more to the unconfirmed, with the same Message-ID and the same bytes: the author accepts a possible copy."""
    _must_be_over(mailing)
    again = _again(mailing, f"the unconfirmed of {mailing.id}", Delivery.outcome == Outcome.UNCONFIRMED)
    leave_doubtful(mailing)
    return again


def leave_doubtful(mailing: Mailing) -> None:
    """The unconfirmed stay as they are, and nobody is asked again."""
    mailing.doubts_settled_at = mailing.doubts_settled_at or clock.now()


def hold_if_restored() -> int:
    """Hold every open mailing if this database is not the cluster it was: a restored backup, or a clone.

    Returns how many. What such a copy knows of what has left may be old, so the author is asked.
    """
    held = db.session.execute(
        text("""
            WITH here AS (
                SELECT (SELECT system_identifier::text FROM pg_control_system())
                    || '.' || (SELECT timeline_id FROM pg_control_checkpoint())
                    || '.' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS cluster
            ), known AS (
                INSERT INTO instance (id, cluster) OVERRIDING SYSTEM VALUE SELECT 1, cluster FROM here
                ON CONFLICT (id) DO UPDATE SET cluster = excluded.cluster, seen_at = now()
                    WHERE instance.cluster <> excluded.cluster
                RETURNING xmax <> 0 AS is_a_copy
            )
            UPDATE mailing SET state = 'held',
                held_because = 'This database was restored or copied: what it knows of messages sent may be old.'
            WHERE state IN ('sending', 'paused') AND (SELECT is_a_copy FROM known)
            RETURNING id
        """)
    ).all()
    return len(held)


def _move(mailing: Mailing, before: tuple[MailingState, ...], after: MailingState, **values: object) -> None:
    moved = db.session.execute(
        update(Mailing)
        .where(Mailing.id == mailing.id, Mailing.state.in_(before))
        .values(state=after, **values)
        .returning(Mailing.id)
    ).one_or_none()
    db.session.refresh(mailing)
    if moved is None and mailing.state is not after:
        raise NotNow(f"This mailing is {mailing.state}: it cannot become {after}.")


def _must_be_over(mailing: Mailing) -> None:
    if mailing.finished_at is None:
        raise NotNow("This mailing is still under way. Wait until it has finished, or stop it first.")


def _again(mailing: Mailing, occasion: str, which: ColumnElement[bool]) -> Mailing:
    _must_have_someone(mailing, which)
    root_id = mailing.root_id or mailing.id
    made = db.session.execute(
        postgresql.insert(Mailing)
        .values(
            post_id=mailing.post_id,
            newsletter_id=mailing.newsletter_id,
            revision_id=mailing.revision_id,
            occasion=occasion,
            root_id=root_id,
            state=MailingState.SENDING,
            tier_ids=mailing.tier_ids,
            audience_count=0,
            scheduled_for=clock.now(),
            expires_at=clock.now() + GIVE_UP_AFTER,
            held_because="",
            trouble="",
        )
        .on_conflict_do_nothing()
        .returning(Mailing.id)
    ).scalar_one_or_none()
    if made is None:
        return db.session.scalars(
            select(Mailing).where(Mailing.post_id == mailing.post_id, Mailing.occasion == occasion)
        ).one()
    again = db.session.get_one(Mailing, made)
    _copy_variants(mailing, again)
    write_chunks(again, select(Delivery.subscriber_id).where(Delivery.mailing_id == mailing.id, which))
    enqueue(Job.DELIVER, again.id)
    return again


def _must_have_someone(mailing: Mailing, which: ColumnElement[bool]) -> None:
    if (
        db.session.scalar(select(Delivery.subscriber_id).where(Delivery.mailing_id == mailing.id, which).limit(1))
        is None
    ):
        raise NotNow("Everyone was reached: there is nobody to send to again.")


def _copy_variants(mailing: Mailing, again: Mailing) -> None:
    frozen = select(literal(again.id), Variant.audience, Variant.subject, Variant.letter).where(
        Variant.mailing_id == mailing.id
    )
    db.session.execute(insert(Variant).from_select(["mailing_id", "audience", "subject", "letter"], frozen))
