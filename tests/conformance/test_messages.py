"""The bytes and headers of every message, told by programs that are not ours where there is one."""

import re
import unicodedata
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from emails.personalise import tidy_name
from tests.conformance import asking
from tests.conformance.conftest import Message, Run
from tests.conformance.test_letters import TREE
from tests.conformance.verdicts import Told
from tests.doubles import text_of
from tests.product import PASSWORD
from tests.product.readers import READERS, due

pytestmark = [pytest.mark.judges, pytest.mark.journey]

ONCE = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
OF_AN_ISSUE = ["List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Owner", "List-Archive", "Feedback-ID"]
NEVER = ["X-Mailer", "User-Agent", "Cc", "Bcc", "Return-Path", "Received", "X-Originating-IP"]
ENCODED_WORD = re.compile(r"=\?[^?]+\?[bqBQ]\?[^?]*\?=")


def test_every_reader_due_has_one_and_nobody_else_has_any(run: Run) -> None:
    assert sorted(issue.address for issue in run.issues) == sorted(reader.email for reader in due())
    assert {reader.email for reader in READERS} - {issue.address for issue in run.issues} == {"linus@example.com"}


def test_lines_are_short_and_seven_bit_and_end_as_they_must(run: Run) -> None:
    for message in run.messages:
        assert message.raw.isascii(), message.address
        assert b"\0" not in message.raw
        assert message.raw.count(b"\n") == message.raw.count(b"\r") == message.raw.count(b"\r\n") > 20
        headers, _, body = message.raw.partition(b"\r\n\r\n")
        assert max(map(len, headers.split(b"\r\n"))) <= 998
        assert max(map(len, body.split(b"\r\n"))) <= 76
        assert not re.search(rb"(?m)^[ \t]*$", headers), "an empty line inside the headers"


def test_headers_stand_once_and_say_what_the_standards_want(run: Run) -> None:
    for message in run.messages:
        parsed = message.parsed
        assert [len(parsed.get_all(name, [])) for name in ONCE] == [1] * len(ONCE)
        assert not [name for name in NEVER if name in parsed]
        assert parsed["MIME-Version"] == "1.0"
        assert parsed["Auto-Submitted"] == "auto-generated"
        sent = parsedate_to_datetime(str(parsed["Date"]))
        assert str(parsed["Date"]).endswith("+0000")
        assert abs(datetime.now(UTC) - sent) < timedelta(hours=1)
        assert len(parsed["From"].addresses) == len(parsed["To"].addresses) == 1


