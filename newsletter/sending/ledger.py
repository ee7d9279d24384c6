"""Who was claimed by whom, and what became of each message: the only writer of delivery state.

It commits inside, because it must remember before it speaks.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, any_, select, text
from sqlalchemy.dialects.postgresql import array

from newsletter import clock
from newsletter.config import settings
from newsletter.db import db
from newsletter.sending import journal
from newsletter.sending.journal import Answer, PutOff
from newsletter.sending.models import MailingState, Outcome
from newsletter.subscribers import suppression
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import access

SAFETY = 2.0  # seconds of a lease that we do not use: the statement that grants it takes time to come back
FIRST_WAIT = timedelta(minutes=5)  # greylisting wants at least this much
LONGEST_WAIT = timedelta(hours=4)
GROUP = 50  # readers of a chunk that are recorded at once
LOST = "The machine that was sending broke down, and with it what the mail server answered."
NO_ANSWER = "The sending process ended before the mail server answered."


class LeaseLost(Exception):
    """Someone else may have this chunk by now: not one more message may leave."""


@dataclass
class Claim:
    """A chunk of a mailing that is ours until `deadline`, by the clock that runs on while the machine sleeps."""

    chunk_id: int
    mailing_id: int
    token: str
    reader_ids: list[int]  # those without an outcome whose time has come
    attempts: int
    expires_at: datetime
    deadline: float

    def check(self) -> None:
        """Raises LeaseLost when the lease may have run out. Asked just before each final dot."""
        if clock.seconds_awake_or_asleep() >= self.deadline:
            raise LeaseLost


@dataclass(frozen=True)
class Reader:
    id: int
    email: str
    name: str
    is_paying: bool
    may_be_mailed: bool


def claim(mailing_id: int, token: str) -> Claim | None:
    """Take one chunk of a mailing that has work due, under the token of a journal. None if there is none now."""
    asked_at = clock.seconds_awake_or_asleep()
    row = db.session.execute(
        text("""
            UPDATE chunk SET state = 'claimed', token = :token, host = :host, lease_until = now() + :lease
            FROM mailing
            WHERE mailing.id = chunk.mailing_id AND chunk.id = (
                SELECT candidate.id FROM chunk AS candidate JOIN mailing ON mailing.id = candidate.mailing_id
                WHERE candidate.mailing_id = :mailing_id AND candidate.state = 'free'
                  AND (mailing.state = 'stopped' OR mailing.state = 'sending' AND candidate.send_after <= now())
                ORDER BY candidate.send_after, candidate.number
                LIMIT 1 FOR UPDATE OF candidate SKIP LOCKED
            )
            RETURNING chunk.id, chunk.attempts, mailing.expires_at
        """),
        {"mailing_id": mailing_id, "token": token, "host": journal.host(), "lease": _lease()},
    ).one_or_none()
    if row is None:
        db.session.rollback()
        return None
    reader_ids = _open_readers(row.id, mailing_id)
    db.session.commit()
    deadline = asked_at + settings().lease_seconds - SAFETY
    return Claim(row.id, mailing_id, token, reader_ids, row.attempts, row.expires_at, deadline)


def extend(claim: Claim) -> None:
    """A sign of life. Raises LeaseLost if the chunk is not ours any more."""
    asked_at = clock.seconds_awake_or_asleep()
    still_ours = db.session.execute(
        text("""
            UPDATE chunk SET lease_until = now() + :lease
            WHERE id = :id AND token = :token AND state = 'claimed' AND lease_until > now()
            RETURNING id
        """),
        {"id": claim.chunk_id, "token": claim.token, "lease": _lease()},
    ).one_or_none()
    db.session.commit()
    if still_ours is None:
        claim.deadline = 0.0
        raise LeaseLost
    claim.deadline = asked_at + settings().lease_seconds - SAFETY


def state_of(claim: Claim) -> MailingState:
    """What the author wants of the mailing now. Raises LeaseLost if the chunk is not ours any more."""
    state = db.session.scalar(
        text("""
            SELECT mailing.state FROM chunk JOIN mailing ON mailing.id = chunk.mailing_id
            WHERE chunk.id = :id AND chunk.token = :token AND chunk.lease_until > now()
        """),
        {"id": claim.chunk_id, "token": claim.token},
    )
    db.session.rollback()  # reading holds no snapshot while we talk to a mail server
    if state is None:
        raise LeaseLost
    return MailingState(state)


def readers(ids: Sequence[int], newsletter_id: int) -> list[Reader]:
    """These readers as they are at this moment: consent is asked again just before the hand-over."""
    rows = db.session.execute(
        select(
            Subscriber.id,
            Subscriber.email,
            Subscriber.email_key,
            Subscriber.name,
            access.is_paying(Subscriber.id).label("is_paying"),
            Subscriber.may_be_mailed(newsletter_id).label("may_be_mailed"),
        ).where(Subscriber.id == any_(array(ids, type_=BigInteger)))
    ).all()
    # Asked of the suppressions themselves too: the copy on the subscriber may be missing if both were written at once.
    barred = suppression.known(row.email_key for row in rows if row.email_key)
    db.session.rollback()
    found = {
        row.id: Reader(
            row.id, row.email or "", row.name, row.is_paying, row.may_be_mailed and row.email_key not in barred
        )
        for row in rows
    }
    return [found.get(reader_id) or Reader(reader_id, "", "", False, False) for reader_id in ids]


def record(claim: Claim, answers: Sequence[Answer], put_off: Sequence[PutOff] = ()) -> None:
    """Write down outcomes: each once. What was in doubt may still become known; nothing else ever changes.

    Takes no look at the lease: what happened has happened, whoever holds the chunk now.
    """
    _write(claim, answers, put_off)
    db.session.commit()


def release(claim: Claim, *, after: timedelta | None = None, attempts: int = 0, trouble: str = "") -> None:
    """Give the chunk back: done if every reader has an outcome, else free again, at once or when its next is due."""
    _give_back(claim, after, attempts, trouble)
    db.session.commit()


def finish(mailing_id: int) -> bool:
    """Close a mailing whose every reader has an outcome. True for exactly one caller."""
    finished = db.session.execute(
        text("""
            UPDATE mailing SET finished_at = now(), state = CASE state WHEN 'sending' THEN 'finished' ELSE state END
            WHERE id = :id AND state IN ('sending', 'stopped') AND finished_at IS NULL
              AND NOT EXISTS (SELECT FROM chunk WHERE chunk.mailing_id = mailing.id AND chunk.state <> 'done')
              AND audience_count = (SELECT coalesce(sum(accepted + refused + skipped + expired + unconfirmed), 0)
                                    FROM chunk WHERE chunk.mailing_id = mailing.id)
            RETURNING id
        """),
        {"id": mailing_id},
    ).one_or_none()
    db.session.commit()
    return finished is not None


def take_over(chunk_id: int, dead_token: str) -> bool:
    """Take the chunk of a process that is dead or gave no sign of life, and write down what is known of its work.

    In one transaction: whoever takes over may die as well. False if someone else was quicker or it lives after all.
    """
    row = db.session.execute(
        text("""
            SELECT chunk.mailing_id, mailing.expires_at FROM chunk JOIN mailing ON mailing.id = chunk.mailing_id
            WHERE chunk.id = :id AND chunk.token = :dead AND chunk.state = 'claimed'
              AND (chunk.lease_until < now() OR :is_dead)
            FOR UPDATE OF chunk
        """),
        {"id": chunk_id, "dead": dead_token, "is_dead": journal.is_abandoned(dead_token)},
    ).one_or_none()
    if row is None:
        db.session.rollback()
        return False
    claim = Claim(chunk_id, row.mailing_id, dead_token, [], 0, row.expires_at, 0.0)
    told = journal.replay(dead_token)
    doubts = [Answer(reader_id, Outcome.UNCONFIRMED, NO_ANSWER) for reader_id in told.in_doubt]
    _write(claim, [*told.answers, *doubts], told.put_off)
    if not told.is_complete:
        _write(claim, [Answer(reader_id, Outcome.UNCONFIRMED, LOST) for reader_id in _in_hand(claim)])
    _give_back(claim, None, 0, "")
    db.session.commit()
    journal.forget(dead_token)
    return True


def _lease() -> timedelta:
    return timedelta(seconds=settings().lease_seconds)


def _open_readers(chunk_id: int, mailing_id: int) -> list[int]:
    """Those of a chunk that have no outcome and are not waiting for a later moment."""
    return list(
        db.session.scalars(
            text("""
                SELECT reader.id FROM chunk, unnest(chunk.reader_ids) WITH ORDINALITY AS reader (id, position)
                WHERE chunk.id = :chunk_id
                  AND NOT EXISTS (SELECT FROM delivery
                                  WHERE delivery.mailing_id = :mailing_id AND delivery.subscriber_id = reader.id)
                  AND NOT EXISTS (SELECT FROM waiting JOIN mailing ON mailing.id = waiting.mailing_id
                                  WHERE waiting.mailing_id = :mailing_id AND waiting.subscriber_id = reader.id
                                    AND waiting.send_after > now() AND mailing.state <> 'stopped')
                ORDER BY reader.position
            """),
            {"chunk_id": chunk_id, "mailing_id": mailing_id},
        )
    )


def _in_hand(claim: Claim) -> list[int]:
    """Whom a lost process may have written to without our knowledge: it recorded each group before it began another."""
    open_readers = _open_readers(claim.chunk_id, claim.mailing_id)
    tried_before = set(
        db.session.scalars(text("SELECT subscriber_id FROM waiting WHERE chunk_id = :id"), {"id": claim.chunk_id})
    )
    first_try = [reader_id for reader_id in open_readers if reader_id not in tried_before]
    return first_try[:GROUP] + [reader_id for reader_id in open_readers if reader_id in tried_before]


def _write(claim: Claim, answers: Sequence[Answer], put_off: Sequence[PutOff] = ()) -> None:
    late = clock.now() >= claim.expires_at
    _put_off(claim, [] if late else put_off)
    expired = [Answer(each.reader_id, Outcome.EXPIRED, each.reply) for each in put_off if late]
    _append(claim.mailing_id, claim.chunk_id, [*answers, *expired])


def _give_back(claim: Claim, after: timedelta | None, attempts: int, trouble: str) -> None:
    db.session.execute(
        text("""
            UPDATE chunk SET
                state = CASE WHEN accepted + refused + skipped + expired + unconfirmed >= size
                             THEN 'done' ELSE 'free' END,
                send_after = CASE
                    WHEN CAST(:after AS interval) IS NOT NULL THEN now() + CAST(:after AS interval)
                    WHEN size - accepted - refused - skipped - expired - unconfirmed
                         > (SELECT count(*) FROM waiting WHERE chunk_id = chunk.id) THEN now()
                    ELSE coalesce((SELECT min(waiting.send_after) FROM waiting WHERE chunk_id = chunk.id), now())
                END,
                attempts = :attempts, token = NULL, host = NULL, lease_until = NULL
            WHERE id = :id AND token = :token
        """),
        {"id": claim.chunk_id, "token": claim.token, "after": after, "attempts": attempts},
    )
    if trouble and after:  # nobody is served now: the other chunks need not try in vain
        db.session.execute(
            text("""
                UPDATE chunk SET send_after = greatest(send_after, now() + CAST(:after AS interval))
                WHERE mailing_id = :id AND state = 'free'
            """),
            {"id": claim.mailing_id, "after": after},
        )
    db.session.execute(
        text("""
            UPDATE mailing SET trouble = CAST(:trouble AS text),
                               trouble_at = CASE WHEN CAST(:trouble AS text) = '' THEN NULL ELSE now() END
            WHERE id = :id AND trouble <> CAST(:trouble AS text)
        """),
        {"id": claim.mailing_id, "trouble": trouble},
    )


def _append(mailing_id: int, chunk_id: int, answers: Sequence[Answer]) -> None:
    if not answers:
        return
    db.session.execute(
        text("""
            WITH written AS (
                INSERT INTO delivery (mailing_id, subscriber_id, outcome, variant_id, reply)
                SELECT :mailing_id, * FROM unnest(
                    CAST(:readers AS bigint[]), CAST(:outcomes AS text[]),
                    CAST(:variants AS bigint[]), CAST(:replies AS text[]))
                ON CONFLICT (mailing_id, subscriber_id) DO UPDATE
                    SET outcome = excluded.outcome, reply = excluded.reply, variant_id = excluded.variant_id, at = now()
                    WHERE delivery.outcome = 'unconfirmed' AND excluded.outcome IN ('accepted', 'refused')
                RETURNING outcome, xmax <> 0 AS was_in_doubt
            ), sums AS (
                SELECT count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
                       count(*) FILTER (WHERE outcome = 'refused') AS refused,
                       count(*) FILTER (WHERE outcome = 'skipped') AS skipped,
                       count(*) FILTER (WHERE outcome = 'expired') AS expired,
                       count(*) FILTER (WHERE outcome = 'unconfirmed')
                         - count(*) FILTER (WHERE was_in_doubt) AS unconfirmed
                FROM written
            )
            UPDATE chunk SET accepted = chunk.accepted + sums.accepted, refused = chunk.refused + sums.refused,
                skipped = chunk.skipped + sums.skipped, expired = chunk.expired + sums.expired,
                unconfirmed = chunk.unconfirmed + sums.unconfirmed
            FROM sums WHERE chunk.id = :chunk_id
        """),
        {
            "mailing_id": mailing_id,
            "chunk_id": chunk_id,
            "readers": [answer.reader_id for answer in answers],
            "outcomes": [answer.outcome.value for answer in answers],
            "variants": [answer.variant_id for answer in answers],
            "replies": [answer.reply for answer in answers],
        },
    )
    db.session.execute(
        text("DELETE FROM waiting WHERE mailing_id = :mailing_id AND subscriber_id = ANY(:readers)"),
        {"mailing_id": mailing_id, "readers": [answer.reader_id for answer in answers]},
    )


def _put_off(claim: Claim, put_off: Sequence[PutOff]) -> None:
    if not put_off:
        return
    db.session.execute(
        text("""
            INSERT INTO waiting (mailing_id, subscriber_id, chunk_id, send_after, attempts, reply)
            SELECT :mailing_id, reader, :chunk_id, now() + :first * jitter, 1, reply
            FROM unnest(CAST(:readers AS bigint[]), CAST(:jitters AS float[]), CAST(:replies AS text[]))
                AS refusal (reader, jitter, reply)
            WHERE NOT EXISTS (SELECT FROM delivery WHERE mailing_id = :mailing_id AND subscriber_id = reader)
            ON CONFLICT (mailing_id, subscriber_id) DO UPDATE SET
                attempts = waiting.attempts + 1, reply = excluded.reply,
                send_after = now()
                    + least((excluded.send_after - now()) * power(2, least(waiting.attempts, 20)), :longest)
        """),
        {
            "mailing_id": claim.mailing_id,
            "chunk_id": claim.chunk_id,
            "first": FIRST_WAIT,
            "longest": LONGEST_WAIT,
            "readers": [each.reader_id for each in put_off],
            "jitters": [random.uniform(1.0, 1.3) for _ in put_off],  # noqa: S311  # only spreads the load
            "replies": [each.reply for each in put_off],
        },
    )
