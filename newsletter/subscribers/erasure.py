"""To be forgotten: all that tells who someone was goes; a number stays, and a hash that keeps us from writing again."""

from sqlalchemy import delete, text, update

from newsletter import clock
from newsletter.db import db
from newsletter.subscribers import codes, consent, moving, notices, paying, suppression
from newsletter.subscribers.models import (
    Code,
    ConsentEvent,
    ConsentKind,
    Notice,
    NoticeKind,
    ReaderSession,
    SignIn,
    Subscriber,
    SuppressionReason,
)
from newsletter.tiers.models import Membership


def ask_erasure(subscriber: Subscriber) -> None:
    """Mail a code to the present address."""
    if subscriber.email is None:
        return
    moving.refuse_if_just_moved(subscriber)
    _, digits = codes.make(subscriber, codes.ERASE)
    notices.owe(
        NoticeKind.ERASE_CODE,
        address=subscriber.email,
        newsletter=moving.voice_for(subscriber),
        subscriber=subscriber,
        values={"code": digits},
        lasts=codes.LASTS,
    )


def erase(subscriber: Subscriber, typed: str) -> None:
    """The code from the mailbox erases its reader, for good. Raises WrongCode."""
    codes.use(subscriber, codes.ERASE, typed)
    forget(subscriber)


def forget(subscriber: Subscriber) -> None:
    """Keep a nameless number, the bare fact of each consent, and the keyed hash that bars the address."""
    if subscriber.email_key:
        suppression.suppress(subscriber.email_key, SuppressionReason.ERASED, subscriber.publication_id)
    paying.let_go(subscriber.id, subscriber.email_key or "")
    if subscriber.email_key:
        notices.forget(subscriber.email_key)
    for gone in (Notice, Code, Membership, ReaderSession, SignIn):
        db.session.execute(delete(gone).where(gone.subscriber_id == subscriber.id))
    db.session.execute(
        update(ConsentEvent)
        .where(ConsentEvent.subscriber_id == subscriber.id)
        .values(network="", user_agent="", form_url="", detail={})
    )
    # These tables belong to sending, which knows us and not the other way round.
    db.session.execute(text("DELETE FROM reply WHERE subscriber_id = :id"), {"id": subscriber.id})
    db.session.execute(text("UPDATE bounce SET words = '' WHERE subscriber_id = :id"), {"id": subscriber.id})
    subscriber.subscriptions = []
    subscriber.tags = []
    subscriber.email = subscriber.email_key = subscriber.paused_until = None
    subscriber.name = subscriber.source = ""
    subscriber.feed_since = None
    subscriber.erased_at = clock.now()
    consent.record(subscriber, ConsentKind.ERASED)