def test_an_issue_names_its_list_and_the_way_out(run: Run) -> None:
    for issue in run.issues:
        assert [len(issue.parsed.get_all(name, [])) for name in OF_AN_ISSUE] == [1] * len(OF_AN_ISSUE)
        assert field(issue, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
        way_out = field(issue, "List-Unsubscribe")
        assert re.fullmatch(
            rf"<{run.product.site}/leave/[a-z2-7]+>,\r\n <mailto:leave\+[a-z2-7]+@thread\.example\.org\?subject=leave>",
            way_out,
        )
        assert len(way_out) < 300
        assert re.fullmatch(r"The Red Thread <n\d+\.thread\.example\.org>", field(issue, "List-Id"))
    assert len({field(issue, "List-Id") for issue in run.issues}) == 1
    assert len({field(issue, "List-Unsubscribe") for issue in run.issues}) == len(run.issues)
    assert len({field(issue, "Message-ID") for issue in run.issues}) == len(run.issues)


def test_encoded_words_are_short_and_never_where_a_program_reads(run: Run) -> None:
    for message in run.messages:
        for name, value in raw_fields(message):
            words = ENCODED_WORD.findall(value)
            assert all(len(word) <= 75 for word in words)
            if name not in {"Subject", "From", "To", "List-Id"}:
                assert words == [], name
            for line in value.split("\r\n"):
                assert len(line) <= 76 or not ENCODED_WORD.search(line)


@pytest.mark.verdict("mailparser", "a real run: reads the hardest names and every way out as they were meant")
def test_mailparser_reads_them_as_they_were_meant(run: Run, told: Told) -> None:
    told.judged(message.name for message in run.messages)
    names = {reader.email: tidy_name(reader.name) for reader in READERS}
    for message in run.messages:
        seen = run.by_mailparser[message.path]
        assert [person["address"] for person in seen["from"]] == ["mara@thread.example.org"]
        assert [ascii_address(person["address"]) for person in seen["to"]] == [message.address]
        assert seen["cc"] == []
        assert seen["attachments"] == 0
        assert seen["messageId"] == field(message, "Message-ID")
        assert seen["subject"] == str(message.parsed["Subject"])
        assert lines(seen["text"]) == lines(text_of(message.parsed))
        assert lines(seen["html"]) == lines(message.html)
        if message.kind == "issue":
            assert same(seen["to"][0]["name"], names[message.address])
            assert f"<{seen['unsubscribeUrl']}>" in field(message, "List-Unsubscribe")
            assert seen["unsubscribeMail"].endswith("@thread.example.org?subject=leave")
            assert seen["listId"]["name"] == "The Red Thread"
            assert seen["subject"] == "What I've been reading (#2): how letters find us"
            assert f"Dear {names[message.address] or 'reader'}," in " ".join(seen["text"].split())


@pytest.mark.verdict("reformime", "a real run: the text first, the HTML last, with the words that were written")
def test_reformime_sees_the_text_first_and_the_html_last(run: Run, told: Told) -> None:
    told.judged(message.name for message in run.messages)

    for message in run.messages:
        assert asking.reformime(message.raw) == TREE, message.address
        assert lines(asking.section(message.raw, "1.1")) == lines(text_of(message.parsed))


@pytest.mark.verdict("reformail", "a real run: what would be sent again is a copy, and no two readers share one")
def test_a_copy_that_is_sent_again_is_the_same_and_known_as_one(run: Run, tmp_path: Path, told: Told) -> None:
    told.judged(issue.name for issue in run.issues)
    known = tmp_path / "known"
    for issue in run.issues:
        assert run.spliced[issue.address] == issue.raw
        assert not asking.is_duplicate(issue.raw, known), "two readers share a Message-ID"
    for issue in run.issues:
        assert asking.is_duplicate(run.spliced[issue.address], known)


def test_a_reader_is_named_nowhere_but_in_to(run: Run) -> None:
    everybody = {issue.address.lower() for issue in run.issues}
    for issue in run.issues:
        others = [value for name, value in raw_fields(issue) if name != "To"]
        for place in (*others, text_of(issue.parsed), issue.html):
            assert not [address for address in everybody if address in place.lower()]


def test_every_link_to_our_own_site_leads_somewhere(run: Run) -> None:
    found = {
        link.partition("#")[0]
        for message in run.one_of_each()
        for link in re.findall(r'(?:href|src)="([^"]+)"', message.html)
        if link.startswith(run.product.site) and "/sign-in/" not in link  # which is good in one browser alone
    }
    dead = [link for link in sorted(found) if not answers(link)]

    assert len(found) > 10
    assert dead == []


def test_nothing_of_ours_leaks_into_mail(run: Run) -> None:
    env = run.product.stack.env
    for message in run.messages:
        for secret in (env["SECRET_KEY"], PASSWORD, env["DATABASE_URL"], str(run.product.stack.var), "127.0.1.1"):
            assert secret not in message.parsed.as_string()
        assert "__" not in re.sub(r"https?://\S+", "", text_of(message.parsed)) or message.address.startswith("marks@")


def field(message: Message, name: str) -> str:
    """As it stands in the message, folded as it came."""
    (found,) = (value for known, value in raw_fields(message) if known == name)
    return found


def raw_fields(message: Message) -> list[tuple[str, str]]:
    head = message.raw.partition(b"\r\n\r\n")[0].decode("ascii")
    return [
        (name, value.removeprefix(" "))
        for name, _, value in (each.partition(":") for each in re.split(r"\r\n(?![ \t])", head))
    ]


def ascii_address(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}" if not domain.isascii() else address


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


def same(one: str, other: str) -> bool:
    return unicodedata.normalize("NFC", one).split() == unicodedata.normalize("NFC", other).split()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
