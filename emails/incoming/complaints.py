"""Complaints: feedback reports (RFC 5965) and the two older forms that providers still write."""

import re
from dataclasses import replace

from emails.incoming.original import original, unwrapped
from emails.incoming.parts import ORIGINALS, Fields, Part, fields_of
from emails.incoming.reports import address_in
from emails.incoming.values import Incoming, IncomingKind, one_line

# Types that no reader has pressed a button for: “this was no spam”, and reports about authentication (RFC 6591).
_NO_COMPLAINT = {"not-spam", "auth-failure", "virus", "dmarc", "miscategorized"}
_MICROSOFT = "x-hmxmroriginalrecipient"  # in the returned message of its junk mail reporting programme


def read(parts: list[Part]) -> Incoming | None:
    for part in parts:
        if part.kind == "message/feedback-report":
            return _feedback(parts, Fields(part.bytes.replace(b"\r\n", b"\n").strip(b"\n").replace(b"\n\n", b"\n")))
    for part in parts[1:]:
        if part.kind in ORIGINALS and (to := fields_of(part).first(_MICROSOFT)):
            return replace(original(parts).incoming(IncomingKind.COMPLAINED), recipient=address_in(to), words="abuse")
    return None


def _feedback(parts: list[Part], report: Fields) -> Incoming:
    type_ = report.first("feedback-type").lower()
    returned = original(parts)
    kind = IncomingKind.AUTO_REPLY if type_ in _NO_COMPLAINT else IncomingKind.COMPLAINED
    recipient = report.first("original-rcpt-to", "removal-recipient", "redacted-address")
    return replace(
        returned.incoming(kind),
        recipient=address_in(recipient) or returned.to,
        words=one_line(type_ or "abuse"),
        return_path=returned.return_path or unwrapped(report.first("original-mail-from")),
        feedback_id=returned.feedback_id or one_line(report.first("cfbl-feedback-id")),
        message_id=returned.message_id or _id(report),
        sender=address_in(parts[0].fields.first("from")),
        subject=one_line(parts[0].fields.words("subject")),
    )


def _id(report: Fields) -> str:
    found = re.search(r"[!-;=?A-~]{1,250}@[!-;=?-~]{1,250}", report.first("original-message-id", "message-id"))
    return found[0] if found else ""
