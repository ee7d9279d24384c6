"""Who is looking: the reader that this browser is signed in as, if any."""

from newsletter.subscribers.models import Subscriber


def reader() -> Subscriber | None:
    return None
