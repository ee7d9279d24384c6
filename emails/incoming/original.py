"""Our own message, or its header, as it came back inside a report."""

import re
from dataclasses import dataclass
from email.utils import getaddresses

from emails.incoming.parts import ORIGINALS, Fields, Part, fields_of
from emails.incoming.values import Incoming, IncomingKind, one_line

_ID = re.compile(r"<([!-;=?-~]{1,250})>")
_SRS = re.compile(r"SRS0[=+-][^=]+=[^=]+=([^=]+)=([^@]+)@", re.IGNORECASE)  # how forwarders wrap a return path
_IN_TEXT = re.compile(
    r"^[ \t>]*(?:Message-ID|Return-Path|From|Received|Subject|Date|To):", re.IGNORECASE | re.MULTILINE
)
_QUOTED = re.compile(r"^[ \t]*>[ \t]?|^ {4}", re.MULTILINE)


@dataclass(frozen=True)
class Original:
    message_id: str = ""
    return_path: str = ""
    feedback_id: str = ""
    to: str = ""  # in small letters

    def incoming(self, kind: IncomingKind) -> Incoming:
        return Incoming(
            kind=kind, message_id=self.message_id, return_path=self.return_path, feedback_id=self.feedback_id
        )


def original(parts: list[Part]) -> Original:
    """From the part that holds it, else from a copy in the text. Empty where it did not come back."""
    held = [fields_of(part) for part in parts[1:] if part.kind in ORIGINALS]
    held += [fields for part in parts if part.kind == "text/plain" for fields in _in_text(part.text)]
    found = [_read(fields) for fields in held]
    telling = [each for each in found if each.message_id]
    return (telling or found or [Original()])[0]


def ids(field: str) -> list[str]:
    return _ID.findall(field)


def unwrapped(address: str) -> str:
    """The return path that we wrote, without what a forwarder has put around it (SRS)."""
    address = one_line(address.strip().strip("<>"), 320)
    srs = _SRS.match(address)
    return f"{srs[2]}@{srs[1]}" if srs else address


def _read(fields: Fields) -> Original:
    found = ids(fields.first("message-id"))
    to = getaddresses([fields.first("to")[:1000]])
    return Original(
        message_id=found[0] if found else "",
        return_path=unwrapped(fields.first("return-path")),
        feedback_id=one_line(fields.first("cfbl-feedback-id")),
        to=one_line(to[0][1].lower()) if to else "",
    )


def _in_text(text: str) -> list[Fields]:
    """Servers without reports write the header below their own words, some of them indented or quoted."""
    text = _QUOTED.sub("", text)
    first = _IN_TEXT.search(text)
    while first and not _looks_like_header(text[first.start() :]):
        first = _IN_TEXT.search(text, first.end())
    return [Fields(text[first.start() : first.start() + 64_000].partition("\n\n")[0].encode())] if first else []


def _looks_like_header(text: str) -> bool:
    return len(re.findall(r"^[A-Za-z][\w-]{1,40}:", text[:4000].partition("\n\n")[0], re.MULTILINE)) >= 3
