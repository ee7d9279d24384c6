"""A finished mailing of which some messages are in doubt."""

from datetime import timedelta

from sqlalchemy import select, text

from newsletter import clock
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending.models import Delivery, Mailing
from tests import cast, factories
from tests.doubles import JobQueue, Outbox
from worker.transports import NoAnswer


def mailing(jobs_queue: JobQueue, outbox: Outbox, *doubtful: str) -> Mailing:
    """To Ada and Grace, an hour ago; the answers to these addresses got lost."""
    cast.ada(), cast.grace()
    for address in doubtful:
        outbox.answers[address] = [NoAnswer("The mail server broke off before it answered.")]
    publishing.schedule(factories.post(), clock.now(), "UTC")
    db.session.commit()
    jobs_queue.run()
    db.session.execute(text("UPDATE mailing SET started_at = now() - interval '62 minutes'"))
    db.session.execute(text("UPDATE doubt SET at = now() - interval '61 minutes'"))
    db.session.commit()
    return db.session.scalars(select(Mailing)).one()


def outcomes(mailing_id: int = 1) -> dict[int, str]:
    db.session.rollback()
    rows = db.session.execute(select(Delivery.subscriber_id, Delivery.outcome).where(Delivery.mailing_id == mailing_id))
    return {reader: str(outcome) for reader, outcome in rows}


HOUR = timedelta(hours=1)
