"""The least that is valid. A test states only what it is about."""

from datetime import timedelta
from typing import Any

from newsletter import clock
from newsletter.db import db
from newsletter.posts.models import Post
from newsletter.publication.models import Newsletter, Publication
from newsletter.subscribers.models import Subscriber, Subscription
from newsletter.tiers.models import Membership, Tier


def publication(**given: Any) -> Publication:
    made = Publication(
        **{"name": "Slow Letters", "postal_address": "1 Mill Lane, Ambridge", "time_zone": "Europe/Berlin", **given}
    )
    db.session.add(made)
    db.session.flush()
    return made


def newsletter(**given: Any) -> Newsletter:
    owner = given.pop("publication", None) or Publication.find() or publication()
    defaults = {
        "publication_id": owner.id,
        "slug": "weekly",
        "name": "The Weekly",
        "sender_name": "Ken at Slow Letters",
        "sender_email": "ken@letters.example.org",
    }
    made = Newsletter(**{**defaults, **given})
    db.session.add(made)
    db.session.flush()
    return made


def subscriber(email: str, *, on: list[Newsletter] | None = None, **given: Any) -> Subscriber:
    """A confirmed reader of the first newsletter, unless told otherwise."""
    lists = [Newsletter.by_slug("weekly") or newsletter()] if on is None else on
    owner = Publication.current()
    defaults = {"publication_id": owner.id, "email": email, "email_key": email.lower(), "confirmed_at": clock.now()}
    made = Subscriber(**{**defaults, **given})
    made.subscriptions = [Subscription(newsletter=chosen) for chosen in lists]
    db.session.add(made)
    db.session.flush()
    return made


def member(subscriber: Subscriber, **given: Any) -> Membership:
    tier = Tier.by_slug("supporter") or Tier(
        publication_id=subscriber.publication_id, slug="supporter", name="Supporter"
    )
    db.session.add(tier)
    db.session.flush()
    made = Membership(
        **{"subscriber_id": subscriber.id, "tier": tier, "started_at": clock.now() - timedelta(days=1), **given}
    )
    db.session.add(made)
    db.session.flush()
    return made


def post(**given: Any) -> Post:
    from newsletter.posts import publishing

    title = given.get("title", "On slow mail")
    source = given.pop("source", None) or (
        f"---\ntitle: {title}\nsubtitle: A defence of waiting\n---\n\nHello {{name|there}}.\n"
    )
    on = given.pop("newsletter", None) or Newsletter.by_slug("weekly") or newsletter()
    made = publishing.write(source, newsletter=on, user_id=None)
    db.session.flush()
    return made
