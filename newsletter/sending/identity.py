"""Which message of ours somebody is talking about: by its signed token, else by its Message-ID and address together."""

import hmac
import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select

from newsletter import clock
from newsletter.db import db
from newsletter.sending import letters
from newsletter.sending.models import Delivery, Mailing
from newsletter.sending.reports import Report, ReportKind
from newsletter.subscribers import addresses, return_path
from newsletter.subscribers.models import Notice, Subscriber
from newsletter.subscribers.return_path import Sent

LASTS = timedelta(days=60)  # whoever tells of an older message is not believed without a token

_MAILING_ID = re.compile(r"<?m([0-9]{1,18})\.([0-9a-f]{32})(?:@|>|\Z)")
_NOTICE_ID = re.compile(r"<?(notice-[0-9a-f]{24})(?:@|>|\Z)")


def of(report: Report) -> Sent | None:
    """The message meant. None for what names none of ours, or one that is too old; an address alone names nothing."""
    named = return_path.read(report.token) if report.token else None
    if named is None:
        return by_message_id(report.message_id, report.address)
    return named if _is_known(named, report.kind) else None


def by_message_id(message_id: str, address: str) -> Sent | None:
    """The message with this Message-ID, if it was for this address and is not too old.

    The id holds a keyed hash of its reader, so whoever tells it has seen the message.
    """
    key = addresses.key(address) if "@" in address else ""
    if not key:
        return None
    if found := _MAILING_ID.match(message_id.strip()):
        return _of_mailing(int(found[1]), found[0].strip("<>@"), key)
    if found := _NOTICE_ID.match(message_id.strip()):
        return _of_notice(found[1], key)
    return None


def root_in(message_id: str) -> int | None:
    """The mailing that a Message-ID names, whoever its reader was. Anybody can write one: it proves nothing."""
    found = _MAILING_ID.match(message_id.strip())
    return int(found[1]) if found else None


def _is_known(sent: Sent, kind: ReportKind) -> bool:
    """A token outlives what it names. Nothing comes back after months: who finds an old token cannot bounce with it."""
    since = clock.now() - LASTS if kind is ReportKind.BOUNCED else datetime.min.replace(tzinfo=UTC)
    if sent.notice_id:
        found = select(Notice.id).where(Notice.id == sent.notice_id, Notice.created_at > since)
    else:
        found = select(Mailing.id).where(Mailing.id == sent.mailing_id, Mailing.started_at > since)
    return db.session.scalar(found) is not None


def _of_mailing(root_id: int, local_part: str, email_key: str) -> Sent | None:
    reader = Subscriber.by_key(email_key)
    if reader is None or not hmac.compare_digest(letters.message_id(root_id, reader.id), local_part):
        return None
    # Sent again, a message keeps its id: the last mailing that reached for this reader is the one meant.
    mailing_id = db.session.scalar(
        select(Mailing.id)
        .outerjoin(Delivery, (Delivery.mailing_id == Mailing.id) & (Delivery.subscriber_id == reader.id))
        .where(
            or_(Mailing.id == root_id, Mailing.root_id == root_id),
            Mailing.started_at > clock.now() - LASTS,
            or_(Mailing.id == root_id, Delivery.subscriber_id.is_not(None)),
        )
        .order_by(Mailing.id.desc())
        .limit(1)
    )
    return Sent(mailing_id=mailing_id, subscriber_id=reader.id) if mailing_id else None


def _of_notice(message_id: str, address_key: str) -> Sent | None:
    notice_id = db.session.scalar(
        select(Notice.id).where(
            Notice.address_key == address_key,
            Notice.message_id == message_id,
            Notice.created_at > clock.now() - LASTS,
        )
    )
    return Sent(notice_id=notice_id) if notice_id else None
