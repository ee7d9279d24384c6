"""The ledger of a mailing counted again, against the audience that was frozen at its start; and a signed statement.

All counting is done by the database, in one snapshot: a million readers cost no memory here.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from newsletter import clock, links
from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.sending.models import Mailing, Outcome

SHOWN = 20  # readers that are named for one kind of difference
FORMAT = "newsletter mailing statement 1"


class NotAStatement(NewsletterError):
    """A file that is no statement, was changed, or was signed by somebody else."""


@dataclass(frozen=True)
class Statement:
    """What was counted, what does not add up, and the line that says both and is signed."""

    counted: Mapping[str, Any]
    differences: tuple[str, ...]
    line: str


def verify(mailing: Mailing) -> Statement:
    """Count everything again. Ends the current transaction, so that all is counted at one moment."""
    mailing_id = mailing.id
    db.session.rollback()
    db.session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    try:
        mailing = db.session.get_one(Mailing, mailing_id, populate_existing=True)
        sums, digest, differences = _by_chunk(mailing_id)
        differences += _whole(mailing, sums)
        counted = {
            "format": FORMAT,
            "site": settings().site_url,
            "mailing": mailing.id,
            "post": mailing.post_id,
            "state": str(mailing.state),
            "started_at": mailing.started_at.isoformat(),
            "finished_at": mailing.finished_at.isoformat() if mailing.finished_at else None,
            "audience": mailing.audience_count,
            **sums,
            "outcomes_sha256": digest,
            "differences": differences,
            "counted_at": clock.now().isoformat(),
        }
    finally:
        db.session.rollback()
    return Statement(counted, tuple(differences), _signed(counted))


def check(line: str) -> Mapping[str, Any]:
    """What a statement says, if it was signed here and nothing of it was changed. Raises NotAStatement."""
    try:
        told = json.loads(line)
        said, signature = told["statement"], base64.b64decode(told["signature"], validate=True)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(told["public_key"], validate=True))
        key.verify(signature, _canonical(said))
    except InvalidSignature:
        raise NotAStatement("This statement was changed after it was signed.") from None
    except (ValueError, KeyError, TypeError):
        raise NotAStatement("This is not a statement of a mailing.") from None
    if told["public_key"] != public_key():
        raise NotAStatement(f"This statement was not signed here, but with the key {told['public_key']}.")
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise NotAStatement("This is not a statement of a mailing.")
    return said


def public_key() -> str:
    """Base64 of the 32 bytes of RFC 8032. It stays the same when SECRET_KEY is replaced and the old one kept."""
    public = _key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(public).decode()


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(links.fingerprint("statement", "ed25519"))


def _signed(counted: Mapping[str, Any]) -> str:
    signature = base64.b64encode(_key().sign(_canonical(counted))).decode()
    return json.dumps({"statement": counted, "public_key": public_key(), "signature": signature}, ensure_ascii=False)


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _by_chunk(mailing_id: int) -> tuple[dict[str, int], str, list[str]]:
    """The sums over all chunks, a digest of every reader's outcome, and what differs inside a chunk."""
    sums = dict.fromkeys((*(outcome.value for outcome in Outcome), "open", "waiting"), 0)
    digest = hashlib.sha256()
    differences: list[str] = []
    rows = db.session.connection().execution_options(stream_results=True).execute(_CHUNKS, {"id": mailing_id})
    for row in rows:
        digest.update(row.digest)
        for name in sums:
            sums[name] += getattr(row, name)
        if row.size != row.readers:
            differences.append(f"Chunk {row.number} has {row.readers} readers, and says {row.size}.")
        for outcome in Outcome:
            found, said = getattr(row, outcome.value), getattr(row, f"said_{outcome.value}")
            if found != said:
                differences.append(f"Chunk {row.number} has {found} {outcome}, and says {said}.")
        if row.state == "done" and row.open:
            differences.append(f"Chunk {row.number} is done, and {row.open} of its readers have no outcome.")
    return sums, digest.hexdigest(), differences


