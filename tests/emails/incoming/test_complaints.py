"""Feedback reports, and what only looks like one."""

import pytest

from emails import IncomingKind, read_incoming
from tests.emails.incoming.messages import OURS, complaint, multipart


def test_a_complaint_tells_whose_and_about_which_message() -> None:
    found = read_incoming(
        complaint("Original-Mail-From: <b+abc234@bounces.example.org>\nOriginal-Rcpt-To: <ada@readers.example>\n")
    )

    assert (found.kind, found.words) == (IncomingKind.COMPLAINED, "abuse")
    assert found.recipient == "ada@readers.example"
    assert found.message_id == "m12.0123456789abcdef@example.org"
    assert found.return_path == "b+abc234@bounces.example.org"
    assert found.feedback_id == "m12-ada"


def test_a_redacted_complaint_is_known_by_what_is_ours() -> None:
    redacted = OURS.replace("ada@readers.example", "redacted@readers.example").replace(
        "Return-Path: <b+abc234@bounces.example.org>\n", ""
    )

    found = read_incoming(complaint("Original-Mail-From: b+abc234@bounces.example.org\n", returned=redacted))

    assert found.return_path == "b+abc234@bounces.example.org"
    assert found.message_id == "m12.0123456789abcdef@example.org"


def test_a_complaint_without_our_message_is_known_by_its_feedback_id() -> None:
    raw = multipart(
        "From: cfbl@isp.example\nSubject: report",
        "multipart/report; report-type=feedback-report",
        (
            "Content-Type: message/feedback-report",
            "Feedback-Type: abuse\nVersion: 1\nCFBL-Feedback-ID: m12-ada\nOriginal-Message-ID: <m12@example.org>\n",
        ),
    )

    found = read_incoming(raw)

    assert (found.kind, found.feedback_id, found.message_id) == (IncomingKind.COMPLAINED, "m12-ada", "m12@example.org")


def test_a_header_alone_is_enough_of_our_message() -> None:
    raw = complaint().replace(b"Content-Type: message/rfc822", b"Content-Type: text/rfc822-headers")

    assert read_incoming(raw).message_id == "m12.0123456789abcdef@example.org"


def test_microsofts_own_form_is_a_complaint() -> None:
    raw = multipart(
        "From: staff@hotmail.example\nSubject: complaint about message from 192.0.2.1",
        "multipart/mixed",
        ("Content-Type: message/rfc822", f"X-HmXmrOriginalRecipient: ada@readers.example\n{OURS}\nHello"),
    )

    found = read_incoming(raw)

    assert (found.kind, found.recipient) == (IncomingKind.COMPLAINED, "ada@readers.example")


@pytest.mark.parametrize("type_", ["fraud", "other", "opt-out", "something-new"])
def test_every_kind_that_a_reader_can_press_is_a_complaint(type_: str) -> None:
    found = read_incoming(complaint(type_=type_))

    assert (found.kind, found.words) == (IncomingKind.COMPLAINED, type_)


@pytest.mark.parametrize("type_", ["not-spam", "auth-failure", "virus"])
def test_what_no_reader_has_pressed_is_no_complaint(type_: str) -> None:
    assert read_incoming(complaint(type_=type_)).kind is IncomingKind.AUTO_REPLY
