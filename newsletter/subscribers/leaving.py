"""Leaving: by the page, by one click of a mail program, or by a mail. It takes effect at once and can be undone."""

import re
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from newsletter import clock, links
from newsletter.db import db
from newsletter.links import BadLink, Purpose
from newsletter.subscribers import consent, subscriptions
from newsletter.subscribers.consent import NOWHERE, Origin
from newsletter.subscribers.models import ConsentEvent, ConsentKind, Subscriber, Subscription

UNDO_LASTS = timedelta(days=1)
LONGEST_REASON = 500

_MAILBOX = re.compile(r"leave\+([a-z2-7]+)@", re.IGNORECASE)


@dataclass(frozen=True)
class Left:
    """What leaving did. Without newsletters there was nothing left to leave."""

    newsletter_ids: tuple[int, ...] = ()
    undo_token: str = ""


def leave(
    subscriber_id: int,
    newsletter_id: int | None,
    *,
    mailing_id: int | None = None,
    reason: str = "",
    origin: Origin = NOWHERE,
    way: str = "page",
) -> Left:
    """Take a reader off one newsletter, or off all. Safe to say twice, and for someone we no longer know."""
    subscriber = locked(subscriber_id)
    if subscriber is None:
        return Left()
    now = clock.now()
    chosen = None if newsletter_id is None else [newsletter_id]
    ids = subscriptions.take_off(subscriber, chosen, at=now, mailing_id=mailing_id, reason=reason[:LONGEST_REASON])
    if not ids:
        return Left()
    event = consent.record(
        subscriber,
        ConsentKind.LEFT,
        newsletter_ids=ids,
        origin=origin,
        at=now,
        mailing_id=mailing_id,
        way=way,
    )
    return Left(tuple(ids), links.sign(Purpose.UNDO_LEAVE, subscriber_id, newsletter_id or 0, event.id))


def already_left(subscriber_id: int, newsletter_id: int) -> Left | None:
    """What an earlier leaving took, with its way back while there is one. None for who is still on the newsletter."""
    gone = db.session.scalar(
        select(Subscription).where(
            Subscription.subscriber_id == subscriber_id,
            Subscription.newsletter_id == newsletter_id,
            Subscription.left_at.is_not(None),
        )
    )
    if gone is None:
        return None
    event = db.session.scalar(
        select(ConsentEvent).where(
            ConsentEvent.subscriber_id == subscriber_id,
            ConsentEvent.kind == ConsentKind.LEFT,
            ConsentEvent.at == gone.left_at,
        )
    )
    if event is None or event.at < clock.now() - UNDO_LASTS:
        return Left((newsletter_id,))
    return Left(tuple(event.newsletter_ids), links.sign(Purpose.UNDO_LEAVE, subscriber_id, newsletter_id, event.id))


def undo_leave(token: str, origin: Origin = NOWHERE) -> list[int]:
    """Put a reader back on what one leaving took. Returns the ids; none when it is too late. Raises BadLink."""
    subscriber_id, _, event_id = links.read(Purpose.UNDO_LEAVE, token)
    subscriber, event = locked(subscriber_id), db.session.get(ConsentEvent, event_id)
    if not subscriber or not event or event.subscriber_id != subscriber_id or event.at < clock.now() - UNDO_LASTS:
        return []
    ids = subscriptions.take_back(subscriber, event.newsletter_ids, left_at=event.at)
    if ids:
        consent.record(subscriber, ConsentKind.RETURNED, newsletter_ids=ids, origin=origin, undone=event.id)
    return ids


def explain(undo_token: str, reason: str) -> None:
    """Keep why someone left, if they care to say, with what that leaving took. Raises BadLink."""
    subscriber_id, _, event_id = links.read(Purpose.UNDO_LEAVE, undo_token)
    event = db.session.get(ConsentEvent, event_id)
    if event is None or event.subscriber_id != subscriber_id:
        return
    for subscription in db.session.scalars(
        select(Subscription).where(Subscription.subscriber_id == subscriber_id, Subscription.left_at == event.at)
    ):
        subscription.reason = " ".join(reason.split())[:LONGEST_REASON]


def leave_by_mail(recipient: str) -> bool:
    """A mail came to leave+TOKEN@domain: the token is the proof, and nothing else of the mail is believed."""
    address = _MAILBOX.match(recipient.strip().lstrip("<"))
    if not address:
        return False
    try:
        subscriber_id, newsletter_id, mailing_id = links.read(Purpose.LEAVE, address[1])
    except BadLink:
        return False
    leave(subscriber_id, newsletter_id or None, mailing_id=mailing_id or None, way="mail")
    return True


def is_leave_address(address: str) -> bool:
    """Whether mail to this address takes somebody off: it holds a token of ours."""
    found = _MAILBOX.match(address.strip().lstrip("<"))
    try:
        return found is not None and len(links.read(Purpose.LEAVE, found[1])) == 3
    except BadLink:
        return False


def locked(subscriber_id: int) -> Subscriber | None:
    """The subscriber, held until the commit, as the database knows them now."""
    return db.session.scalar(
        select(Subscriber)
        .where(Subscriber.id == subscriber_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