def _whole(mailing: Mailing, sums: dict[str, int]) -> list[str]:
    """What differs over the mailing as a whole: readers are named by their numbers."""
    differences = []
    total = sum(sums[outcome.value] for outcome in Outcome) + sums["open"]
    if total != mailing.audience_count:
        differences.append(f"The audience was {mailing.audience_count}, and its chunks have {total} readers.")
    if mailing.finished_at is not None and sums["open"]:
        differences.append(f"The mailing is over, and {sums['open']} readers have no outcome.")
    for words, query in _NAMED.items():
        if words.startswith("No outcome") and mailing.finished_at is None:
            continue
        found = list(db.session.scalars(text(query), {"id": mailing.id, "most": SHOWN + 1}))
        if found:
            more = " and more" if len(found) > SHOWN else ""
            differences.append(f"{words}: {', '.join(map(str, found[:SHOWN]))}{more}.")
    return differences


_CHUNKS = text("""
    SELECT chunk.number, chunk.state, chunk.size, coalesce(cardinality(chunk.reader_ids), 0) AS readers,
           chunk.accepted AS said_accepted, chunk.refused AS said_refused, chunk.skipped AS said_skipped,
           chunk.expired AS said_expired, chunk.unconfirmed AS said_unconfirmed, found.*
    FROM chunk, LATERAL (
        SELECT count(*) FILTER (WHERE delivery.outcome = 'accepted') AS accepted,
               count(*) FILTER (WHERE delivery.outcome = 'refused') AS refused,
               count(*) FILTER (WHERE delivery.outcome = 'skipped') AS skipped,
               count(*) FILTER (WHERE delivery.outcome = 'expired') AS expired,
               count(*) FILTER (WHERE delivery.outcome = 'unconfirmed') AS unconfirmed,
               count(*) FILTER (WHERE delivery.outcome IS NULL) AS open,
               count(waiting.subscriber_id) AS waiting,
               sha256(convert_to(coalesce(string_agg(
                   reader.id || ' ' || coalesce(delivery.outcome, 'open'), ',' ORDER BY reader.id), ''), 'UTF8'))
                   AS digest
        FROM unnest(chunk.reader_ids) AS reader (id)
             LEFT JOIN delivery ON delivery.mailing_id = chunk.mailing_id AND delivery.subscriber_id = reader.id
             LEFT JOIN waiting ON waiting.mailing_id = chunk.mailing_id AND waiting.subscriber_id = reader.id
    ) AS found
    WHERE chunk.mailing_id = :id ORDER BY chunk.number
""")

_READERS = "SELECT reader.id FROM chunk, unnest(chunk.reader_ids) AS reader (id) WHERE chunk.mailing_id = :id"
_NAMED = {
    "In the audience twice": f"{_READERS} GROUP BY reader.id HAVING count(*) > 1 ORDER BY 1 LIMIT :most",
    "An outcome, and not in the audience": f"""
        SELECT subscriber_id FROM delivery WHERE mailing_id = :id AND subscriber_id NOT IN ({_READERS})
        ORDER BY 1 LIMIT :most""",  # noqa: S608  # constants of ours
    "No outcome": f"""
        {_READERS} AND NOT EXISTS (SELECT FROM delivery WHERE mailing_id = :id AND subscriber_id = reader.id)
        ORDER BY 1 LIMIT :most""",
    "Waiting, and not in the audience": f"""
        SELECT subscriber_id FROM waiting WHERE mailing_id = :id AND subscriber_id NOT IN ({_READERS})
        ORDER BY 1 LIMIT :most""",  # noqa: S608
    "Waiting, although there is an outcome": """
        SELECT waiting.subscriber_id FROM waiting JOIN delivery USING (mailing_id, subscriber_id)
        WHERE waiting.mailing_id = :id ORDER BY 1 LIMIT :most""",
}
