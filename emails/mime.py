"""Both parts and all headers of a letter, but for the reader's own values."""

from datetime import UTC
from email.utils import format_datetime
from hashlib import sha256

from emails import headers, quoted_printable
from emails.addresses import mailable
from emails.letter import Letter, Place
from emails.personalise import Slot, split
from emails.values import Compiled, Envelope

_Parts = list[bytes | Place]


def build_letter(compiled: Compiled, envelope: Envelope) -> Letter:
    """The message of a mailing or notice, ready to be spliced for each of its readers.

    Headers that a mail program acts on (List-*, Feedback-ID, Message-ID) are never folded inside nor encoded.
    """
    boundary = "=_" + sha256("\0".join([compiled.subject, compiled.html, compiled.text]).encode()).hexdigest()[:32]
    return Letter(
        tuple(
            _merged(
                [
                    *_addresses(envelope),
                    *_subject(compiled.subject),
                    *_identity(envelope),
                    *_list(envelope),
                    *_kind(envelope),
                    _text("MIME-Version: 1.0\r\n"),
                    _text(f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'),
                    *_body("text", compiled.text, boundary),
                    *_body("html", compiled.html, boundary),
                    _text(f"\r\n--{boundary}--\r\n"),
                ]
            )
        )
    )


def _addresses(envelope: Envelope) -> _Parts:
    sender = envelope.sender
    lines: _Parts = [_text(f"From: {headers.mailbox(sender.name, mailable(sender.address))}\r\n")]
    if sender.reply_to:
        lines.append(_text(f"Reply-To: {mailable(sender.reply_to)}\r\n"))
    return [*lines, _text("To: "), Place("to"), _text("\r\n")]


def _subject(template: str) -> _Parts:
    """A reader's name in a subject has encoded words of its own: blanks between two of them do not count."""
    parts = split(template)
    if len(parts) == 1:
        return [_text(headers.unstructured("Subject", str(parts[0])))]
    written: _Parts = [_text("Subject: ")]
    for part in parts:
        if not part:
            continue
        first = len(written) == 1
        if isinstance(part, Slot):
            written.append(Place("subject-start" if first else "subject", part.name, part.fallback))
        else:
            written.append(_text(("" if first else "\r\n ") + headers.encoded(part)))
    return [*written, _text("\r\n")]


def _identity(envelope: Envelope) -> _Parts:
    # format_datetime writes +0000 for UTC; formatdate would write -0000, which means an unknown zone.
    date = format_datetime(envelope.date.astimezone(UTC))
    domain = mailable(f"id@{envelope.message_id_domain}").partition("@")[2]
    return [_text(f"Date: {date}\r\nMessage-ID: <"), Place("message-id"), _text(f"@{domain}>\r\n")]


def _list(envelope: Envelope) -> _Parts:
    lines: _Parts = []
    if envelope.list_id:
        lines.append(_text(headers.list_id(envelope.list_id)))
    if envelope.one_click:
        owner = mailable(envelope.sender.reply_to or envelope.sender.address)
        lines += [
            _text("List-Unsubscribe: "),
            Place("list-unsubscribe"),
            _text("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
            _text(f"List-Owner: {headers.uri(f'mailto:{owner}')}\r\nList-Post: NO\r\n"),
        ]
    for name, url in (("List-Help", envelope.help_url), ("List-Archive", envelope.archive_url)):
        if url:
            lines.append(_text(f"{name}: {headers.uri(url)}\r\n"))
    if envelope.feedback_id:
        lines.append(_text(headers.raw("Feedback-ID", envelope.feedback_id)))
    return lines


def _kind(envelope: Envelope) -> _Parts:
    """Asks other programs not to answer."""
    bulk = "Precedence: bulk\r\n" if envelope.one_click else ""
    return [_text(f"{bulk}Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: OOF, AutoReply\r\n")]


def _body(kind: str, template: str, boundary: str) -> _Parts:
    subtype = "plain" if kind == "text" else "html"
    parts = split(template)
    constants = [None if isinstance(part, Slot) else quoted_printable.constant(part) for part in parts]
    start = "" if kind == "text" else "\r\n"
    head = (
        f"{start}--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    written: _Parts = [_text(head)]
    for part, constant in zip(parts, quoted_printable.body(constants), strict=True):
        if isinstance(part, Slot):
            written.append(Place(kind, part.name, part.fallback))
        elif constant:
            written.append(constant)
    return written


def _text(ascii_only: str) -> bytes:
    return ascii_only.encode("ascii")


def _merged(parts: _Parts) -> _Parts:
    """Neighbouring constants as one: a join should have no more parts than slots ask for."""
    merged: _Parts = []
    for part in parts:
        if merged and isinstance(part, bytes) and isinstance(merged[-1], bytes):
            merged[-1] += part
        else:
            merged.append(part)
    return merged
