"""Delivery reports for programs (RFC 3464, RFC 6533), as far as they keep to it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from emails.incoming.original import Original, original
from emails.incoming.parts import Fields, Part
from emails.incoming.values import Incoming, IncomingKind, one_line

MOST_RECIPIENTS = 50

_KINDS = {"message/delivery-status", "message/global-delivery-status"}
_ACTIONS = {
    "failed": IncomingKind.BOUNCED,
    "delayed": IncomingKind.DELAYED,
    "delivered": IncomingKind.DELIVERED,
    "relayed": IncomingKind.DELIVERED,
    "expanded": IncomingKind.DELIVERED,
}
_WORST_FIRST = (IncomingKind.BOUNCED, IncomingKind.DELAYED, IncomingKind.DELIVERED)
_OF_RECIPIENT = ("final-recipient", "original-recipient", "action", "status", "diagnostic-code")
_TYPE = re.compile(r"^\s*[\w/.-]{1,40}\s*;\s*")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_STILL_TRYING = re.compile(
    r"will (?:continue|be retried|keep|try)|still (?:being )?(?:try|tried|queued)|not yet been delivered|delayed|"
    r"do not need to resend|no action is required|wird weiterhin versucht|verz[oö]gert",
    re.IGNORECASE,
)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


@dataclass(frozen=True)
class _Recipient:
    kind: IncomingKind
    address: str
    other_address: str
    status: str
    words: str


def read(parts: list[Part]) -> Incoming | None:
    """The news about the recipient that our message was for; of several, the worst."""
    about = next((part for part in parts if part.kind in _KINDS), None)
    if about is None:
        return None
    groups = [Fields(group) for group in _groups(about)]
    told = _told(parts)
    found = [_recipient(group, told) for group in groups if any(name in group for name in _OF_RECIPIENT)]
    if not found:
        return None
    returned = original(parts)
    chosen = _chosen(found, returned)
    envelope_id = next((group.first("original-envelope-id") for group in groups), "")
    return replace(
        returned.incoming(chosen.kind),
        recipient=chosen.address,
        status=chosen.status,
        words=chosen.words or one_line(told),
        return_path=returned.return_path or _XTEXT.sub(lambda found: chr(int(found[1], 16)), envelope_id),
    )


def _groups(part: Part) -> Iterator[bytes]:
    block = part.bytes.replace(b"\r\n", b"\n")
    if b":" not in block.partition(b"\n")[0] and b"\n\n" not in block.strip():
        block = block.replace(b"\n ", b"\n")
    return (group for group in re.split(rb"\n[ \t]*\n", block.strip(b"\n"), maxsplit=MOST_RECIPIENTS) if group.strip())


def _recipient(fields: Fields, told: str) -> _Recipient:
    originally, finally_ = (address_in(fields.first(name)) for name in ("original-recipient", "final-recipient"))
    words = one_line(_TYPE.sub("", fields.words("diagnostic-code"), count=1))
    status = status_of(fields.first("status"), words)
    return _Recipient(
        kind=_kind(fields.first("action"), status, told),
        address=originally or finally_,
        other_address=finally_,
        status=status,
        words=words,
    )


def _kind(action: str, status: str, told: str) -> IncomingKind:
    named = re.match(r"[a-z]*", action.strip().lower())
    known = _ACTIONS.get(named[0] if named else "")
    if known:
        return known
    if status.startswith("2"):
        return IncomingKind.DELIVERED
    return IncomingKind.DELAYED if status.startswith("4") and _STILL_TRYING.search(told) else IncomingKind.BOUNCED


def status_of(written: str, words: str) -> str:
    """The code in the field; where that says nothing (5.0.0), a better one from the words."""
    first = _STATUS.search(written)
    status = first[1] if first else ""
    if status and not status.endswith(".0.0"):
        return status
    better = _STATUS.search(words)
    return better[1] if better else status


def address_in(field: str) -> str:
    """“rfc822; <ada@example.org>” without what stands around the address."""
    address = _TYPE.sub("", field, count=1).strip()
    if "<" in address:
        address = address.rpartition("<")[2].partition(">")[0]
    return one_line(address, 320)


def _chosen(found: list[_Recipient], returned: Original) -> _Recipient:
    """Behind a forwarder there are recipients that we know nothing of."""
    ours = [each for each in found if returned.to and returned.to in {each.address.lower(), each.other_address.lower()}]
    return min(ours or found, key=lambda each: _WORST_FIRST.index(each.kind))


def _told(parts: list[Part]) -> str:
    """What the report says to people, before the parts for programs."""
    return next((part.text[:4000] for part in parts if part.kind == "text/plain" and part.text.strip()), "")
