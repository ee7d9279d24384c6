"""A reader's own feed: its address is a key, which they can change or take away."""

from newsletter import clock, links
from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NotFound
from newsletter.links import Purpose
from newsletter.subscribers.models import Subscriber


class NoSuchFeed(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no feed at this address any more. Find the present one in your account.")


def make(reader: Subscriber) -> None:
    """At a fresh address; an earlier one leads nowhere from now on."""
    reader.feed_number += 1
    reader.feed_since = clock.now()


def switch_off(reader: Subscriber) -> None:
    reader.feed_since = None


def url(reader: Subscriber) -> str:
    """Empty where there is none."""
    if reader.feed_since is None:
        return ""
    return f"{settings().site_url}/feed/{links.sign(Purpose.FEED, reader.id, reader.feed_number)}.xml"


def reader_of(token: str) -> Subscriber:
    """Raises BadLink, NoSuchFeed."""
    subscriber_id, number = links.read(Purpose.FEED, token)
    reader = db.session.get(Subscriber, subscriber_id)
    if reader is None or reader.email is None or reader.feed_since is None or reader.feed_number != number:
        raise NoSuchFeed
    return reader
