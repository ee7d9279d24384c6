"""Which newsletters a person is on: joining and leaving, row by row."""

from collections.abc import Collection, Iterable
from datetime import datetime

from newsletter import clock
from newsletter.publication.models import Newsletter
from newsletter.subscribers.models import Subscriber, Subscription


def put_on(subscriber: Subscriber, newsletters: Iterable[Newsletter], *, only: bool = False) -> list[int]:
    """Join these newsletters; with `only`, forget all others. Returns the ids of those newly joined."""
    known = {subscription.newsletter_id: subscription for subscription in subscriber.subscriptions}
    wanted = {newsletter.id: newsletter for newsletter in newsletters}
    if only:
        subscriber.subscriptions = [each for each in subscriber.subscriptions if each.newsletter_id in wanted]
    joined = []
    for id_, newsletter in wanted.items():
        if id_ not in known:
            subscriber.subscriptions.append(
                Subscription(newsletter_id=id_, newsletter=newsletter, joined_at=clock.now())
            )
        elif known[id_].left_at:
            _rejoin(known[id_])
        else:
            continue
        joined.append(id_)
    return joined


def take_off(
    subscriber: Subscriber,
    newsletter_ids: Collection[int] | None = None,
    *,
    at: datetime,
    mailing_id: int | None = None,
    reason: str = "",
) -> list[int]:
    """Leave these newsletters, or all. Returns the ids of those that were left just now."""
    leaving = [
        subscription
        for subscription in subscriber.subscriptions
        if subscription.left_at is None and (newsletter_ids is None or subscription.newsletter_id in newsletter_ids)
    ]
    for subscription in leaving:
        subscription.left_at = at
        subscription.left_by_mailing_id = mailing_id
        subscription.reason = reason
    return [subscription.newsletter_id for subscription in leaving]


def take_back(subscriber: Subscriber, newsletter_ids: Collection[int], *, left_at: datetime) -> list[int]:
    """Undo one leaving, known by its moment. What was left again since stays left."""
    returning = [
        subscription
        for subscription in subscriber.subscriptions
        if subscription.left_at == left_at and subscription.newsletter_id in newsletter_ids
    ]
    for subscription in returning:
        _rejoin(subscription)
    return [subscription.newsletter_id for subscription in returning]


def _rejoin(subscription: Subscription) -> None:
    subscription.left_at = None
    subscription.left_by_mailing_id = None
    subscription.reason = ""
    subscription.joined_at = clock.now()
