"""What a sign-up form asked for, looked at in the background: no visitor can see or time what comes out.

A form leaves one undecided notice behind, the same for every address. Here it becomes a confirmation to press, a word
that all is well already, or nothing.
"""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from newsletter import clock
from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.subscribers import consent, subscriptions
from newsletter.subscribers.models import ConsentKind, Notice, NoticeKind, NoticeState, Subscriber

MOST_UNANSWERED = 3  # confirmations in a month; who pressed none of them is left in peace
A_MONTH = timedelta(days=30)


def is_undecided(notice: Notice) -> bool:
    return notice.kind is NoticeKind.CONFIRM and notice.subscriber_id is None


def decide(notice: Notice) -> bool:
    """Tie the notice to its subscriber and to what is left to confirm. False: this address gets nothing."""
    subscriber = _subscriber(notice)
    chosen = {int(id_) for id_ in notice.values["newsletters"]}
    has = {newsletter.id for newsletter in subscriber.newsletters} if subscriber.confirmed_at else set()
    if not subscriber.confirmed_at and _unanswered(notice) >= MOST_UNANSWERED:
        return False
    notice.subscriber_id = subscriber.id
    _record(notice, subscriber)
    if chosen <= has:
        notice.kind = NoticeKind.ALREADY_SUBSCRIBED
        notice.values = {"newsletters": sorted(chosen)}
        return True
    if not subscriber.confirmed_at:  # until they confirm, nothing is mailed
        subscriptions.put_on(subscriber, _newsletters(chosen), only=True)
    missing = sorted(chosen - has)
    if notice.newsletter_id not in missing:
        notice.newsletter_id = missing[0]  # it speaks in the name of what is asked for
    notice.values = {"newsletters": missing, "name": notice.values.get("name", "")}
    return True


def _newsletters(ids: set[int]) -> list[Newsletter]:
    return list(db.session.scalars(select(Newsletter).where(Newsletter.id.in_(ids))))


def _subscriber(notice: Notice) -> Subscriber:
    """Theirs, or a new one. Two forms for one new address at once find the same row."""
    db.session.execute(
        insert(Subscriber)
        .values(
            publication_id=notice.publication_id,
            email=notice.address,
            email_key=notice.address_key,
            source="form",
            created_at=notice.created_at,
        )
        .on_conflict_do_nothing(index_elements=["publication_id", "email_key"])
    )
    return db.session.scalars(
        select(Subscriber)
        .where(Subscriber.publication_id == notice.publication_id, Subscriber.email_key == notice.address_key)
        .with_for_update()
    ).one()


def _unanswered(notice: Notice) -> int:
    query = select(func.count()).where(
        Notice.address_key == notice.address_key,
        Notice.kind == NoticeKind.CONFIRM,
        Notice.id != notice.id,
        Notice.created_at > clock.now() - A_MONTH,
        Notice.state.in_([NoticeState.ACCEPTED, NoticeState.UNCONFIRMED]),
    )
    return db.session.scalar(query) or 0


def _record(notice: Notice, subscriber: Subscriber) -> None:
    origin = consent.Origin(
        form_url=notice.values.get("form_url", ""),
        network=notice.values.get("network", ""),
        user_agent=notice.values.get("user_agent", ""),
    )
    consent.record(
        subscriber,
        ConsentKind.ASKED,
        newsletter_ids=notice.values["newsletters"],
        wording=notice.values.get("wording", ""),
        origin=origin,
        at=notice.created_at,
    )
