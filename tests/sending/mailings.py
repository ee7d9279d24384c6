"""Mailings that have left already, as the ledger would have them."""

from datetime import datetime, timedelta

from sqlalchemy import select

from newsletter import clock
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending import letters, start
from newsletter.sending.models import Chunk, Delivery, Mailing, MailingState, Outcome
from newsletter.subscribers import return_path
from newsletter.subscribers.models import Subscriber
from tests import factories


def sent(*outcomes: tuple[Outcome, str], at: datetime | None = None, title: str = "On slow mail") -> Mailing:
    """A mailing under way to everybody; the first readers have these outcomes, all others were accepted."""
    post = factories.post(title=title)
    publishing.schedule(post, clock.now() - timedelta(seconds=1), "Europe/Berlin")
    db.session.flush()
    mailing = start.start(post.id)
    assert mailing is not None
    if at:
        mailing.started_at = at
    for chunk in db.session.scalars(select(Chunk).where(Chunk.mailing_id == mailing.id).order_by(Chunk.number)).all():
        for place, reader_id in enumerate(chunk.reader_ids):
            outcome, reply = outcomes[place] if place < len(outcomes) else (Outcome.ACCEPTED, "250 2.0.0 queued")
            db.session.add(
                Delivery(
                    mailing_id=mailing.id,
                    subscriber_id=reader_id,
                    outcome=outcome,
                    reply=reply,
                    **({"at": at} if at else {}),
                )
            )
            setattr(chunk, outcome.value, getattr(chunk, outcome.value) + 1)
    db.session.commit()
    return mailing


def token(mailing: Mailing, reader: Subscriber) -> str:
    return return_path.token(mailing_id=mailing.id, subscriber_id=reader.id)


def return_address(mailing: Mailing, reader: Subscriber) -> str:
    return f"b+{token(mailing, reader)}@bounces.example.org"


def message_id(mailing: Mailing, reader: Subscriber) -> str:
    return f"{letters.message_id(mailing.root_id or mailing.id, reader.id)}@letters.example.org"


def is_suppressed(reader: Subscriber) -> bool:
    db.session.expire_all()
    return db.session.get_one(Subscriber, reader.id).suppressed_at is not None


def outcome_of(mailing: Mailing, reader: Subscriber) -> Outcome:
    db.session.expire_all()
    return db.session.get_one(Delivery, (mailing.id, reader.id)).outcome


def state_of(mailing: Mailing) -> MailingState:
    db.session.expire_all()
    return db.session.get_one(Mailing, mailing.id).state
