"""What a message that came to us turned out to be."""

from dataclasses import dataclass
from enum import StrEnum

LONGEST_WORDS = 500  # characters


class IncomingKind(StrEnum):
    BOUNCED = "bounced"  # a message of ours did not reach its mailbox, and nobody tries any more
    DELAYED = "delayed"  # somebody still tries
    DELIVERED = "delivered"  # it has arrived, or was passed on to where no more will be told
    COMPLAINED = "complained"  # the reader pressed “spam”
    AUTO_REPLY = "auto_reply"  # a program answered: away, received, prove that you are human, was opened
    REPLY = "reply"  # a person wrote


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """What can be told from the message alone. Nothing in it is proved: anybody can write such a message."""

    kind: IncomingKind
    recipient: str = ""  # whom our message was for: Original-Recipient, else Final-Recipient, as the report says
    status: str = ""  # enhanced status code (RFC 3463): 5.1.1
    words: str = ""  # the reporter's own, one line, at most LONGEST_WORDS characters
    message_id: str = ""  # of our message, without < >
    return_path: str = ""  # of our message, if the report shows it; else where the report was sent to
    feedback_id: str = ""  # CFBL-Feedback-ID of our message (RFC 9477), if shown
    in_reply_to: tuple[str, ...] = ()  # Message-IDs that an answer refers to, without < >, nearest first
    sender: str = ""  # of an answer: the address in From
    subject: str = ""  # of an answer
    text: str = ""  # of an answer: what is new in it, without what it quotes


def one_line(words: str, longest: int = LONGEST_WORDS) -> str:
    """Printable, with single blanks."""
    seen = "".join(letter if letter.isprintable() else " " for letter in words[: longest * 8])
    return " ".join(seen.split())[:longest].rstrip()
