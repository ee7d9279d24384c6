"""Messages that may or may not have left: noted, proved, handed back. The ledger's second page.

Together with ledger.py the only writer of delivery state. Lock order: mailing, chunk, delivery.
"""

# ruff: noqa: S608  # the statements are put together from constants only

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from newsletter.db import db
from newsletter.sending import letters

AT_LEAST = timedelta(hours=4)  # to hand over again, even where the mailing's own time is over
A_LOOK = 1000  # doubts that are judged at once


@dataclass(frozen=True)
class Doubt:
    """One message of a mailing that may or may not have left."""

    mailing_id: int
    subscriber_id: int
    message_id: str  # what stands before the @
    host: str  # where it was handed over
    started_at: datetime  # handed over after this …
    at: datetime  # … and before this, by the database's clock
    reply: str


def note(mailing_id: int, reader_ids: Sequence[int], host: str) -> None:
    """Write down where these were handed over, in the transaction that records them as unconfirmed."""
    db.session.execute(
        text("""
            INSERT INTO doubt (mailing_id, subscriber_id, host)
            SELECT :mailing_id, reader, :host FROM unnest(CAST(:readers AS bigint[])) AS reader
            ON CONFLICT (mailing_id, subscriber_id) DO UPDATE
                SET host = excluded.host, at = now(), looked_at = NULL, verdict = ''
        """),
        {"mailing_id": mailing_id, "readers": list(reader_ids), "host": host},
    )


def unsettled(older_than: timedelta, again_after: timedelta, not_after: timedelta) -> list[Doubt]:
    """Doubts that nobody has looked at yet, or not for a while. Those of `not_after` ago are given up."""
    rows = db.session.execute(
        text(f"""
            SELECT {_SHAPE} {_OPEN}
              AND doubt.at > now() - CAST(:not_after AS interval)
              AND (doubt.looked_at IS NULL
                   OR doubt.looked_at < now() - greatest(CAST(:again_after AS interval), (now() - doubt.at) / 2))
            ORDER BY doubt.at LIMIT :most
        """),
        {"older_than": older_than, "again_after": again_after, "not_after": not_after, "most": A_LOOK},
    )
    return [_doubt(row) for row in rows]


def known_of(mailing_ids: Sequence[int]) -> set[str]:
    """Message-IDs (before the @) of everything that ever was in doubt in these mailings."""
    rows = db.session.execute(
        text("""
            SELECT coalesce(mailing.root_id, mailing.id) AS root_id, doubt.subscriber_id
            FROM doubt JOIN mailing ON mailing.id = doubt.mailing_id WHERE doubt.mailing_id = ANY(:ids)
        """),
        {"ids": list(mailing_ids)},
    )
    return {letters.message_id(row.root_id, row.subscriber_id) for row in rows}


def unjudged(older_than: timedelta, *, by_log: bool) -> dict[int, list[int]]:
    """Readers by mailing whose doubt nobody can settle, and who were not sent a second message because of it.

    `by_log`: only those that the judge has looked at in vain.
    """
    rows = db.session.execute(
        text(f"""
            SELECT doubt.mailing_id, doubt.subscriber_id {_OPEN}
              AND doubt.resent_at IS NULL AND (doubt.looked_at IS NOT NULL OR NOT :by_log)
            ORDER BY doubt.at LIMIT :most
        """),
        {"older_than": older_than, "by_log": by_log, "most": A_LOOK},
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.mailing_id, []).append(row.subscriber_id)
    return found


def looked(mailing_id: int, verdicts: Mapping[int, str]) -> None:
    """Remember for these readers why nobody could tell."""
    db.session.execute(
        text("""
            UPDATE doubt SET looked_at = now(), verdict = told.words
            FROM unnest(CAST(:readers AS bigint[]), CAST(:words AS text[])) AS told (reader, words)
            WHERE doubt.mailing_id = :mailing_id AND doubt.subscriber_id = told.reader
        """),
        {"mailing_id": mailing_id, "readers": list(verdicts), "words": list(verdicts.values())},
    )


def prove(mailing_id: int, words: Mapping[int, str]) -> int:
    """These were accepted, as somebody knows for sure: by reader, the words to keep. Returns how many it settled.

    Only what is unconfirmed changes, and only once.
    """
    _lock(mailing_id, list(words))
    settled = db.session.execute(
        text(f"""
            WITH settled AS (
                UPDATE delivery SET outcome = 'accepted', reply = told.words, at = now()
                FROM unnest(CAST(:readers AS bigint[]), CAST(:words AS text[])) AS told (reader, words)
                WHERE delivery.mailing_id = :mailing_id AND delivery.subscriber_id = told.reader
                  AND delivery.outcome = 'unconfirmed'
                RETURNING delivery.subscriber_id
            ), {_BY_CHUNK}
            UPDATE chunk SET accepted = accepted + by_chunk.readers, unconfirmed = unconfirmed - by_chunk.readers
            FROM by_chunk WHERE chunk.id = by_chunk.id
            RETURNING by_chunk.readers
        """),
        {"mailing_id": mailing_id, "readers": list(words), "words": list(words.values())},
    ).scalars()
    return int(sum(settled))


