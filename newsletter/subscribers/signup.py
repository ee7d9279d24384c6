"""Sign up, confirm (double opt-in), or say that it was not me."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from newsletter import clock, links
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.jobs import Job, enqueue
from newsletter.links import Purpose
from newsletter.publication.models import Newsletter
from newsletter.subscribers import consent, notices, paying, subscriptions, suppression
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.consent import NOWHERE, Origin
from newsletter.subscribers.models import (
    ConsentKind,
    Notice,
    NoticeKind,
    Subscriber,
    SuppressionReason,
)

ONE_A_DAY = timedelta(days=1)
LINK_LASTS = timedelta(days=7)
LONGEST_NAME = 100


class NothingChosen(NewsletterError):
    status = 422

    def __init__(self) -> None:
        super().__init__("Choose at least one newsletter.")


class LinkExpired(NewsletterError):
    status = 410

    def __init__(self) -> None:
        super().__init__("This link was good for seven days, and they have passed. Sign up again to get a new one.")


class NoLongerOurs(NotFound):
    def __init__(self) -> None:
        super().__init__("This link has been answered already, and nothing waits for it any more.")


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """A filled-in form."""

    address: Address
    newsletters: list[Newsletter]
    name: str = ""
    wording: str = ""  # the text that stood beside the button
    origin: Origin = NOWHERE


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a confirmation link is about."""

    notice: Notice
    subscriber: Subscriber
    newsletters: list[Newsletter]

    @property
    def is_answered(self) -> bool:
        return "confirmed_at" in self.notice.values


def sign_up(form: SignUp) -> None:
    """Begin a double opt-in. Does the same for every address, and mails one address at most once a day."""
    if not form.newsletters:
        raise NothingChosen
    _lock(form.address)
    kinds = (NoticeKind.CONFIRM, NoticeKind.ALREADY_SUBSCRIBED)
    latest = notices.latest_of(form.address.key, kinds, since=clock.now() - ONE_A_DAY)
    if latest:
        enqueue(Job.SEND_NOTICES)  # finds nothing to do, and takes as long as for anybody else
        return
    notices.owe(
        NoticeKind.CONFIRM,
        address=form.address.email,
        newsletter=form.newsletters[0],
        values={
            "newsletters": [newsletter.id for newsletter in form.newsletters],
            "name": tidy_name(form.name),
            "wording": form.wording,
            "form_url": form.origin.form_url,
            "network": form.origin.network,
            "user_agent": form.origin.user_agent[:300],
        },
    )


def asked_by(token: str) -> Request:
    """What a confirmation link asks for; changes nothing. Raises BadLink, NoLongerOurs, LinkExpired."""
    return _request(Purpose.CONFIRM, token)


def confirm(token: str, origin: Origin = NOWHERE) -> Request:
    """Put the reader on what they asked for, and welcome them. The same link a second time changes nothing."""
    request = _request(Purpose.CONFIRM, token, lock=True)
    if request.is_answered:
        return request
    subscriber, now = request.subscriber, clock.now()
    if suppression.is_suppressed(request.notice.address_key):
        raise NoLongerOurs
    subscriptions.put_on(subscriber, request.newsletters, only=subscriber.confirmed_at is None)
    subscriber.confirmed_at = subscriber.confirmed_at or now
    subscriber.paused_until = None
    subscriber.name = subscriber.name or str(request.notice.values.get("name", ""))
    request.notice.values = {**request.notice.values, "confirmed_at": now.isoformat()}
    ids = [newsletter.id for newsletter in request.newsletters]
    message_id = request.notice.message_id
    consent.record(subscriber, ConsentKind.CONFIRMED, newsletter_ids=ids, origin=origin, message_id=message_id)
    notices.owe(
        NoticeKind.WELCOME,
        address=request.notice.address,
        newsletter=request.newsletters[0],
        subscriber=subscriber,
        values={"newsletters": ids},
    )
    return request


def refusable(token: str) -> Request | None:
    """What a “this was not me” link is about; None when it is gone already. Raises BadLink."""
    try:
        return _request(Purpose.REFUSE, token)
    except (NoLongerOurs, LinkExpired):
        return None


def refuse(token: str) -> None:
    """“This was not me”: forget the request and never write to the address again.

    For someone who reads us already a stranger's request ends no subscription: it is only voided.
    """
    links.read(Purpose.REFUSE, token)
    try:
        request = _request(Purpose.REFUSE, token, lock=True)
    except (NoLongerOurs, LinkExpired):
        return  # forgotten before: the answer is the same
    subscriber = request.subscriber
    if subscriber.confirmed_at:
        consent.record(subscriber, ConsentKind.REFUSED, newsletter_ids=request.notice.values["newsletters"])
        db.session.delete(request.notice)
        return
    suppression.suppress(request.notice.address_key, SuppressionReason.REFUSED, subscriber.publication_id)
    paying.let_go(subscriber.id, request.notice.address_key)  # somebody paid with an address that is not theirs
    db.session.delete(subscriber)  # with its subscriptions, notices and events


def tidy_name(name: str) -> str:
    """A name on one line, without what cannot be printed."""
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.split())[:LONGEST_NAME].rstrip()


def _lock(address: Address) -> None:
    """Two forms for one address wait for each other until the commit."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(address.key, 0))))


def _request(purpose: Purpose, token: str, *, lock: bool = False) -> Request:
    subscriber_id, notice_id = links.read(purpose, token)
    query = select(Subscriber).where(Subscriber.id == subscriber_id)
    subscriber = db.session.scalar(query.with_for_update() if lock else query)
    notice = db.session.get(Notice, notice_id, populate_existing=True)
    if not subscriber or not notice or notice.subscriber_id != subscriber_id or notice.kind is not NoticeKind.CONFIRM:
        raise NoLongerOurs
    if notice.created_at < clock.now() - LINK_LASTS:
        raise LinkExpired
    ids = notice.values["newsletters"]
    chosen = select(Newsletter).where(Newsletter.id.in_(ids)).order_by(Newsletter.position, Newsletter.id)
    return Request(notice=notice, subscriber=subscriber, newsletters=list(db.session.scalars(chosen)))
