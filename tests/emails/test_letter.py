import datetime
import re
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emails import (
    Audience,
    Compiled,
    Letter,
    LetterError,
    Sender,
    UnsafeHeader,
    UnsupportedAddress,
    build_letter,
    compile_post,
    personal_html,
    personal_subject,
    personal_text,
)
from emails.characters import one_line, tidy
from emails.personalise import guard, name_mark, settle, tidy_name
from tests.emails.samples import ADA, ENVELOPE, SENT_AT, THEME, content, demo, letter, part, read

ANY = st.text(max_size=120)
HEADERS = [
    *("From", "Reply-To", "To", "Subject", "Date", "Message-ID"),
    *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Owner", "List-Post", "List-Help", "List-Archive"),
    *("Feedback-ID", "Precedence", "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"),
]


def sound(message: bytes) -> None:
    """What a mail server may count on."""
    assert message.isascii()
    assert b"\0" not in message
    assert message.endswith(b"\r\n")
    for line in message.removesuffix(b"\r\n").split(b"\r\n"):
        assert b"\r" not in line
        assert b"\n" not in line
        assert not line.startswith((b".", b"From "))
        assert len(line) <= 998
    body = message.split(b"\r\n\r\n", 1)[1]
    assert max(map(len, body.split(b"\r\n"))) <= 76


def test_a_letter_has_these_headers_in_this_order_each_once() -> None:
    message = read(letter().splice(ADA))

    assert message.keys() == HEADERS
    assert str(message["From"]) == "Mara Lindqvist <mara@letters.example.org>"
    assert str(message["To"]) == "Ada <ada@example.com>"
    assert message["Message-ID"] == "<i7r1.3f9a@letters.example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Feedback-ID"] == "7:weekly:letter:slowletters"


def test_the_headers_to_leave_by_are_neither_encoded_nor_folded_inside() -> None:
    long = "https://letters.example.org/leave/" + "a" * 200
    message = letter().splice(ADA._replace(unsubscribe_url=long))

    assert f"List-Unsubscribe: <{long}>,\r\n <mailto:leave+3f9a@letters.example.org>\r\n".encode() in message
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in message
    assert b"\r\nList-Id: Slow Letters <weekly.lists.letters.example.org>\r\n" in message


def test_without_an_address_to_leave_by_mail_there_is_only_the_page() -> None:
    message = letter().splice(ADA._replace(unsubscribe_mailto=None))

    assert f"List-Unsubscribe: <{ADA.unsubscribe_url}>\r\n".encode() in message


def test_a_notice_names_no_list_and_asks_for_no_answer() -> None:
    envelope = replace(ENVELOPE, one_click=False, list_id=None, feedback_id=None, archive_url=None, help_url=None)
    message = read(letter(envelope=envelope).splice(ADA))

    assert not [name for name in message if name.startswith("List-") or name == "Precedence"]
    assert message["Auto-Submitted"] == "auto-generated"


def test_the_date_is_frozen_and_in_utc() -> None:
    message = read(letter().splice(ADA))

    assert message["Date"].endswith("08:00:00 +0000")
    assert parsedate_to_datetime(message["Date"]) == SENT_AT.astimezone(datetime.UTC)


def test_text_comes_first_and_both_parts_are_what_previews_show() -> None:
    compiled = compile_post(demo(), THEME, Audience.FREE)
    message = read(build_letter(compiled, ENVELOPE).splice(ADA))

    assert message.get_content_type() == "multipart/alternative"
    assert [piece.get_content_type() for piece in message.iter_parts()] == ["text/plain", "text/html"]
    assert [piece.get_content_charset() for piece in message.iter_parts()] == ["utf-8", "utf-8"]
    assert part(message, "plain") == personal_text(compiled, ADA)
    assert part(message, "html") == personal_html(compiled, ADA)
    assert str(message["Subject"]) == demo().subject


def test_a_retry_is_the_same_message_and_another_reader_differs_in_slots_alone() -> None:
    grace = ADA._replace(address="grace@example.com", name="Grace", message_id="i7r1.77aa")

    assert letter().splice(ADA) == letter().splice(ADA)
    ours, hers = (letter(content("Dear {name},")).splice(reader) for reader in (ADA, grace))
    changed = [pair for pair in zip(ours.split(b"\r\n"), hers.split(b"\r\n"), strict=True) if pair[0] != pair[1]]
    assert changed == [
        (b"To: Ada <ada@example.com>", b"To: Grace <grace@example.com>"),
        (b"Message-ID: <i7r1.3f9a@letters.example.org>", b"Message-ID: <i7r1.77aa@letters.example.org>"),
        (b"Ada=", b"Grace="),
        (b"Ada=", b"Grace="),
    ]


def test_a_stored_letter_is_the_same_letter() -> None:
    fresh = letter(demo())
    stored = fresh.to_bytes()

    assert stored.isascii()
    assert Letter.from_bytes(stored) == fresh
    assert Letter.from_bytes(stored).splice(ADA) == fresh.splice(ADA)
    with pytest.raises(LetterError, match="format 2"):
        Letter.from_bytes(stored.replace(b'"version": 1', b'"version": 2'))


