"""A message taken apart, for providers that put it together themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default
from email.utils import getaddresses

# These have members of their own in every provider's language, or belong to the body, which is written anew.
_ELSEWHERE = {
    "from",
    "to",
    "reply-to",
    "subject",
    "date",
    "mime-version",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
}


@dataclass(frozen=True)
class Attachment:
    name: str
    kind: str  # type/subtype
    content: bytes


@dataclass(frozen=True)
class Pieces:
    """Texts are decoded; line ends in both bodies are as they were written. `headers` are all others, as they stand
    in the message but unfolded (RFC 5322 §2.2.3), in their order."""

    sender: str  # “Name <address>”
    reply_to: str
    subject: str
    text: str
    html: str
    headers: list[tuple[str, str]]
    attachments: list[Attachment] = field(default_factory=list)

    def header(self, name: str) -> str:
        """The first of this name, or an empty text."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")


def take_apart(content: bytes) -> Pieces:
    message = BytesParser(policy=default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    bodies = {"text/plain": "", "text/html": ""}
    attachments = []
    for part in _leaves(message):
        kind, data = part.get_content_type(), _content(part)
        if kind in bodies and not bodies[kind] and part.get_content_disposition() != "attachment":
            bodies[kind] = data.decode(part.get_content_charset("utf-8"), "replace")
        else:
            attachments.append(Attachment(part.get_filename("attachment"), kind, data))
    return Pieces(
        sender=_mailboxes(message, "from"),
        reply_to=_mailboxes(message, "reply-to"),
        subject=str(message.get("Subject", "")),
        text=bodies["text/plain"],
        html=bodies["text/html"],
        headers=[(name, _unfolded(value)) for name, value in message.raw_items() if name.lower() not in _ELSEWHERE],
        attachments=attachments,
    )


def _leaves(part: Message) -> Iterator[Message]:
    if part.get_content_maintype() != "multipart":
        yield part
        return
    for child in part.get_payload():
        if isinstance(child, Message):
            yield from _leaves(child)


def _content(part: Message) -> bytes:
    if part.get_content_maintype() == "message":  # somebody else's message: no part of ours
        return b"".join(child.as_bytes() for child in part.get_payload() if isinstance(child, Message))
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _mailboxes(message: EmailMessage, name: str) -> str:
    """Decoded by hand: the parser puts a blank where a long name was cut into two encoded words (RFC 2047 §6.2)."""
    raw = [_unfolded(value) for each, value in message.raw_items() if each.lower() == name]
    return ", ".join(
        str(Address(str(make_header(decode_header(shown))), addr_spec=mailbox)) for shown, mailbox in getaddresses(raw)
    )


def _unfolded(value: str) -> str:
    return "".join(value.splitlines()).strip()
