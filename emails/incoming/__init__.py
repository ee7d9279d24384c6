"""Mail that came to us: told apart and read. Bytes in, values out; nothing in it is believed here."""

from dataclasses import replace

from emails.incoming import automatic, bounces, complaints, replies, reports
from emails.incoming.parts import Part, split
from emails.incoming.values import Incoming, IncomingKind

__all__ = ["Incoming", "IncomingKind", "read"]


def read(raw: bytes) -> Incoming:
    """What this message is. Never raises; what cannot be made sense of is a reply with little in it.

    At most parts.LONGEST bytes are looked at, so time and memory are bounded whatever comes. From the surest sign to
    the least: a feedback report (RFC 5965), a delivery report (RFC 3464), the words of a server that writes neither,
    the marks of a program that answers (RFC 3834); the rest is from a person.
    """
    parts = split(raw)
    report = complaints.read(parts) or reports.read(parts) or bounces.read(parts)
    if report is None:
        return _answer(parts)
    if report.kind is IncomingKind.COMPLAINED or report.return_path:
        return report
    # A report goes to the return path of what it is about, and to nothing else (RFC 3464 §2).
    return replace(report, return_path=bounces.sent_to(parts[0].fields))


def _answer(parts: list[Part]) -> Incoming:
    kind = IncomingKind.AUTO_REPLY if automatic.is_automatic(parts) else IncomingKind.REPLY
    return replies.read(parts, kind)
