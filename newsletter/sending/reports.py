"""What others tell us about one message after it has left: the common tongue of returned mail and providers' hooks."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReportKind(StrEnum):
    BOUNCED = "bounced"  # it did not reach the mailbox; the status says whether that is for good
    DELAYED = "delayed"  # somebody still tries
    DELIVERED = "delivered"  # the receiving server has it: proof that it had left
    ACCEPTED = "accepted"  # the provider took it from us: proof that it had left
    COMPLAINED = "complained"  # the reader pressed “spam”


@dataclass(frozen=True, kw_only=True)
class Report:
    """One event. Who is meant is told by the token, else by Message-ID and address together, never by one alone."""

    source: str  # mail, ses, postmark, mailgun, sendgrid, resend
    event_id: str  # its name within the source: a repetition changes nothing
    kind: ReportKind
    token: str = ""  # return_path.token, from the return path or from what we gave the provider to keep
    message_id: str = ""  # ours, as in the message, with or without < >
    address: str = ""  # whom it was for, as the reporter writes it
    status: str = ""  # enhanced status code (RFC 3463), if told
    words: str = ""  # the reporter's own
    at: datetime | None = None  # when it happened there
