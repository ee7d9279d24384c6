"""Those who pay in the demo, at the practice till: for some days or for two years, so that figures have a past."""

import json
import urllib.request

from sqlalchemy import select

from newsletter import clock, config
from newsletter.billing import PRACTICE_KEY, connecting, counterparts, reconciling
from newsletter.billing import stripe as provider
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.subscribers.models import Subscriber
from newsletter.tiers.models import Cadence, Membership, MembershipKind

PART_OF_A_DAY = 0.3  # who pays was not here at this very moment of another day
GIVEN = 5  # every fifth holds the tier by the author's hand, and goes on so


def settle() -> None:
    """Connect the till, and let those who were given a tier pay for it there. Safe to run twice."""
    connecting.connect(Publication.current(), PRACTICE_KEY)
    db.session.commit()
    if db.session.scalar(select(Membership.id).where(Membership.kind == MembershipKind.PAID).limit(1)):
        return
    account, stripe = provider.connected()
    query = (
        select(Membership, Subscriber)
        .join(Subscriber, Subscriber.id == Membership.subscriber_id)
        .where(Membership.kind == MembershipKind.COMPLIMENTARY)
    )
    payers: list[dict[str, object]] = []
    for number, (held, reader) in enumerate(db.session.execute(query.order_by(Membership.id)).unique().all()):
        if number % GIVEN == 0:
            continue
        cadence = Cadence.YEAR if number % 3 == 0 else Cadence.MONTH
        price = next(each for each in held.tier.prices if each.cadence is cadence)
        payers.append(
            {
                "email": reader.email,
                "name": reader.name,
                "subscriber": reader.id,
                "price": counterparts.of_price(account, stripe, price),
                "days": (clock.now() - reader.created_at).days + PART_OF_A_DAY,
            }
        )
        db.session.delete(held)
    _live(payers)
    db.session.commit()
    reconciling.reconcile(account, stripe)


def _live(payers: list[dict[str, object]]) -> None:
    asked = urllib.request.Request(  # noqa: S310  # the till of this machine
        f"{config.settings().till_url}/practice/payers",
        json.dumps({"payers": payers}).encode(),
        {"Authorization": f"Bearer {PRACTICE_KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=60):  # noqa: S310
        pass