def test_domains_are_written_as_dns_knows_them() -> None:
    message = letter().splice(ADA._replace(address="ada@bücher.example", name=None))

    assert b"\r\nTo: ada@xn--bcher-kva.example\r\n" in message


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "zoë@example.com",
        "ada@example.com\r\nBcc: x@example.com",
        "ada@example.com, x@example.com",
        "ada@exam ple.com",
        "<ada@example.com>",
        "ada@example.com>",
        '"a b"@example.com',
        "a@b@example.com",
        "ada..b@example.com",
        f"{'a' * 65}@example.com",
        f"ada@{'a' * 250}.com",
        "ada@-example.com",
        "ada@exämple\u2028.com",
    ],
)
def test_an_address_that_cannot_be_mailed_is_refused(address: str) -> None:
    with pytest.raises(UnsupportedAddress):
        letter().splice(ADA._replace(address=address))


@pytest.mark.parametrize(
    "changed",
    [
        {"unsubscribe_url": "https://a.example/\r\nBcc: x"},
        {"unsubscribe_url": "https://a.example/>,<mailto:x"},
        {"unsubscribe_url": "javascript:alert(1)"},
        {"unsubscribe_url": "https://a.example/é"},
        {"unsubscribe_url": ""},
        {"unsubscribe_url": "https://a.example/" + "a" * 900},
        {"unsubscribe_mailto": "x@example.com\r\nBcc: y"},
        {"message_id": "a>\r\nBcc: x"},
        {"message_id": ""},
        {"message_id": "a b"},
    ],
)
def test_nothing_a_header_holds_can_leave_it(changed: dict[str, str]) -> None:
    with pytest.raises(UnsafeHeader):
        letter().splice(ADA._replace(**changed))  # type: ignore[arg-type]  # all of these are texts


@pytest.mark.parametrize(
    "changed",
    [
        {"list_id": "Letters"},
        {"list_id": "Letters <a b>"},
        {"feedback_id": "a:b\r\nBcc: x"},
        {"feedback_id": "a" * 1000},
        {"archive_url": "https://a.example/>\r\n"},
        {"help_url": "help"},
    ],
)
def test_nothing_an_envelope_holds_can_leave_its_header(changed: dict[str, str]) -> None:
    with pytest.raises(UnsafeHeader):
        letter(envelope=replace(ENVELOPE, **changed))  # type: ignore[arg-type]  # all of these are texts


@given(name=ANY, subject=ANY, sender=ANY, title=ANY)
@settings(max_examples=150, deadline=None)
def test_any_names_and_subject_stay_in_their_headers(name: str, subject: str, sender: str, title: str) -> None:
    compiled = Compiled(settle(guard(one_line(subject))), "<p>x</p>", "x\n")
    envelope = replace(
        ENVELOPE,
        sender=Sender(sender, "mara@letters.example.org"),
        list_id=f"{one_line(title)} <weekly.lists.letters.example.org>",
    )
    message = build_letter(compiled, envelope).splice(ADA._replace(name=name))

    sound(message)
    parsed = read(message)
    assert [key for key in HEADERS if key != "Reply-To"] == parsed.keys()
    assert parsed["To"].addresses[0].addr_spec == "ada@example.com"
    assert parsed["From"].addresses[0].addr_spec == "mara@letters.example.org"
    assert same(parsed["To"].addresses[0].display_name, tidy_name(name))
    assert same(parsed["From"].addresses[0].display_name, one_line(sender))
    assert same(str(parsed["Subject"]), one_line(subject))
    headers = message.split(b"\r\n\r\n", 1)[0].decode()
    assert all(len(word) <= 75 for word in re.findall(r"=\?utf-8\?[qb]\?[^?\s]*\?=", headers))


@given(name=ANY, text=ANY, fallback=ANY)
@settings(max_examples=150, deadline=None)
def test_any_words_survive_in_both_parts_and_in_a_subject_with_a_name(name: str, text: str, fallback: str) -> None:
    text, fallback = tidy(text), one_line(fallback)
    whole = f"{guard(text)}{name_mark(fallback)}{guard(text)}"
    line = f"{guard(one_line(text))}{name_mark(fallback)}{guard(one_line(text))}"
    compiled = Compiled(settle(line), settle(whole), settle(whole))
    reader = ADA._replace(name=name)
    built = build_letter(compiled, ENVELOPE)
    message = built.splice(reader)

    sound(message)
    assert Letter.from_bytes(built.to_bytes()).splice(reader) == message
    parsed = read(message)
    assert part(parsed, "plain") == personal_text(compiled, reader)
    assert part(parsed, "html") == personal_html(compiled, reader)
    assert same(str(parsed["Subject"]), personal_subject(compiled, reader))


def same(parsed: str, meant: str) -> bool:
    """Equal but for blanks: the parser folds some of them away."""
    return "".join(parsed.split()) == "".join(meant.split())
