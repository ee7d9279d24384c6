"""Mail owed to one person: written down first, claimed before it is sent, recorded after.

The promises are those of a mailing's deliveries: nobody is mailed twice, and what may or may not have left is said so.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.exc import OperationalError

import emails
from newsletter import clock
from newsletter.db import Json, db
from newsletter.jobs import Job, enqueue
from newsletter.publication.models import Newsletter
from newsletter.subscribers import addresses, asked, letters, return_path, suppression
from newsletter.subscribers.models import Notice, NoticeKind, NoticeState, Subscriber

log = structlog.get_logger()

LASTS = timedelta(hours=4)  # who waits for a code or a confirmation does not wait longer
LEASE = timedelta(minutes=15)  # more than the mail server may take for all its answers
SAFE_BEFORE_LEASE_ENDS = 20.0  # seconds
A_BATCH = 50  # notices that are claimed at once
FOR_STAFF = frozenset(
    {NoticeKind.TEST, NoticeKind.HELD, NoticeKind.REPLY, NoticeKind.MEMBER_NEWS}
)  # at their own address
NEVER_TAKEN = "The mail server never took it."
# Those whose message can be composed once more: codes are forgotten, and tests are composed by the desk.
_MADE_FROM_VALUES = (
    *(NoticeKind.CONFIRM, NoticeKind.ALREADY_SUBSCRIBED, NoticeKind.WELCOME, NoticeKind.ADDRESS_CHANGED),
    *letters.ABOUT_MONEY,
)
SECRETS = "code"  # the part of a notice's values that is forgotten once it has left


@dataclass(frozen=True, kw_only=True)
class ClaimedNotice:
    """The right to hand one message over, for whoever holds its token until the deadline."""

    id: int
    token: str
    sender: str  # the return path
    mark: str  # names this message to those who report on it later
    address: str
    message: bytes
    deadline: float  # by clock.seconds_awake_or_asleep(): not handed over later than this


@dataclass(frozen=True)
class NoticeInDoubt:
    """A notice that may or may not have left."""

    id: int
    message_id: str
    created_at: datetime
    reply: str


def owe(
    kind: NoticeKind,
    *,
    address: str,
    newsletter: Newsletter,
    subscriber: Subscriber | None = None,
    values: Json | None = None,
    lasts: timedelta = LASTS,
    compose: Callable[[str], bytes] | None = None,
) -> Notice:
    """Write down that this person is to get this notice, and ask for it to be sent after the commit.

    Its message is composed when it is first sent, unless `compose` makes one now from a Message-ID.
    """
    now = clock.now()
    notice = Notice(
        publication_id=newsletter.publication_id,
        subscriber_id=subscriber.id if subscriber else None,
        newsletter_id=newsletter.id,
        kind=kind,
        address=address,
        address_key=addresses.key(address),
        values=values or {},
        message_id=f"notice-{secrets.token_hex(12)}",
        created_at=now,
        expires_at=now + lasts,
    )
    if compose:
        notice.message = compose(notice.message_id)
    db.session.add(notice)
    db.session.flush()
    enqueue(Job.SEND_NOTICES)
    return notice


def claim(token: str, most: int = A_BATCH) -> list[ClaimedNotice]:
    """Take notices that are due, each with its message: the same bytes at every attempt.

    The token is fresh for each claim: only its holder records how they ended. Commits: what is claimed is on record
    before anyone speaks to a mail server.
    """
    deadline = clock.seconds_awake_or_asleep() + LEASE.total_seconds() - SAFE_BEFORE_LEASE_ENDS
    due_now = (
        select(Notice)
        .where(Notice.state == NoticeState.WAITING, Notice.send_after <= func.now())
        .order_by(Notice.send_after, Notice.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claimed = [_prepared(notice, token, deadline) for notice in db.session.scalars(due_now).all()]
    db.session.commit()
    return [each for each in claimed if each]


def accepted(claimed: ClaimedNotice, reply: str) -> bool:
    return _end(claimed, NoticeState.ACCEPTED, reply)


def refused(claimed: ClaimedNotice, reply: str) -> bool:
    return _end(claimed, NoticeState.REFUSED, reply)


def in_doubt(claimed: ClaimedNotice, reply: str) -> bool:
    """It may or may not have left: never sent again by guess."""
    return _end(claimed, NoticeState.UNCONFIRMED, reply)


def put_off(claimed: ClaimedNotice, reply: str) -> bool:
    """Not now: try again after 1, 2, 4 … minutes, until it would come too late to be of use."""
    attempts, expires_at = db.session.execute(
        select(Notice.attempts, Notice.expires_at).where(Notice.id == claimed.id)
    ).one_or_none() or (0, clock.now())
    again = clock.now() + timedelta(minutes=2 ** min(max(attempts - 1, 0), 7))
    if again >= expires_at:
        return _end(claimed, NoticeState.EXPIRED, reply)
    return _write(claimed, state=NoticeState.WAITING, token=None, lease_until=None, send_after=again, reply=reply)


def is_any_due() -> bool:
    """Whether something can be claimed now. A lease that ran out ends as unconfirmed: nothing is guessed."""
    db.session.execute(
        update(Notice)
        .where(Notice.state == NoticeState.SENDING, Notice.lease_until < func.now())
        .values(**_ending(NoticeState.UNCONFIRMED, "The worker did not come back with an answer."))
    )
    db.session.commit()
    return bool(db.session.scalar(select(any_due())))


def any_due() -> ColumnElement[bool]:
    """True in SQL when somebody waits for a notice."""
    return exists().where(Notice.state == NoticeState.WAITING, Notice.send_after <= func.now())


def unconfirmed(older_than: timedelta) -> list[NoticeInDoubt]:
    """Those that may or may not have left, as long as anybody may still wait for them."""
    rows = db.session.execute(
        select(Notice.id, Notice.message_id, Notice.created_at, Notice.reply)
        .where(
            Notice.state == NoticeState.UNCONFIRMED,
            Notice.created_at > func.now() - LASTS,
            Notice.ended_at < func.now() - older_than,
        )
        .order_by(Notice.id)
        .limit(1000)
    )
    return [NoticeInDoubt(*row) for row in rows]


def proved(notice_id: int, words: str) -> bool:
    """It was accepted, as somebody knows for sure. Only what is unconfirmed changes."""
    return _settle(notice_id, state=NoticeState.ACCEPTED, reply=words)


def hand_back(notice_id: int) -> bool:
    """It was not accepted, as somebody knows for sure: it goes out if it still can, else they may ask again."""
    can_be_made_again = Notice.kind.in_(_MADE_FROM_VALUES) & (Notice.expires_at > func.now())
    if _settle(notice_id, can_be_made_again, state=NoticeState.WAITING, ended_at=None, send_after=func.now()):
        return True
    return _settle(notice_id, state=NoticeState.EXPIRED, reply=NEVER_TAKEN)


def in_flight() -> dict[str, list[ClaimedNotice]]:
    """Claims that have not ended, by their token, for whoever can tell that their process is dead."""
    found: dict[str, list[ClaimedNotice]] = {}
    for row in db.session.execute(select(Notice.id, Notice.token).where(Notice.state == NoticeState.SENDING)):
        claimed = ClaimedNotice(
            id=row.id, token=row.token or "", sender="", mark="", address="", message=b"", deadline=0.0
        )
        found.setdefault(claimed.token, []).append(claimed)
    return found


def _prepared(notice: Notice, token: str, deadline: float) -> ClaimedNotice | None:
    """One that cannot be made must not keep the others waiting."""
    try:
        with db.session.begin_nested():
            return _prepare(notice, token, deadline)
    except OperationalError:
        raise
    except Exception:
        log.exception("a notice could not be made", notice=notice.id)
        notice.send_after = clock.now() + timedelta(minutes=5)
        return None


def _prepare(notice: Notice, token: str, deadline: float) -> ClaimedNotice | None:
    if notice.expires_at <= clock.now():
        _drop(notice, NoticeState.EXPIRED)
        return None
    if not _may_go_out(notice):
        _drop(notice, NoticeState.SKIPPED)
        return None
    newsletter = db.session.get_one(Newsletter, notice.newsletter_id)
    try:
        notice.message = notice.message or letters.compose(notice, newsletter)
    except emails.LetterError as error:
        _drop(notice, NoticeState.REFUSED, str(error))
        return None
    mark = return_path.token(notice_id=notice.id)
    notice.state = NoticeState.SENDING
    notice.token = token
    notice.lease_until = func.now() + LEASE  # by the database's clock
    notice.attempts += 1
    return ClaimedNotice(
        id=notice.id,
        token=token,
        sender=return_path.address(mark, newsletter.sender_email),
        mark=mark,
        address=notice.address,
        message=notice.message,
        deadline=deadline,
    )


def _may_go_out(notice: Notice) -> bool:
    if notice.kind in FOR_STAFF:
        return True
    if suppression.is_suppressed(notice.address_key):
        return False
    return asked.decide(notice) if asked.is_undecided(notice) else True


def _drop(notice: Notice, state: NoticeState, reply: str = "") -> None:
    """Ends without having been sent. Who must not be written to is not remembered here either."""
    notice.state = state
    notice.reply = reply or notice.reply
    notice.ended_at = clock.now()
    notice.message = None
    notice.values = {key: value for key, value in notice.values.items() if key != SECRETS}
    if notice.subscriber_id is None:
        notice.address = notice.address_key = ""
        notice.values = {}


def _end(claimed: ClaimedNotice, state: NoticeState, reply: str) -> bool:
    return _write(claimed, **_ending(state, reply))


def _ending(state: NoticeState, reply: str) -> dict[str, Any]:
    return {
        "state": state,
        "token": None,
        "lease_until": None,
        "message": None,
        "values": Notice.values.op("-")(SECRETS),
        "reply": reply[:1000],
        "ended_at": func.now(),
    }


def _settle(notice_id: int, *also: ColumnElement[bool], **values: Any) -> bool:
    settled = db.session.scalar(
        update(Notice)
        .where(Notice.id == notice_id, Notice.state == NoticeState.UNCONFIRMED, *also)
        .values(**values)
        .returning(Notice.id)
    )
    return settled is not None


def _write(claimed: ClaimedNotice, **values: Any) -> bool:
    """One compare-and-set: only who still holds the claim writes. False when the claim was lost."""
    written = db.session.scalar(
        update(Notice)
        .where(Notice.id == claimed.id, Notice.token == claimed.token, Notice.state == NoticeState.SENDING)
        .values(**values)
        .returning(Notice.id)
    )
    return written is not None


def take_back(kind: NoticeKind, name: str, number: int) -> None:
    """What is of no use any more and has not left is not sent: those of a kind whose values have this number."""
    waiting = select(Notice).where(
        Notice.kind == kind, Notice.state == NoticeState.WAITING, Notice.values[name].as_integer() == number
    )
    for notice in db.session.scalars(waiting.with_for_update()).all():
        _drop(notice, NoticeState.SKIPPED)


def forget(address_key: str) -> None:
    """Mail to, or in the name of, somebody who is erased, that was owed to who is no reader."""
    about = select(Notice).where(
        Notice.subscriber_id.is_(None),
        or_(Notice.address_key == address_key, func.lower(Notice.values["payer"].as_string()) == address_key),
        Notice.state != NoticeState.SENDING,
    )
    for notice in db.session.scalars(about.with_for_update()).all():
        _drop(notice, NoticeState.SKIPPED if notice.state is NoticeState.WAITING else notice.state)


def latest_of(address_key: str, kinds: tuple[NoticeKind, ...], since: datetime) -> int | None:
    """The newest notice of these kinds to an address since a moment, if it was sent or may still be."""
    return db.session.scalar(
        select(Notice.id)
        .where(
            Notice.address_key == address_key,
            Notice.kind.in_(kinds),
            Notice.created_at > since,
            Notice.state != NoticeState.EXPIRED,
        )
        .order_by(Notice.created_at.desc())
        .limit(1)
    )