def hand_back(mailing_id: int, reader_ids: Sequence[int], *, by_guess: bool = False) -> int:
    """These go out again, with the same Message-ID: proved not to have been accepted, or `by_guess`, once.

    Returns how many. Nothing happens for a mailing that was stopped, or whose doubts the author has settled. A mailing
    that had finished is sending again; in one transaction, and twice at once does it once.
    """
    if not _lock(mailing_id, reader_ids):
        return 0
    opened = db.session.execute(
        text(f"""
            WITH settled AS (
                DELETE FROM delivery USING doubt
                WHERE delivery.mailing_id = :mailing_id AND delivery.subscriber_id = ANY(CAST(:readers AS bigint[]))
                  AND delivery.outcome = 'unconfirmed' AND doubt.mailing_id = delivery.mailing_id
                  AND doubt.subscriber_id = delivery.subscriber_id AND (doubt.resent_at IS NULL OR NOT :by_guess)
                RETURNING delivery.subscriber_id
            ), noted AS (
                UPDATE doubt SET resent_at = now() FROM settled
                WHERE :by_guess AND doubt.mailing_id = :mailing_id AND doubt.subscriber_id = settled.subscriber_id
            ), {_BY_CHUNK}
            UPDATE chunk SET unconfirmed = unconfirmed - by_chunk.readers, send_after = NULL,
                             state = CASE state WHEN 'done' THEN 'free' ELSE state END
            FROM by_chunk WHERE chunk.id = by_chunk.id
            RETURNING by_chunk.readers
        """),
        {"mailing_id": mailing_id, "readers": list(reader_ids), "by_guess": by_guess},
    ).scalars()
    handed_back: int = sum(opened)
    if handed_back:
        db.session.execute(
            text("""
                UPDATE mailing SET state = CASE state WHEN 'finished' THEN 'sending' ELSE state END,
                    finished_at = NULL, expires_at = greatest(expires_at, now() + CAST(:at_least AS interval))
                WHERE id = :id
            """),
            {"id": mailing_id, "at_least": AT_LEAST},
        )
    return handed_back


_SHAPE = """doubt.mailing_id, doubt.subscriber_id, coalesce(mailing.root_id, mailing.id) AS root_id,
            doubt.host, doubt.at, mailing.started_at, delivery.reply"""
_OPEN = """
            FROM doubt JOIN mailing ON mailing.id = doubt.mailing_id
                 JOIN delivery USING (mailing_id, subscriber_id)
            WHERE delivery.outcome = 'unconfirmed' AND mailing.doubts_settled_at IS NULL AND mailing.state <> 'stopped'
              AND doubt.at < now() - CAST(:older_than AS interval)"""
_BY_CHUNK = """by_chunk AS (
                SELECT chunk.id, count(*) AS readers FROM chunk, unnest(chunk.reader_ids) AS reader (id)
                WHERE chunk.mailing_id = :mailing_id AND chunk.reader_ids && CAST(:readers AS bigint[])
                  AND reader.id IN (SELECT subscriber_id FROM settled)
                GROUP BY chunk.id
            )"""


def _lock(mailing_id: int, reader_ids: Sequence[int]) -> bool:
    """Hold the rows that will change. False if nothing of this mailing may be sent any more."""
    is_open = db.session.scalar(
        text("SELECT state <> 'stopped' AND doubts_settled_at IS NULL FROM mailing WHERE id = :id FOR UPDATE"),
        {"id": mailing_id},
    )
    db.session.execute(
        text("""
            SELECT id FROM chunk WHERE mailing_id = :id AND reader_ids && CAST(:readers AS bigint[])
            ORDER BY id FOR UPDATE
        """),
        {"id": mailing_id, "readers": list(reader_ids)},
    )
    return bool(is_open)


def _doubt(row) -> Doubt:  # type: ignore[no-untyped-def]  # of _SHAPE
    return Doubt(
        row.mailing_id,
        row.subscriber_id,
        letters.message_id(row.root_id, row.subscriber_id),
        row.host,
        row.started_at,
        row.at,
        row.reply,
    )
