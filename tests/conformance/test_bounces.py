"""How we read bounces, beside Sisimai: of reports that a real Postfix wrote, and of samples in other shapes."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from emails import Incoming, IncomingKind, read_incoming
from newsletter.sending import severity
from newsletter.sending.models import BounceKind
from tests.conformance import postfix
from tests.conformance.programs import run
from tests.conformance.verdicts import Told
from tests.emails.incoming import messages, test_bounces
from tests.smtp_sink import Orders, SmtpSink

pytestmark = [pytest.mark.judges, pytest.mark.slow]

HARD, SOFT, BLOCKED = BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCKED
PATIENCE = 60  # seconds
PAGE = Path(__file__).parents[2] / "docs" / "bounces.md"


@dataclass(frozen=True)
class Case:
    reply: str
    status: str
    ours: BounceKind
    reason: str  # Sisimai's
    is_soft: bool  # to Sisimai
    at_dot: bool = False


# Replies as the big receivers write them. Where Sisimai sees it otherwise, docs/bounces.md says why.
CASES = {
    "user-unknown": Case(
        "550 5.1.1 <u@r.example>: Recipient address rejected: User unknown", "5.1.1", HARD, "userunknown", False
    ),
    "disabled": Case("550 5.2.1 This account has been disabled or discontinued", "5.2.1", HARD, "suspend", True),
    "no-code": Case("550 No such user here", "5.0.0", HARD, "userunknown", False),
    "outlook": Case("550 5.5.0 Requested action not taken: mailbox unavailable", "5.5.0", HARD, "userunknown", False),
    "yahoo": Case(
        "554 delivery error: dd This user doesn't have a yahoo.com account", "5.0.0", HARD, "userunknown", False
    ),
    "exchange": Case("550 5.4.1 Recipient address rejected: Access denied", "5.4.1", HARD, "userunknown", False),
    "null-mx": Case("556 5.1.10 Recipient address has null MX", "5.1.10", HARD, "notaccept", False),
    "full": Case("552 5.2.2 Mailbox is full", "5.2.2", SOFT, "mailboxfull", True),
    "over-quota": Case(
        "452 4.2.2 The email account that you tried to reach is over quota", "4.2.2", SOFT, "mailboxfull", True
    ),
    "greylisted": Case(
        "450 4.7.1 <u@r.example>: Recipient address rejected: Greylisted", "4.7.1", SOFT, "blocked", True
    ),
    "policy": Case("550 5.7.1 Message rejected due to local policy", "5.7.1", BLOCKED, "policyviolation", True),
    "unauthenticated": Case(
        "550 5.7.515 Access denied, sending domain does not meet the required authentication level",
        "5.7.515",
        BLOCKED,
        "securityerror",
        True,
    ),
    "spam": Case("554 5.7.1 This message looks like spam", "5.7.1", BLOCKED, "spamdetected", True, at_dot=True),
    "listed": Case(
        "550 5.7.1 Service unavailable, client host [192.0.2.1] blocked using zen.spamhaus.example",
        "5.7.1",
        BLOCKED,
        "blocked",
        True,
    ),
    "too-big": Case("552 5.3.4 Message size exceeds fixed limit", "5.3.4", BLOCKED, "mesgtoobig", True, at_dot=True),
}

_SISIMAI = """
use strict; use warnings; use JSON::PP; use Sisimai;
my %said;
for my $file (@ARGV) {
  my $found = Sisimai->make($file, delivered => 1) // [];
  $said{$file} = [map { {
    reason => $_->reason, soft => $_->softbounce, status => $_->deliverystatus,
    recipient => $_->recipient->address, message_id => $_->messageid, feedback => $_->feedbacktype,
  } } @$found];
}
print encode_json(\\%said);
"""

Said = dict[str, str | int]


@pytest.fixture(scope="module")
def reports() -> dict[str, list[bytes]]:
    """What a real Postfix reports about each case, by the name in the return path."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a Postfix")
    orders = {
        f"{name}@readers.example": Orders(at_dot=case.reply) if case.at_dot else Orders(at_rcpt=case.reply)
        for name, case in CASES.items()
    }
    with SmtpSink(orders=orders) as receiver, SmtpSink() as us:
        routes = {
            "readers.example": f"smtp:[127.0.0.1]:{receiver.url.rpartition(':')[2]}",
            "bounces.example.org": f"smtp:[127.0.0.1]:{us.url.rpartition(':')[2]}",
            "nowhere.example": "error:5.4.4 Host or domain name not found. Name service error for name=nowhere.example "
            "type=A: Host not found",
        }
        with postfix.running(routes) as port:
            for name in CASES:
                send(port, name, f"{name}@readers.example")
            send(port, "host-unknown", "ada@nowhere.example")
            send(port, "delivered", "ada@readers.example", "NOTIFY=SUCCESS")
            wanted = len(CASES) + 2 + 2  # the two that are put off are reported twice
            until = time.monotonic() + PATIENCE
            while len(us.accepted) < wanted and time.monotonic() < until:
                time.sleep(0.2)
    found: dict[str, list[bytes]] = {}
    for recipient, message in us.accepted:
        found.setdefault(recipient.removeprefix("b+").partition("@")[0], []).append(message)
    assert sum(map(len, found.values())) == wanted, sorted(found)
    return found


