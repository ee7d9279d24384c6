"""What a reader decides for themselves, at any time and without signing in."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from newsletter import clock
from newsletter.errors import NewsletterError
from newsletter.publication.models import Newsletter
from newsletter.subscribers import consent, subscriptions
from newsletter.subscribers.consent import NOWHERE, Origin
from newsletter.subscribers.erasure import ask_erasure, erase
from newsletter.subscribers.leaving import leave, leave_by_mail, undo_leave
from newsletter.subscribers.models import ConsentKind, Subscriber
from newsletter.subscribers.moving import ask_new_address, change_address
from newsletter.subscribers.signup import tidy_name

__all__ = [
    "ask_erasure",
    "ask_new_address",
    "change_address",
    "choose",
    "erase",
    "leave",
    "leave_by_mail",
    "pause",
    "rename",
    "resume",
    "undo_leave",
]

LONGEST_PAUSE = timedelta(days=2 * 366)


class BadPause(NewsletterError):
    status = 422


def choose(
    subscriber: Subscriber, newsletters: Sequence[Newsletter], *, wording: str = "", origin: Origin = NOWHERE
) -> None:
    """Be on exactly these newsletters from now on."""
    now = clock.now()
    wanted = {newsletter.id for newsletter in newsletters}
    had = {newsletter.id for newsletter in subscriber.newsletters}
    if left := subscriptions.take_off(subscriber, had - wanted, at=now):
        consent.record(
            subscriber, ConsentKind.LEFT, newsletter_ids=left, wording=wording, origin=origin, at=now, way="preferences"
        )
    if joined := subscriptions.put_on(subscriber, newsletters):
        kind = ConsentKind.CHANGED if had else ConsentKind.RETURNED
        consent.record(subscriber, kind, newsletter_ids=joined, wording=wording, origin=origin)


def rename(subscriber: Subscriber, name: str) -> None:
    subscriber.name = tidy_name(name)


def pause(subscriber: Subscriber, until: datetime, *, origin: Origin = NOWHERE) -> None:
    """Send nothing until then. Raises BadPause for a moment that has passed or lies years ahead."""
    if until <= clock.now():
        raise BadPause("That day has passed. Choose a later one.")
    if until > clock.now() + LONGEST_PAUSE:
        raise BadPause("That is more than two years ahead. Leave instead, and come back when you like.")
    subscriber.paused_until = until
    consent.record(subscriber, ConsentKind.PAUSED, origin=origin, until=until.isoformat())


def resume(subscriber: Subscriber, *, origin: Origin = NOWHERE) -> None:
    """End a pause now."""
    if subscriber.paused_until:
        subscriber.paused_until = None
        consent.record(subscriber, ConsentKind.RETURNED, origin=origin)
