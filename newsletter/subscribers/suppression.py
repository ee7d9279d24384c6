"""Bounced, complained, refused, erased: addresses that are never written to again, known by a keyed hash alone."""

from collections.abc import Iterable

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from newsletter import links
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.subscribers.models import Subscriber, Suppression, SuppressionReason


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


def is_suppressed(email_key: str) -> bool:
    return bool(db.session.scalar(select(exists().where(Suppression.address_hash == _hash(email_key)))))


def known(email_keys: Iterable[str]) -> dict[str, Suppression]:
    """Which of these addresses are never written to again, and why: for many at once."""
    keys = {_hash(email_key): email_key for email_key in email_keys}
    found = db.session.scalars(select(Suppression).where(Suppression.address_hash.in_(keys)))
    return {keys[suppression.address_hash]: suppression for suppression in found}


def _hash(email_key: str) -> bytes:
    return links.fingerprint("suppression", email_key)
