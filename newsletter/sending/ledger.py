"""Who was claimed by whom, and what became of each message: the only writer of delivery state.

It commits inside, because it must remember before it speaks.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import BigInteger, Select, Text, bindparam, cast, func, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY

from newsletter import clock
from newsletter.config import settings
from newsletter.db import Rehearsed, array, array_of_texts, db
from newsletter.sending import doubts, journal
from newsletter.sending.journal import Answer, PutOff
from newsletter.sending.models import Chunk, Mailing, MailingState, Outcome
from newsletter.subscribers import notices, suppression
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import access

SAFETY = 2.0  # seconds of a lease that we do not use: the statement that grants it takes time to come back
FIRST_WAIT = timedelta(minutes=5)  # greylisting wants at least this much
LONGEST_WAIT = timedelta(hours=4)
AHEAD = 500  # readers of a chunk that are read at once
FIRST = 50  # of them, so that the connections need not wait for more
GROUP = 250  # readers of a chunk that are recorded at once
WINDOW = 2 * GROUP  # readers of a chunk who may have been written to without being recorded yet
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
    has_waiting: bool  # some of its readers have been put off before
    state: MailingState
    attempts: int
    expires_at: datetime
    deadline: float
    host: str = ""  # of a process that is gone; empty: here

    def check(self) -> None:
        """Raises LeaseLost when the lease may have run out. Asked just before each final dot."""
        if clock.seconds_awake_or_asleep() >= self.deadline:
            raise LeaseLost


@dataclass(frozen=True)
class Standing:
    """What may have changed while we were sending."""

    state: MailingState  # what the author wants of the mailing
    has_notices_due: bool  # somebody waits for a confirmation, or for a code


class Reader(NamedTuple):
    id: int
    email: str
    name: str
    kind: str  # emails.Audience: which variant is theirs
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
                  AND (mailing.state = 'stopped' OR mailing.state = 'sending'
                       AND (candidate.send_after IS NULL OR candidate.send_after <= now()))
                ORDER BY candidate.send_after NULLS FIRST, candidate.number
                LIMIT 1 FOR UPDATE OF candidate SKIP LOCKED
            )
            RETURNING chunk.id, chunk.attempts, mailing.expires_at, mailing.state,
                      EXISTS (SELECT FROM waiting WHERE waiting.chunk_id = chunk.id) AS has_waiting
        """),
        {"mailing_id": mailing_id, "token": token, "host": journal.host(), "lease": _lease()},
    ).one_or_none()
    if row is None:
        db.session.rollback()
        return None
    reader_ids = _open_readers(row.id, mailing_id)
    db.session.commit()
    deadline = asked_at + settings().lease_seconds - SAFETY
    return Claim(
        row.id,
        mailing_id,
        token,
        reader_ids,
        row.has_waiting,
        MailingState(row.state),
        row.attempts,
        row.expires_at,
        deadline,
    )


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


def readers(ids: Sequence[int], newsletter_id: int, tier_ids: Sequence[int] = ()) -> list[Reader]:
    """These readers as they are at this moment: consent and tiers are asked again just before the hand-over."""
    rows = _READERS.rows(ids=array(ids), newsletter_id=newsletter_id, tier_ids=array(tier_ids))
    # Asked of the suppressions themselves too: the copy on the subscriber may be missing if both were written at once.
    barred = suppression.barred([key for *_, key in rows])
    db.session.commit()  # nothing was written; with a rollback the driver would forget what it has prepared
    found = {
        reader_id: Reader(reader_id, email, name, kind, may_be_mailed=True)
        for reader_id, email, name, kind, key in rows
        if key not in barred
    }
    return [found.get(reader_id) or Reader(reader_id, "", "", "", False) for reader_id in ids]


