"""Proof of consent: the words a person saw, and what they did. Written once, never changed but by erasure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter import clock
from newsletter.db import db
from newsletter.subscribers.models import ConsentEvent, ConsentKind, Subscriber


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a person's word came from."""

    form_url: str = ""
    network: str = ""  # the truncated IP: /24 or /48
    user_agent: str = ""


NOWHERE = Origin()


def record(
    subscriber: Subscriber,
    kind: ConsentKind,
    *,
    newsletter_ids: Iterable[int] = (),
    wording: str = "",
    origin: Origin = NOWHERE,
    at: datetime | None = None,
    **detail: Any,  # what this kind of event is about: plain JSON values
) -> ConsentEvent:
    event = ConsentEvent(
        subscriber_id=subscriber.id,
        kind=kind,
        newsletter_ids=sorted(newsletter_ids),
        wording=wording,
        form_url=origin.form_url[:500],
        network=origin.network,
        user_agent=origin.user_agent[:300],
        detail={name: value for name, value in detail.items() if value not in (None, "")},
        at=at or clock.now(),
    )
    db.session.add(event)
    db.session.flush()
    return event


def wording(publication: str, newsletters: Sequence[str]) -> str:
    """The text beside the button of every sign-up form, and in the record of whoever pressed it."""
    asked = newsletters[0] if len(newsletters) == 1 else "the newsletters I choose here"
    source = "" if asked == publication else f" from {publication}"
    return (
        f"I want to get {asked}{source} by email. "
        "First I get one message to confirm this. I can leave at any time by a link in every message."
    )
