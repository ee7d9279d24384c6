"""The people of the tests, always the same four."""

from datetime import timedelta

from newsletter import clock
from newsletter.subscribers.models import Subscriber
from tests import factories


def ada() -> Subscriber:
    """A free reader."""
    return factories.subscriber("ada@example.com", name="Ada")


def grace() -> Subscriber:
    """A paying reader."""
    reader = factories.subscriber("grace@example.com", name="Grace")
    factories.member(reader)
    return reader


def linus() -> Subscriber:
    """Has left."""
    reader = factories.subscriber("linus@example.com", name="Linus")
    for subscription in reader.subscriptions:
        subscription.left_at = clock.now() - timedelta(days=3)
    return reader