def _as_they_are() -> Select[tuple[int, str | None, str, str, str]]:
    """Each reader is looked up by itself, as fences (OFFSET 0) have it: as a join, PostgreSQL may read all who are
    subscribed, and all members, for every few hundred."""
    ids = (
        func.unnest(cast(bindparam("ids", type_=Text), ARRAY(BigInteger)))
        .table_valued("id", name="reader")
        .render_derived()
    )
    found = (
        select(
            Subscriber.id,
            Subscriber.email,
            Subscriber.name,
            access.kind(Subscriber.id, bindparam("tier_ids", type_=Text)).label("kind"),
            Subscriber.email_key,
        )
        .where(Subscriber.id == ids.c.id, Subscriber.may_be_mailed(bindparam("newsletter_id", type_=BigInteger)))
        .offset(0)
        .lateral("found")
    )
    return select(found).select_from(ids.join(found, true()))


_READERS = Rehearsed(_as_they_are())


def record(claim: Claim, answers: Sequence[Answer], put_off: Sequence[PutOff] = ()) -> Standing | None:
    """Write down outcomes: each once. What was in doubt may still become known; nothing else ever changes.

    Takes no look at the lease: what happened has happened, whoever holds the chunk now. Returns how things stand, or
    None if the chunk is not ours any more: then not one more message may leave.
    """
    _write(claim, answers, put_off)
    found = _STANDING.rows(id=claim.chunk_id, token=claim.token)
    db.session.commit()
    return Standing(MailingState(found[0][0]), found[0][1]) if found else None


_STANDING = Rehearsed(
    select(Mailing.state, notices.any_due())
    .join(Chunk, Chunk.mailing_id == Mailing.id)
    .where(
        Chunk.id == bindparam("id", type_=BigInteger),
        Chunk.token == bindparam("token", type_=Text),
        Chunk.lease_until > func.now(),
    )
)


def release(claim: Claim, *, after: timedelta | None = None, attempts: int = 0, trouble: str = "") -> None:
    """Give the chunk back: done if every reader has an outcome, else free again, at once or when its next is due."""
    _give_back(claim, after, attempts, trouble)
    db.session.commit()


def put_off_before(chunk_id: int) -> set[int]:
    """Readers of a chunk whom the server has put off at least once."""
    return set(db.session.scalars(text("SELECT subscriber_id FROM waiting WHERE chunk_id = :id"), {"id": chunk_id}))


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
    # A judge may have opened a chunk again while we waited for the row: our statement still saw it done.
    if finished is None or _has_open_chunk(mailing_id):
        db.session.rollback()
        return False
    db.session.commit()
    return True


def _has_open_chunk(mailing_id: int) -> bool:
    return bool(
        db.session.scalar(
            text("SELECT EXISTS (SELECT FROM chunk WHERE mailing_id = :id AND state <> 'done')"), {"id": mailing_id}
        )
    )


def take_over(chunk_id: int, dead_token: str) -> bool:
    """Take the chunk of a process that is dead or gave no sign of life, and write down what is known of its work.

    In one transaction: whoever takes over may die as well. False if someone else was quicker or it lives after all.
    A lease that ends later than any lease can was granted before the database's clock was set back: it ends now.
    """
    row = db.session.execute(
        text("""
            SELECT chunk.mailing_id, chunk.host, mailing.expires_at
            FROM chunk JOIN mailing ON mailing.id = chunk.mailing_id
            WHERE chunk.id = :id AND chunk.token = :dead AND chunk.state = 'claimed'
              AND (chunk.lease_until < now() OR chunk.lease_until > now() + 2 * :lease OR :is_dead)
            FOR UPDATE OF chunk
        """),
        {"id": chunk_id, "dead": dead_token, "is_dead": journal.is_abandoned(dead_token), "lease": _lease()},
    ).one_or_none()
    if row is None:
        db.session.rollback()
        return False
    claim = Claim(
        chunk_id, row.mailing_id, dead_token, [], True, MailingState.SENDING, 0, row.expires_at, 0.0, row.host
    )
    journal.seal(dead_token)
    told = journal.replay(dead_token)
    unanswered = [Answer(reader_id, Outcome.UNCONFIRMED, NO_ANSWER) for reader_id in told.in_doubt]
    _write(claim, [*told.answers, *unanswered], told.put_off)
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
    ids: list[int] = _OPEN_READERS.rows(chunk_id=chunk_id, mailing_id=mailing_id)[0][0]
    return ids


