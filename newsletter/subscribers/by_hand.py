"""What staff do with one reader: add, take off, never write again. A reader's own word always weighs more."""

from collections.abc import Sequence

from newsletter import clock
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.publication.models import Newsletter
from newsletter.subscribers import consent, leaving, subscriptions, suppression
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.leaving import Left
from newsletter.subscribers.models import ConsentKind, Subscriber, SubscriberState, SuppressionReason
from newsletter.subscribers.signup import tidy_name


class MayNotBeAdded(NewsletterError):
    status = 422


def vouch(
    address: Address, newsletters: Sequence[Newsletter], *, name: str = "", source: str, staff_id: int
) -> Subscriber:
    """Add a reader who has agreed elsewhere, with the proof in words. Mails nothing.

    Raises MayNotBeAdded for who asked never to be written to, and for who has left: they can only come back themselves.
    """
    if suppression.is_suppressed(address.key):
        raise MayNotBeAdded("We never write to this address again: it bounced, or its owner said so.")
    subscriber = Subscriber.by_key(address.key)
    if subscriber and subscriber.confirmed_at and subscriber.state is SubscriberState.LEFT:
        raise MayNotBeAdded("This reader has left. Ask them to confirm, then they decide.")
    if subscriber is None:
        subscriber = Subscriber(
            publication_id=newsletters[0].publication_id, email=address.email, email_key=address.key, source="by hand"
        )
        db.session.add(subscriber)
        db.session.flush()
    wanted = [each for each in newsletters if not _left(subscriber, each)]
    # What someone typed into a form and never confirmed is not what staff vouch for.
    is_new = subscriber.confirmed_at is None
    joined = subscriptions.put_on(subscriber, wanted, only=is_new)
    subscriber.confirmed_at = subscriber.confirmed_at or clock.now()
    subscriber.name = subscriber.name or tidy_name(name)
    if agreed := [newsletter.id for newsletter in wanted] if is_new else joined:
        consent.record(subscriber, ConsentKind.ADDED, newsletter_ids=agreed, source=source.strip(), staff=staff_id)
    return subscriber


def take_off(subscriber: Subscriber) -> Left:
    """Off all newsletters. They can come back by themselves."""
    return leaving.leave(subscriber.id, None, way="staff")


def never_write_again(subscriber: Subscriber) -> None:
    """For good: no mailing and no notice, not even if someone signs this address up again."""
    if subscriber.email_key is None:
        return
    leaving.leave(subscriber.id, None, way="staff")
    suppression.suppress(subscriber.email_key, SuppressionReason.STAFF, subscriber.publication_id)


def _left(subscriber: Subscriber, newsletter: Newsletter) -> bool:
    return any(each.newsletter_id == newsletter.id and each.left_at for each in subscriber.subscriptions)
