"""Lists and counts of readers, for the desk."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import selectinload

from newsletter.db import Json, db
from newsletter.publication.models import Newsletter
from newsletter.subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Notice,
    NoticeKind,
    NoticeState,
    Subscriber,
    SubscriberState,
    Subscription,
    Tag,
)


@dataclass(frozen=True)
class Page:
    readers: list[Subscriber]
    next_after: int | None  # hand it back as `after_id` for what follows


@dataclass(frozen=True, kw_only=True)
class ConsentLine:
    """One line of a reader's history: what they did."""

    at: datetime
    kind: ConsentKind
    newsletters: list[str]
    wording: str
    form_url: str
    network: str
    user_agent: str
    detail: Json


@dataclass(frozen=True, kw_only=True)
class NoticeLine:
    """One line of a reader's history: what we wrote to them."""

    at: datetime
    kind: NoticeKind
    state: NoticeState
    reply: str
    ended_at: datetime | None


def search(
    words: str = "",
    state: SubscriberState | None = None,
    newsletter_id: int | None = None,
    after_id: int | None = None,
    limit: int = 50,
    tag: str = "",
) -> Page:
    """Readers whose address or name has every word, newest first. Follow-up pages stay right while people join."""
    query = (
        select(Subscriber)
        .where(*_matching(words, state, newsletter_id, tag))
        .options(selectinload(Subscriber.subscriptions), selectinload(Subscriber.tags))
        .order_by(Subscriber.id.desc())
        .limit(limit + 1)
    )
    if after_id is not None:
        query = query.where(Subscriber.id < after_id)
    found = list(db.session.scalars(query))
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def one(subscriber_id: int) -> Subscriber | None:
    """One reader with all that their page shows."""
    return db.session.get(
        Subscriber, subscriber_id, options=(selectinload(Subscriber.subscriptions), selectinload(Subscriber.tags))
    )


def matching(
    words: str = "", state: SubscriberState | None = None, newsletter_id: int | None = None, tag: str = ""
) -> int:
    """How many readers a search finds in all."""
    query = select(func.count(Subscriber.id)).where(*_matching(words, state, newsletter_id, tag))
    return db.session.scalar(query) or 0


def left_by(mailing_id: int) -> list[Subscription]:
    """Who left by a link of this mailing and has stayed away, with their reason if they gave one; newest first."""
    query = select(Subscription).where(Subscription.left_by_mailing_id == mailing_id, Subscription.left_at.is_not(None))
    return list(db.session.scalars(query.order_by(Subscription.left_at.desc()).limit(200)))


def tags() -> list[str]:
    return list(db.session.scalars(select(Tag.name).order_by(Tag.name)))


def counts() -> dict[SubscriberState, int]:
    """How many people there are in every state; together they are all rows."""
    states = select(_state().label("state")).subquery()  # grouped by name: PostgreSQL cannot tell two CASEs alike
    rows = db.session.execute(select(states.c.state, func.count()).group_by(states.c.state))
    return dict.fromkeys(SubscriberState, 0) | {SubscriberState(state): count for state, count in rows}


def reachable(newsletter_id: int) -> int:
    """How many would get this newsletter if it left now."""
    query = select(func.count()).where(Subscriber.may_be_mailed(newsletter_id))
    return db.session.scalar(query) or 0


def history(subscriber: Subscriber) -> list[ConsentLine | NoticeLine]:
    """All that passed between a reader and us but for the issues themselves, newest first."""
    lines = [*_consent_lines(subscriber), *_notice_lines(subscriber)]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _consent_lines(subscriber: Subscriber) -> list[ConsentLine | NoticeLine]:
    names = {newsletter.id: newsletter.name for newsletter in db.session.scalars(select(Newsletter))}
    events = db.session.scalars(select(ConsentEvent).where(ConsentEvent.subscriber_id == subscriber.id))
    return [
        ConsentLine(
            at=event.at,
            kind=event.kind,
            newsletters=[names[id_] for id_ in event.newsletter_ids if id_ in names],
            wording=event.wording,
            form_url=event.form_url,
            network=event.network,
            user_agent=event.user_agent,
            detail=event.detail,
        )
        for event in events
    ]


def _notice_lines(subscriber: Subscriber) -> list[ConsentLine | NoticeLine]:
    columns = (Notice.created_at, Notice.kind, Notice.state, Notice.reply, Notice.ended_at)
    rows = db.session.execute(select(*columns).where(Notice.subscriber_id == subscriber.id))
    return [
        NoticeLine(at=at, kind=kind, state=state, reply=reply, ended_at=ended_at)
        for at, kind, state, reply, ended_at in rows
    ]


def _matching(
    words: str, state: SubscriberState | None, newsletter_id: int | None, tag: str
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        or_(
            Subscriber.email_key.contains(word.casefold(), autoescape=True),
            Subscriber.name.icontains(word, autoescape=True),
        )
        for word in words.split()
    ]
    if state is not None:
        conditions.append(_state() == state.value)
    if newsletter_id is not None:
        conditions.append(_is_on(newsletter_id))
    if tag:
        conditions.append(Subscriber.tags.any(Tag.name == tag))
    return conditions


def _state() -> ColumnElement[str]:
    """Subscriber.state, in SQL."""
    return case(
        (Subscriber.erased_at.is_not(None), SubscriberState.ERASED.value),
        (Subscriber.suppressed_at.is_not(None), SubscriberState.SUPPRESSED.value),
        (~_is_on(), SubscriberState.LEFT.value),
        (Subscriber.confirmed_at.is_(None), SubscriberState.PENDING.value),
        (Subscriber.paused_until > func.now(), SubscriberState.PAUSED.value),
        else_=SubscriberState.ACTIVE.value,
    )


def _is_on(newsletter_id: int | None = None) -> ColumnElement[bool]:
    mine = and_(Subscription.subscriber_id == Subscriber.id, Subscription.left_at.is_(None))
    return exists().where(mine if newsletter_id is None else and_(mine, Subscription.newsletter_id == newsletter_id))
