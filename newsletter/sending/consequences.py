"""What a bounce or a complaint means for its reader: never written to again, at once or when patience has run out."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, func, select

from newsletter.db import db
from newsletter.sending import patience
from newsletter.sending.models import Bounce, BounceKind, Delivery, Mailing
from newsletter.subscribers import consent, notices, suppression
from newsletter.subscribers.models import ConsentEvent, ConsentKind, Notice, Subscriber, SuppressionReason

NOT_FOUND = "the mailbox does not exist"
GIVEN_UP = f"{patience.IN_A_ROW} messages in a row came back, over {patience.ACROSS.days} days or more"


def never_again(readers: Sequence[Subscriber], said: Bounce, reason: str = "") -> None:
    """Suppress these readers of a mailing, with the reason in their record.

    A message that was on its way to an address they have left since says nothing about the new one; a complaint is
    the word of a person, wherever it was read.
    """
    is_complaint = said.kind is BounceKind.COMPLAINT
    moved = set() if is_complaint else _moved_since(said.mailing_id or 0, [reader.id for reader in readers])
    barred = [reader for reader in readers if reader.email_key and not reader.suppressed_at and reader.id not in moved]
    if not barred:
        return
    suppression.suppress_all(
        (reader.email_key for reader in barred if reader.email_key),
        SuppressionReason.COMPLAINED if is_complaint else SuppressionReason.BOUNCED,
        barred[0].publication_id,
    )
    for reader in barred:
        _put_on_record(reader, said, reason)


def never_again_at(notice: Notice, said: Bounce) -> None:
    """Suppress the address that a notice went to. What goes to staff suppresses nobody."""
    if notice.kind in notices.FOR_STAFF or not notice.address_key:
        return
    reader = Subscriber.by_key(notice.address_key)
    is_news = reader is not None and reader.suppressed_at is None
    is_complaint = said.kind is BounceKind.COMPLAINT
    why = SuppressionReason.COMPLAINED if is_complaint else SuppressionReason.BOUNCED
    suppression.suppress(notice.address_key, why, notice.publication_id)
    if reader and is_news:
        _put_on_record(reader, said, "")


def lose_patience(readers: Sequence[Subscriber], said: Bounce) -> None:
    """Suppress those of these readers whose messages have come back for long enough."""
    given_up = patience.run_out([reader.id for reader in readers])
    never_again([reader for reader in readers if reader.id in given_up], said, GIVEN_UP)


def _put_on_record(reader: Subscriber, said: Bounce, reason: str) -> None:
    is_complaint = said.kind is BounceKind.COMPLAINT
    consent.record(
        reader,
        ConsentKind.COMPLAINED if is_complaint else ConsentKind.BOUNCED,
        mailing_id=said.mailing_id,
        reason="" if is_complaint else reason or NOT_FOUND,
        way=said.source,
    )


def _moved_since(mailing_id: int, reader_ids: Sequence[int]) -> set[int]:
    """Those whose address was changed, or taken back, after this mailing had been written to them."""
    written_at: ColumnElement[object] = func.coalesce(Delivery.at, Mailing.started_at)
    changed = exists().where(
        ConsentEvent.subscriber_id == Subscriber.id,
        ConsentEvent.kind == ConsentKind.CHANGED,
        ConsentEvent.detail["what"].astext.startswith("address"),
        ConsentEvent.at > written_at,
    )
    query = (
        select(Subscriber.id)
        .join(Mailing, Mailing.id == mailing_id)
        .outerjoin(Delivery, (Delivery.mailing_id == mailing_id) & (Delivery.subscriber_id == Subscriber.id))
        .where(Subscriber.id.in_(reader_ids), changed)
    )
    return set(db.session.scalars(query))
