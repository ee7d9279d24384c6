"""Messages as they come to us, put together from their parts."""

OURS = """\
Return-Path: <b+abc234@bounces.example.org>
From: Red Thread <ken@example.org>
To: ada@readers.example
Subject: Issue 12
Message-ID: <m12.0123456789abcdef@example.org>
CFBL-Feedback-ID: m12-ada
"""

FINAL = "Final-Recipient: rfc822; ada@readers.example\nAction: failed\nStatus: 5.1.1\n"


def message(header: str, body: str) -> bytes:
    return f"{header.strip()}\n\n{body}".replace("\n", "\r\n").encode()


def multipart(header: str, kind: str, *parts: tuple[str, str]) -> bytes:
    """Each part is its header and its content."""
    inside = "".join(f"--=frontier\n{head}\n\n{content}\n" for head, content in parts)
    full = f'{header.strip()}\nMIME-Version: 1.0\nContent-Type: {kind}; boundary="=frontier"'
    return message(full, f"{inside}--=frontier--\n")


def delivery_report(
    recipients: str = FINAL,
    *,
    said: str = "I am sorry to tell you that it did not arrive.",
    returned: str = OURS,
    per_message: str = "Reporting-MTA: dns; mx.readers.example\n",
    subject: str = "Undelivered Mail Returned to Sender",
) -> bytes:
    """RFC 3464, with the header of our message."""
    return multipart(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.readers.example\nTo: b+abc234@bounces.example.org\n"
        f"Subject: {subject}\nAuto-Submitted: auto-replied",
        "multipart/report; report-type=delivery-status",
        ("Content-Type: text/plain; charset=us-ascii", said),
        ("Content-Type: message/delivery-status", f"{per_message}\n{recipients}"),
        ("Content-Type: text/rfc822-headers", returned),
    )


def complaint(fields: str = "", *, type_: str = "abuse", returned: str = OURS) -> bytes:
    """RFC 5965."""
    return multipart(
        "From: <feedback@isp.example>\nTo: fbl@example.org\nSubject: FW: Issue 12",
        "multipart/report; report-type=feedback-report",
        ("Content-Type: text/plain", "This is an email abuse report."),
        (
            "Content-Type: message/feedback-report",
            f"Feedback-Type: {type_}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n{fields}",
        ),
        ("Content-Type: message/rfc822", f"{returned}\nHello Ada"),
    )


def answer(body: str, header: str = "", *, content_type: str = "text/plain; charset=utf-8") -> bytes:
    return message(
        "Return-Path: <ada@readers.example>\nFrom: Ada Lovelace <ada@readers.example>\nTo: ken@example.org\n"
        "Subject: Re: Issue 12\nIn-Reply-To: <m12.0123456789abcdef@example.org>\n"
        f"Content-Type: {content_type}\n{header}",
        body,
    )
