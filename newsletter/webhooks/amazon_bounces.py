"""Amazon's own words for bounces, which Resend uses too: labels, asked only where no server's code was told.

“Transient” and “General” stand over everything from a full mailbox to a domain that does not exist.
"""

from collections.abc import Mapping

from newsletter.webhooks import payload

_SUB_TYPES = {  # as enhanced status codes (RFC 3463 §3)
    "NoEmail": "5.1.1",
    "MailboxFull": "5.2.2",
    "MessageTooLarge": "5.3.4",
    "ContentRejected": "5.7.1",
    "MessageRejected": "5.7.1",
    "AttachmentRejected": "5.7.1",
}
_TYPES = {"Permanent": "5.0.0", "Transient": "4.0.0", "Temporary": "4.0.0"}


def says_anything(bounce: Mapping[str, object], *told: str) -> bool:
    """False for what may as well be an answering machine: Amazon calls those transient bounces, and tells no code."""
    return any(told) or _kind(bounce) != _TYPES["Transient"] or _sub_type(bounce) in _SUB_TYPES


def status(bounce: Mapping[str, object], told: object, reply: str) -> str:
    """A server's code if there is one; else what the label amounts to."""
    return payload.status(told, reply) or ("" if reply else _SUB_TYPES.get(_sub_type(bounce), _kind(bounce)))


def _kind(bounce: Mapping[str, object]) -> str:
    return _TYPES.get(payload.text(bounce.get("bounceType") or bounce.get("type")), "")


def _sub_type(bounce: Mapping[str, object]) -> str:
    return payload.text(bounce.get("bounceSubType") or bounce.get("subType"))