def send(port: int, name: str, recipient: str, *options: str) -> None:
    message = f"From: ken@example.org\nTo: {recipient}\nSubject: Issue 12\nMessage-ID: <{name}@example.org>\n\nHello"
    postfix.submit(port, f"b+{name}@bounces.example.org", recipient, message.encode(), *options)


def by_sisimai(folder: Path, *raw: bytes) -> list[Said]:
    """Its first word about each message; nothing for what it does not know."""
    files = [folder / f"{number}.eml" for number in range(len(raw))]
    for file, message in zip(files, raw, strict=True):
        file.write_bytes(message.replace(b"\r\n", b"\n"))
    said = json.loads(run(["/usr/bin/perl", "-e", _SISIMAI, *files]))
    return [(said[str(file)] or [{}])[0] for file in files]


def failure(reports: dict[str, list[bytes]], name: str) -> bytes:
    [report] = [raw for raw in reports[name] if read_incoming(raw).kind is IncomingKind.BOUNCED]
    return report


def meaning(found: Incoming) -> BounceKind:
    return severity.of(found.status, found.words)


@pytest.mark.verdict("Sisimai", "reports of a real Postfix: reads reader, message and reason as we do")
@pytest.mark.parametrize("name", CASES)
def test_a_real_bounce_is_read_as_sisimai_reads_it(
    reports: dict[str, list[bytes]], name: str, tmp_path: Path, told: Told
) -> None:
    told.judged([name])
    case, raw = CASES[name], failure(reports, name)

    found = read_incoming(raw)
    [said] = by_sisimai(tmp_path, raw)

    assert (found.recipient, found.message_id) == (f"{name}@readers.example", f"{name}@example.org")
    assert found.return_path == f"b+{name}@bounces.example.org"
    assert (found.status, meaning(found)) == (case.status, case.ours)
    assert (said["recipient"], said["message_id"]) == (found.recipient, found.message_id)
    assert (said["reason"], bool(said["soft"])) == (case.reason, case.is_soft)


def test_where_we_give_a_reader_up_sisimai_does_too_but_for_what_the_documentation_lists() -> None:
    differing = {name for name, case in CASES.items() if (case.ours is HARD) == case.is_soft}
    page = PAGE.read_text()

    assert differing == {"disabled"}
    for name in differing:
        assert f"`{CASES[name].reason}`" in page


def test_a_host_that_is_not_known_is_hard_to_both(reports: dict[str, list[bytes]], tmp_path: Path) -> None:
    [raw] = reports["host-unknown"]

    found = read_incoming(raw)
    [said] = by_sisimai(tmp_path, raw)

    assert (found.status, meaning(found)) == ("5.4.4", HARD)
    assert (said["reason"], said["soft"]) == ("hostunknown", 0)


@pytest.mark.parametrize("name", ["over-quota", "greylisted"])
def test_a_warning_comes_before_the_bounce_and_is_none(reports: dict[str, list[bytes]], name: str) -> None:
    kinds = [read_incoming(raw).kind for raw in reports[name]]

    assert kinds == [IncomingKind.DELAYED, IncomingKind.BOUNCED]


@pytest.mark.verdict("Sisimai")
def test_good_news_is_no_bounce_to_either(reports: dict[str, list[bytes]], tmp_path: Path) -> None:
    [raw] = reports["delivered"]

    [said] = by_sisimai(tmp_path, raw)

    assert (read_incoming(raw).kind, said["reason"]) == (IncomingKind.DELIVERED, "delivered")


def test_complaints_and_absences_are_told_from_bounces_by_both(tmp_path: Path) -> None:
    away = messages.answer("I am away.", "Auto-Submitted: auto-replied").replace(
        b"Subject: Re:", b"Subject: Out of office: Re:"
    )
    complaint = messages.complaint(
        "Original-Rcpt-To: <ada@readers.example>\nOriginal-Mail-From: <b+x@bounces.example.org>\n"
    )

    said = by_sisimai(tmp_path, complaint, away)

    assert [each["reason"] for each in said] == ["feedback", "vacation"]
    assert [read_incoming(raw).kind for raw in (complaint, away)] == [IncomingKind.COMPLAINED, IncomingKind.AUTO_REPLY]
    assert said[0]["message_id"] == read_incoming(complaint).message_id


@pytest.mark.parametrize("name", ["QMAIL", "EXIM"])
def test_bounces_without_a_report_are_given_up_by_both(name: str, tmp_path: Path) -> None:
    raw: bytes = getattr(test_bounces, name)

    found = read_incoming(raw)
    [said] = by_sisimai(tmp_path, raw)

    assert (found.kind, meaning(found), found.recipient) == (IncomingKind.BOUNCED, HARD, said["recipient"])
    assert (said["reason"], said["soft"]) == ("userunknown", 0)


def test_what_is_only_filtered_to_sisimai_is_told_in_the_documentation(tmp_path: Path) -> None:
    [said] = by_sisimai(tmp_path, test_bounces.YAHOO)

    assert meaning(read_incoming(test_bounces.YAHOO)) is HARD
    assert (said["reason"], said["soft"]) == ("filtered", 1)
    assert "`filtered`" in PAGE.read_text()
