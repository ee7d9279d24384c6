"""Some days pass for what a reader holds, and what beat asks for at night is done once.

The clock of running processes cannot be moved: what was given, and what we remember of letters about a failed payment,
is written down as that much older. What is paid for is as old as the till says, where days pass for its payer.

python -m tests.product.nights ADDRESS DAYS, which prints the kind of each notice made out to the address until then.
"""

import re
import sys
from datetime import date, timedelta

from sqlalchemy import select

from newsletter.app import create_app
from newsletter.billing.models import Told
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.subscribers.models import Notice, Subscriber
from newsletter.tiers.models import Membership, MembershipKind
from worker import tasks


def age(membership: Membership, days: timedelta) -> None:
    if membership.kind is not MembershipKind.PAID:
        membership.started_at -= days
        membership.ends_at = membership.ends_at - days if membership.ends_at else None
    for told in db.session.scalars(select(Told).where(Told.about == f"membership {membership.id}")).all():
        told.occasion = re.sub(
            r"(?<=failing since )[\d-]+", lambda day: str(date.fromisoformat(day[0]) - days), told.occasion
        )


with create_app().app_context():
    reader = Subscriber.by_key(sys.argv[1])
    assert reader
    for held in db.session.scalars(select(Membership).where(Membership.subscriber_id == reader.id)).all():
        age(held, timedelta(days=int(sys.argv[2])))
    db.session.commit()
    tasks.run(Job.RECONCILE)
    tasks.run(Job.KEEP_MEMBERSHIPS)
    print("\n".join(db.session.scalars(select(Notice.kind).where(Notice.address == sys.argv[1]).order_by(Notice.id))))
