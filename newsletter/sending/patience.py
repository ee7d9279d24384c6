"""How long soft bounces are borne: a full mailbox may be emptied, but not for ever."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Row, text

from newsletter import clock
from newsletter.db import db

IN_A_ROW = 5
ACROSS = timedelta(days=14)
MAY_STILL_COME_BACK = timedelta(days=3)  # a message without a bounce has arrived when it is older than this
LOOKED_AT = 200  # messages of one reader


def run_out(reader_ids: Sequence[int]) -> set[int]:
    """Readers whose last messages all bounced softly: five or more in a row, the first and last two weeks apart.

    A message that arrived ends the row. One that was never tried, was blocked because of us, or may still come back
    is passed over.
    """
    rows = db.session.execute(
        text("""
            SELECT reader.id, tried.at, tried.outcome, bounced.is_soft
            FROM unnest(CAST(:readers AS bigint[])) AS reader (id)
            CROSS JOIN LATERAL (
                SELECT mailing_id, outcome, at FROM delivery
                WHERE subscriber_id = reader.id AND outcome IN ('accepted', 'refused', 'expired')
                ORDER BY at DESC LIMIT :looked_at
            ) AS tried
            LEFT JOIN LATERAL (
                SELECT bool_or(kind = 'soft') AS is_soft FROM bounce
                WHERE bounce.mailing_id = tried.mailing_id AND bounce.subscriber_id = reader.id
            ) AS bounced ON true
            ORDER BY reader.id, tried.at DESC
        """),
        {"readers": list(reader_ids), "looked_at": LOOKED_AT},
    ).all()
    return {reader_id for reader_id, tried in groupby(rows, lambda row: int(row.id)) if _has_run_out(tried)}


def _has_run_out(tried: Iterable[Row[tuple[int, datetime, str, bool | None]]]) -> bool:
    """Newest first."""
    settled = clock.now() - MAY_STILL_COME_BACK
    soft: list[datetime] = []
    for row in tried:
        if row.is_soft:
            soft.append(row.at)
        elif row.is_soft is None and row.outcome == "accepted" and row.at < settled:
            break
    return len(soft) >= IN_A_ROW and soft[0] - soft[-1] >= ACROSS
