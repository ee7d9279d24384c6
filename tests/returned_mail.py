"""Mail as other servers and people send it to us."""

from email.message import EmailMessage
from itertools import count

_numbers = count(1)


def dsn(
    to: str = "postmaster@letters.example.org",
    *,
    about: str = "ada@example.com",
    status: str = "5.1.1",
    words: str = "550 5.1.1 no such user",
    action: str = "failed",
    message_id: str = "",
    named: str = "",
) -> bytes:
    """A delivery status notification (RFC 3464) that came back to `to`, with the headers of our message if told."""
    number = next(_numbers)
    original = f"Message-ID: <{message_id}>\r\nSubject: On slow mail\r\n\r\n" if message_id else ""
    returned = f"--frontier\r\nContent-Type: text/rfc822-headers\r\n\r\n{original}" if message_id else ""
    return (
        "Return-Path: <>\r\n"
        "From: MAILER-DAEMON@mx.example.net\r\n"
        f"To: {to}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        f"Message-ID: <{named or f'dsn{number}'}@mx.example.net>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="frontier"\r\n\r\n'
        "--frontier\r\nContent-Type: text/plain\r\n\r\nThis did not work.\r\n\r\n"
        "--frontier\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; {about}\r\n"
        f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {words}\r\n\r\n"
        f"{returned}--frontier--\r\n"
    ).encode()


def complaint(to: str, *, message_id: str = "m1.0@letters.example.org") -> bytes:
    """A feedback report (RFC 5965) with the address taken out."""
    return (
        "Return-Path: <feedback@mail.example.net>\r\n"
        "From: feedback@mail.example.net\r\n"
        f"To: {to}\r\n"
        "Subject: FW: On slow mail\r\n"
        f"Message-ID: <arf{next(_numbers)}@mail.example.net>\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="frontier"\r\n\r\n'
        "--frontier\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n\r\n"
        "--frontier\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nUser-Agent: Example/1.0\r\nVersion: 1\r\n\r\n"
        f"--frontier\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{message_id}>\r\nSubject: On slow mail\r\n\r\n"
        "Hello.\r\n\r\n--frontier--\r\n"
    ).encode()


def letter(to: str, words: str, *, sender: str = "ada@example.com", **headers: str) -> bytes:
    """What a person writes; header names with _ for -."""
    message = EmailMessage()
    message["Return-Path"] = f"<{headers.pop('Return_Path', sender)}>"
    message["From"] = sender
    message["To"] = to
    message["Subject"] = headers.pop("Subject", "Re: On slow mail")
    message["Message-ID"] = f"<letter{next(_numbers)}@mail.example.com>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(words)
    return message.as_bytes()
