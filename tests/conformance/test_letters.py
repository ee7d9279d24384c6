"""The bytes of every letter, told by mailparser and reformime. What is read must be what was meant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import asking, letters
from tests.conformance.letters import DOMAIN, Judged
from tests.conformance.verdicts import Told
from tests.emails.samples import ADA, part, read

pytestmark = pytest.mark.judges

TREE = [("multipart/alternative", "8bit", "UTF-8"), ("text/plain", "quoted-printable", "utf-8")]
TREE += [("text/html", "quoted-printable", "utf-8")]  # of the whole: reformime's own defaults


@pytest.mark.verdict("mailparser", "reads every field, link and word as it was meant")
def test_mailparser_reads_them_as_they_were_meant(tmp_path: Path, told: Told) -> None:
    every = letters.every()
    told.judged(letters.names())

    for letter, seen in zip(every, asking.mailparser(tmp_path, [each.raw for each in every]), strict=True):
        parsed = read(letter.raw)
        assert [person["address"] for person in seen["from"]] == [letter.envelope.sender.address], letter.name
        assert seen["to"] == [{"name": "Ada", "address": ADA.address}], letter.name
        assert (seen["cc"], seen["attachments"]) == ([], 0), letter.name
        assert seen["subject"] == letter.compiled.subject or "__NAME" in letter.compiled.subject, letter.name
        assert seen["messageId"] == f"<{ADA.message_id}@{DOMAIN}>", letter.name
        assert lines(seen["text"]) == lines(part(parsed, "plain")), letter.name
        assert lines(seen["html"]) == lines(part(parsed, "html")), letter.name
        is_bulk = letter.envelope.one_click
        assert seen["unsubscribeUrl"] == (ADA.unsubscribe_url if is_bulk else ""), letter.name
        assert bool(seen["listId"]) is is_bulk, letter.name


def encoded_way_out(letter: Judged) -> bytes:
    """As Python's own policy would write a long address (finding by many a receiver)."""
    way_out = f"<{ADA.unsubscribe_url}>".encode()
    assert way_out in letter.raw
    return letter.raw.replace(way_out, b"=?utf-8?q?=3Chttps=3A//letters=2Eexample=2Eorg/leave/3f9a=5Fb=3E?=", 1)


def second_sender(letter: Judged) -> bytes:
    return letter.raw.replace(b"From: Mara", b"From: Eve <eve@evil.example>, Mara", 1)


@pytest.mark.verdict("mailparser")
def test_mailparser_sees_a_way_out_that_was_encoded_and_a_second_sender(tmp_path: Path) -> None:
    golden = letters.every()[0]

    encoded, doubled = asking.mailparser(tmp_path, [encoded_way_out(golden), second_sender(golden)])

    assert encoded["unsubscribeUrl"] != ADA.unsubscribe_url
    assert len(doubled["from"]) == 2


@pytest.mark.verdict("reformime", "the text first, the HTML last, both in UTF-8, with the words that were written")
def test_reformime_sees_the_text_first_and_the_html_last(told: Told) -> None:
    told.judged(letters.names())

    for letter in letters.every():
        parsed = read(letter.raw)
        assert asking.reformime(letter.raw) == TREE, letter.name
        assert lines(asking.section(letter.raw, "1.1")) == lines(part(parsed, "plain")), letter.name
        assert lines(asking.section(letter.raw, "1.2")) == lines(part(parsed, "html")), letter.name


def swapped(letter: Judged) -> bytes:
    return (
        letter.raw.replace(b"text/plain", b"text/other")
        .replace(b"text/html", b"text/plain")
        .replace(b"text/other", b"text/html")
    )


def closed_early(letter: Judged) -> bytes:
    boundary = letter.raw.partition(b'boundary="')[2].partition(b'"')[0]
    return letter.raw.replace(b"\r\n--" + boundary + b"\r\nContent-Type: text/html", b"\r\nContent-Type: text/html")


@pytest.mark.verdict("reformime")
@pytest.mark.parametrize("spoil", [swapped, closed_early])
def test_reformime_sees_parts_that_are_swapped_or_lost(spoil: Callable[[Judged], bytes]) -> None:
    broken = spoil(letters.every()[0])

    assert broken != letters.every()[0].raw
    assert asking.reformime(broken) != TREE


def lines(text: str) -> list[str]:
    return text.strip().splitlines()