# A chunk that nobody has touched yet needs no asking: its counts are written together with the outcomes. Else each
# reader is asked for by itself: as a join, PostgreSQL may read all that the mailing has recorded, for every chunk.
_OPEN_READERS = Rehearsed(
    text("""
        SELECT CASE
            WHEN accepted + refused + skipped + expired + unconfirmed = 0
                 AND NOT EXISTS (SELECT FROM waiting WHERE waiting.chunk_id = chunk.id) THEN reader_ids
            ELSE (
                SELECT coalesce(array_agg(reader.id ORDER BY reader.position), '{}')
                FROM unnest(chunk.reader_ids) WITH ORDINALITY AS reader (id, position)
                WHERE (SELECT true FROM delivery
                       WHERE delivery.mailing_id = :mailing_id AND delivery.subscriber_id = reader.id) IS NULL
                  AND NOT EXISTS (SELECT FROM waiting JOIN mailing ON mailing.id = waiting.mailing_id
                                  WHERE waiting.mailing_id = :mailing_id AND waiting.subscriber_id = reader.id
                                    AND waiting.send_after > now() AND mailing.state <> 'stopped')
            )
        END
        FROM chunk WHERE id = :chunk_id
    """)
)


def _in_hand(claim: Claim) -> list[int]:
    """Whom a lost process may have written to without our knowledge: anybody of its chunk, since it does not go by
    their order where a limit keeps the readers of one destination waiting."""
    return _open_readers(claim.chunk_id, claim.mailing_id)


def _write(claim: Claim, answers: Sequence[Answer], put_off: Sequence[PutOff] = ()) -> None:
    late = clock.now() >= claim.expires_at
    _put_off(claim, [] if late else put_off)
    expired = [Answer(each.reader_id, Outcome.EXPIRED, each.reply) for each in put_off if late]
    _append(claim, [*answers, *expired])


def _give_back(claim: Claim, after: timedelta | None, attempts: int, trouble: str) -> None:
    db.session.execute(
        text("""
            UPDATE chunk SET
                state = CASE WHEN accepted + refused + skipped + expired + unconfirmed >= size
                             THEN 'done' ELSE 'free' END,
                send_after = CASE
                    WHEN CAST(:after AS interval) IS NOT NULL THEN now() + CAST(:after AS interval)
                    WHEN size - accepted - refused - skipped - expired - unconfirmed
                         > (SELECT count(*) FROM waiting WHERE chunk_id = chunk.id) THEN NULL
                    ELSE (SELECT min(waiting.send_after) FROM waiting WHERE chunk_id = chunk.id)
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


def _append(claim: Claim, answers: Sequence[Answer]) -> None:
    if not answers:
        return
    _APPEND.rows(
        mailing_id=claim.mailing_id,
        chunk_id=claim.chunk_id,
        readers=array([answer.reader_id for answer in answers]),
        outcomes=array([answer.outcome.value for answer in answers]),
        variants=array([answer.variant_id or "NULL" for answer in answers]),
        replies=array_of_texts([answer.reply for answer in answers]),
    )
    unconfirmed = [answer.reader_id for answer in answers if answer.outcome is Outcome.UNCONFIRMED]
    if unconfirmed:
        doubts.note(claim.mailing_id, unconfirmed, claim.host or journal.host())
    if claim.has_waiting:
        db.session.execute(
            text("DELETE FROM waiting WHERE mailing_id = :mailing_id AND subscriber_id = ANY(:readers)"),
            {"mailing_id": claim.mailing_id, "readers": [answer.reader_id for answer in answers]},
        )


_APPEND = Rehearsed(
    text("""
        WITH written AS (
            INSERT INTO delivery (mailing_id, subscriber_id, outcome, variant_id, reply)
            SELECT :mailing_id, * FROM unnest(
                CAST(CAST(:readers AS text) AS bigint[]), CAST(CAST(:outcomes AS text) AS text[]),
                CAST(CAST(:variants AS text) AS bigint[]), CAST(CAST(:replies AS text) AS text[]))
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
    """)
)


def _put_off(claim: Claim, put_off: Sequence[PutOff]) -> None:
    if not put_off:
        return
    claim.has_waiting = True
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
