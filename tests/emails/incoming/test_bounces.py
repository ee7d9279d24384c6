"""Bounces of servers that write no report: each in the shape of one that is met in the wild."""

import pytest

from emails import IncomingKind, read_incoming
from tests.emails.incoming.messages import OURS, answer, message

INDENTED = "".join(f"    {line}\n" for line in OURS.splitlines())

QMAIL = message(
    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.readers.example\nTo: b+abc234@bounces.example.org\n"
    "Subject: failure notice",
    "Hi. This is the qmail-send program at mx.readers.example.\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    "<ada@readers.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
    f"--- Below this line is a copy of the message.\n\n{OURS}\nHello Ada, write to me at ken@example.org: 4.2.2\n",
)
EXIM = message(
    "Return-path: <>\nX-Failed-Recipients: ada@readers.example\n"
    "From: Mail Delivery System <Mailer-Daemon@exim.example>\n"
    "To: b+abc234@bounces.example.org\nSubject: Mail delivery failed: returning message to sender\n"
    "Auto-Submitted: auto-replied",
    "This message was created automatically by mail delivery software.\n\n"
    "A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The"
    " following address(es) failed:\n\n  ada@readers.example\n    SMTP error from remote mail server after RCPT TO:\n"
    "    host mx.readers.example [192.0.2.1]: 550 5.1.1 Unknown user\n\n"
    f"------ This is a copy of the message, including all the headers. ------\n\n{OURS}\nHello Ada\n",
)
EXIM_LATE = message(
    "Return-path: <>\nFrom: Mail Delivery System <Mailer-Daemon@exim.example>\nTo: b+abc234@bounces.example.org\n"
    "Subject: Warning: message 1abc-0001-XY delayed 24 hours",
    "This message was created automatically by mail delivery software.\nA message that you sent has not yet been"
    " delivered to one or more of its recipients after more than 24 hours on the queue.\n\n  ada@readers.example\n\n"
    "No action is required on your part. Delivery attempts will continue for\nsome time.\n",
)
EXCHANGE = message(
    "From: System Administrator <postmaster@corp.example>\nTo: b+abc234@bounces.example.org\n"
    "Subject: Undeliverable: Issue 12",
    "Your message\n\n  To:      ada@readers.example\n  Subject: Issue 12\n  Sent:    Mon, 3 May 2027 09:00:00 +0000\n\n"
    "did not reach the following recipient(s):\n\nada@readers.example on Mon, 3 May 2027 09:00:05 +0000\n"
    "    The e-mail account does not exist at the organization this message\n    was sent to.\n"
    "            <corp.example #5.1.1>\n",
)
OUTLOOK_HTML = message(
    "Return-Path: <>\nFrom: Microsoft Outlook <postmaster@outlook.example>\nTo: b+abc234@bounces.example.org\n"
    "Subject: Undeliverable: Issue 12\nContent-Type: text/html; charset=utf-8",
    "<html><head><style>td{color:red}</style></head><body><p>Delivery has failed to these recipients or groups:</p>"
    "<p><a href=\"mailto:ada@readers.example\">ada@readers.example</a><br>The recipient's mailbox is full and can't "
    "accept messages now.</p><p>Remote Server returned '552 5.2.2 mailbox full'</p></body></html>",
)
YAHOO = message(
    "Return-Path: <>\nFrom: MAILER-DAEMON@yahoo.example\nTo: b+abc234@bounces.example.org\nSubject: Failure Notice",
    "Sorry, we were unable to deliver your message to the following address.\n\n<ada@readers.example>:\n"
    "554: delivery error: dd This user doesn't have a yahoo.example account (ada@readers.example) [0]\n\n"
    f"--- Original message follows.\n\n{OURS}\n",
)
GERMAN = message(
    "Return-Path: <>\nFrom: Mailer-Daemon <mailer-daemon@kunde.example>\nTo: b+abc234@bounces.example.org\n"
    "Subject: =?utf-8?q?Unzustellbar=3A_Ausgabe_12?=\nContent-Type: text/plain; charset=iso-8859-1\n"
    "Content-Transfer-Encoding: quoted-printable",
    f"Ihre Nachricht konnte nicht zugestellt werden an ada@readers.example:\n\n550 Empf=E4nger unbekannt\n\n{INDENTED}",
)


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        pytest.param(QMAIL, "5.1.1", "no mailbox here", id="qmail"),
        pytest.param(EXIM, "5.1.1", "Unknown user", id="exim"),
        pytest.param(EXCHANGE, "5.1.1", "#5.1.1", id="exchange"),
        pytest.param(OUTLOOK_HTML, "5.2.2", "mailbox full", id="outlook-html"),
        pytest.param(YAHOO, "", "This user doesn't have", id="yahoo"),
        pytest.param(GERMAN, "", "Empfänger unbekannt", id="german"),
    ],
)
def test_a_bounce_in_a_servers_own_words_is_read(raw: bytes, status: str, words: str) -> None:
    found = read_incoming(raw)

    assert (found.kind, found.recipient, found.status) == (IncomingKind.BOUNCED, "ada@readers.example", status)
    assert words in found.words
    assert found.return_path == "b+abc234@bounces.example.org"


@pytest.mark.parametrize("raw", [QMAIL, EXIM, YAHOO, GERMAN])
def test_our_message_is_known_from_its_copy_in_the_text(raw: bytes) -> None:
    assert read_incoming(raw).message_id == "m12.0123456789abcdef@example.org"


def test_a_warning_is_no_bounce() -> None:
    assert read_incoming(EXIM_LATE).kind is IncomingKind.DELAYED


def test_a_person_who_writes_about_bounces_is_a_person() -> None:
    found = read_incoming(answer("Your last issue bounced: 550 5.1.1 mailbox unknown. Could not be delivered!"))

    assert found.kind is IncomingKind.REPLY


def test_a_postmaster_who_answers_in_person_is_a_person() -> None:
    raw = message(
        "From: postmaster@readers.example\nTo: ken@example.org\nSubject: Re: Issue 12\nIn-Reply-To: <m12@example.org>",
        "Your mail was rejected by our filter last week. I have put that right.",
    )

    assert read_incoming(raw).kind is IncomingKind.REPLY
