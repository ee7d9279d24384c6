"""What a person, or a program in a person's name, answered: the new words, without what they quote."""

import re

from emails.incoming import markup
from emails.incoming.original import ids
from emails.incoming.parts import Part
from emails.incoming.quotes import without_quotes
from emails.incoming.reports import address_in
from emails.incoming.values import Incoming, IncomingKind, one_line

LONGEST = 20_000  # characters of text
MOST_IDS = 20

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def read(parts: list[Part], kind: IncomingKind) -> Incoming:
    fields = parts[0].fields
    nearest = ids(fields.first("in-reply-to")) + ids(" ".join(fields.all("references")))[::-1]
    return Incoming(
        kind=kind,
        in_reply_to=tuple(dict.fromkeys(nearest))[:MOST_IDS],
        sender=address_in(fields.words("from")),
        subject=one_line(fields.words("subject")),
        text=_UNSEEN.sub("", without_quotes(_text(parts))[:LONGEST]).strip(),
    )


def _text(parts: list[Part]) -> str:
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if part.kind == kind and not part.is_attached and part.text.strip():
                return part.text if kind == "text/plain" else markup.text_of(part.text)
    return ""
