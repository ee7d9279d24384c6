"""One message that came to us, by whatever way: who leaves, what came back, and what a person wrote."""

from collections.abc import Iterable
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses
from enum import StrEnum
from hashlib import sha256

import emails
from emails import Incoming, IncomingKind
from newsletter.config import settings
from newsletter.sending import bounces, identity, replies, tally
from newsletter.sending.reports import Report, ReportKind
from newsletter.sending.tally import What
from newsletter.subscribers import leaving, return_path
from newsletter.subscribers.return_path import Sent

LARGEST = 2 * 1024 * 1024  # bytes that are looked at: a report comes before the message that it returns
SOURCE = "mail"
REPORT_MAILBOXES = ("complaints", "abuse", "postmaster")  # at BOUNCE_DOMAIN, for those who report without a token

_DELIVERED_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
_HEADERS = BytesHeaderParser(policy=compat32)
_MOST_ADDRESSES = 50


class Taken(StrEnum):
    DONE = "done"  # whatever it asked for is done, now or before
    NOT_OURS = "not ours"  # about no message of ours, and for none of our addresses


def take(raw: bytes, recipient: str = "") -> Taken:
    """Do what a message asks for. `recipient` is where it came to (RFC 5321 RCPT), if that is known.

    Nothing in it is believed but a token of ours, wherever it stands, and a Message-ID of ours together with its
    reader's address. Safe to do again with the same message. Leaves the commit to its caller.
    """
    raw = raw[:LARGEST]
    headers = _HEADERS.parsebytes(raw)
    came_to = [recipient] if recipient else _addresses(headers)
    if [address for address in came_to if leaving.leave_by_mail(address)]:
        return Taken.DONE
    incoming = emails.read_incoming(raw)
    token = _token(came_to, incoming)
    event_id = _event_id(raw, headers, token, incoming.kind)
    match incoming.kind:
        case IncomingKind.REPLY:
            is_ours = replies.take(incoming, _sent(token, incoming), SOURCE, event_id)
        case IncomingKind.AUTO_REPLY:
            is_ours = _sent(token, incoming) is not None
            tally.count(What.AUTO_REPLY)
        case _:
            is_ours = _report(incoming, token, event_id)
    return Taken.DONE if is_ours else Taken.NOT_OURS


def is_ours(address: str) -> bool:
    """Whether we take mail for this address: one with a token of ours, or one for reports. Asks no database."""
    local_part, _, domain = address.strip("<> ").lower().rpartition("@")
    if local_part in REPORT_MAILBOXES and domain == settings().bounce_domain.lower():
        return True
    return leaving.is_leave_address(address) or return_path.read(return_path.token_in(address)) is not None


def _report(incoming: Incoming, token: str, event_id: str) -> bool:
    report = Report(
        source=SOURCE,
        event_id=event_id,
        kind=ReportKind(incoming.kind.value),
        token=token,
        message_id=incoming.message_id,
        address=incoming.recipient,
        status=incoming.status,
        words=incoming.words,
    )
    is_ours = identity.of(report) is not None
    bounces.record(report)
    return is_ours


def _sent(token: str, incoming: Incoming) -> Sent | None:
    """Which message of ours was answered."""
    if token:
        return return_path.read(token)
    found = (identity.by_message_id(message_id, incoming.sender) for message_id in incoming.in_reply_to)
    return next((sent for sent in found if sent), None)


def _token(came_to: Iterable[str], incoming: Incoming) -> str:
    """The first token of ours: where the message came to, then in what it returns. Empty if there is none."""
    shown = [*map(return_path.token_in, came_to), return_path.token_in(incoming.return_path), incoming.feedback_id]
    return next((token for token in shown if token and return_path.read(token)), "")


def _addresses(headers: Message) -> list[str]:
    """Where a message says that it came to: only good for finding tokens, which prove themselves."""
    fields = [str(value) for name in _DELIVERED_TO for value in headers.get_all(name, [])]
    return [address for _, address in getaddresses(fields) if "+" in address][:_MOST_ADDRESSES]


def _event_id(raw: bytes, headers: Message, token: str, kind: IncomingKind) -> str:
    """The same for one message however often and by whatever way it comes."""
    name = str(headers.get("Message-ID", "")).strip().encode(errors="replace") or raw
    return sha256(b"\0".join((name, token.encode(), kind.value.encode()))).hexdigest()
