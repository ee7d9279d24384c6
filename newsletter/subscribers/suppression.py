"""Bounced, complained, refused, erased: addresses that are never written to again, known by a keyed hash alone."""

from collections.abc import Iterable, Sequence

from sqlalchemy import LargeBinary, Text, any_, bindparam, cast, exists, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from newsletter import links
from newsletter.db import Rehearsed, array_of_texts, db
from newsletter.publication.models import Publication
from newsletter.subscribers.models import Subscriber, Suppression, SuppressionReason

_PURPOSE = "suppression"


def suppress(email_key: str, reason: SuppressionReason, publication_id: int | None = None) -> None:
    """Never write to this address again. The first reason stays; saying it twice changes nothing."""
    publication_id = publication_id or Publication.current().id
    db.session.execute(
        insert(Suppression)
        .values(address_hash=_hash(email_key), publication_id=publication_id, reason=reason)
        .on_conflict_do_nothing()
    )
    db.session.execute(
        update(Subscriber)
        .where(
            Subscriber.publication_id == publication_id,
            Subscriber.email_key == email_key,
            Subscriber.suppressed_at.is_(None),
        )
        .values(suppressed_at=func.now())
    )


def suppress_all(email_keys: Iterable[str], reason: SuppressionReason, publication_id: int) -> None:
    """The same for many at once, in two statements. Always in one order: nobody waits for each other."""
    keys = sorted(set(email_keys))
    if not keys:
        return
    rows = [{"address_hash": _hash(key), "publication_id": publication_id, "reason": reason} for key in keys]
    rows.sort(key=lambda row: str(row["address_hash"]))
    db.session.execute(insert(Suppression).values(rows).on_conflict_do_nothing())
    db.session.execute(
        update(Subscriber)
        .where(
            Subscriber.publication_id == publication_id,
            Subscriber.email_key.in_(keys),
            Subscriber.suppressed_at.is_(None),
        )
        .values(suppressed_at=func.now())
    )


def is_suppressed(email_key: str) -> bool:
    return bool(db.session.scalar(select(exists().where(Suppression.address_hash == _hash(email_key)))))


def known(email_keys: Iterable[str]) -> dict[str, Suppression]:
    """Which of these addresses are never written to again, and why: for many at once."""
    keys = {_hash(email_key): email_key for email_key in email_keys}
    # One parameter, however many: a statement of a thousand is parsed anew each time.
    hashes = bindparam("hashes", list(keys), type_=ARRAY(LargeBinary))
    found = db.session.scalars(select(Suppression).where(Suppression.address_hash == any_(hashes)))
    return {keys[suppression.address_hash]: suppression for suppression in found}


def barred(email_keys: Sequence[str]) -> set[str]:
    """Which of these addresses are never written to again. Quick: asked for every message."""
    hashed = links.fingerprinter(_PURPOSE)
    keys = {hashed(email_key): email_key for email_key in email_keys}
    return {keys[found] for (found,) in _AMONG.rows(hashes=array_of_texts(f"\\x{each.hex()}" for each in keys))}


_AMONG = Rehearsed(
    select(Suppression.address_hash).where(
        Suppression.address_hash == any_(cast(bindparam("hashes", type_=Text), ARRAY(LargeBinary)))
    )
)


def _hash(email_key: str) -> bytes:
    return links.fingerprint(_PURPOSE, email_key)
