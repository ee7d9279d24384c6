"""Delivery reports for programs, whole and broken."""

from base64 import encodebytes

import pytest

from emails import IncomingKind, read_incoming
from tests.emails.incoming.messages import FINAL, OURS, delivery_report, message, multipart


def test_a_delivery_report_tells_who_why_and_which_message() -> None:
    found = read_incoming(
        delivery_report(FINAL + "Diagnostic-Code: smtp; 550 5.1.1 <ada@readers.example>:\n  no such user here\n")
    )

    assert found.kind is IncomingKind.BOUNCED
    assert found.recipient == "ada@readers.example"
    assert found.status == "5.1.1"
    assert found.words == "550 5.1.1 <ada@readers.example>: no such user here"
    assert found.message_id == "m12.0123456789abcdef@example.org"
    assert found.return_path == "b+abc234@bounces.example.org"
    assert found.feedback_id == "m12-ada"


def test_the_address_that_we_wrote_to_goes_before_the_one_behind_a_forwarder() -> None:
    found = read_incoming(delivery_report(f"Original-Recipient: rfc822;<ada@readers.example>\n{FINAL}"))

    assert found.recipient == "ada@readers.example"


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", IncomingKind.BOUNCED),
        ("Failed (permanent)", IncomingKind.BOUNCED),
        ("delayed", IncomingKind.DELAYED),
        ("delivered", IncomingKind.DELIVERED),
        ("relayed", IncomingKind.DELIVERED),
        ("expanded", IncomingKind.DELIVERED),
    ],
)
def test_the_action_decides_not_the_number(action: str, kind: IncomingKind) -> None:
    found = read_incoming(delivery_report(f"Final-Recipient: rfc822; a@b.example\nAction: {action}\nStatus: 4.4.1\n"))

    assert found.kind is kind


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        ("5.2.2", "It will be retried.", IncomingKind.BOUNCED),
        ("4.4.1", "Your message will be retried for two days.", IncomingKind.DELAYED),
        ("4.4.7", "It could not be delivered within five days.", IncomingKind.BOUNCED),
        ("2.0.0", "Done.", IncomingKind.DELIVERED),
    ],
)
def test_without_an_action_status_and_words_decide(status: str, said: str, kind: IncomingKind) -> None:
    found = read_incoming(delivery_report(f"Final-Recipient: rfc822; a@b.example\nStatus: {status}\n", said=said))

    assert found.kind is kind


def test_a_status_that_says_nothing_is_made_up_for_by_the_diagnostic() -> None:
    fields = (
        "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 552 5.2.2 full\n"
    )

    assert read_incoming(delivery_report(fields)).status == "5.2.2"


def test_of_several_recipients_the_one_we_wrote_to_counts() -> None:
    others = "Final-Recipient: rfc822; someone@else.example\nAction: failed\nStatus: 5.1.1\n"
    ada = "Final-Recipient: rfc822; Ada@Readers.example\nAction: delivered\nStatus: 2.1.5\n"

    found = read_incoming(delivery_report(f"{others}\n{ada}"))

    assert (found.kind, found.recipient) == (IncomingKind.DELIVERED, "Ada@Readers.example")


def test_of_several_unknown_recipients_the_worst_counts() -> None:
    fine = "Final-Recipient: rfc822; x@else.example\nAction: delivered\nStatus: 2.1.5\n"
    gone = "Final-Recipient: rfc822; y@else.example\nAction: failed\nStatus: 5.1.1\n"

    assert read_incoming(delivery_report(f"{fine}\n{gone}")).recipient == "y@else.example"


def test_fields_of_message_and_recipient_may_run_together() -> None:
    raw = delivery_report(FINAL).replace(b"mx.readers.example\r\n\r\nFinal", b"mx.readers.example\r\nFinal")

    found = read_incoming(raw)

    assert (found.kind, found.status) == (IncomingKind.BOUNCED, "5.1.1")


def test_the_envelope_id_stands_in_for_a_return_path() -> None:
    found = read_incoming(
        delivery_report(
            returned="Message-ID: <x@example.org>\nSubject: hi\n",
            per_message="Reporting-MTA: dns; mx\nOriginal-Envelope-Id: b+2Babc@bounces.example.org\n",
        )
    )

    assert found.return_path == "b+abc@bounces.example.org"


def test_where_our_message_did_not_come_back_the_report_was_sent_to_its_return_path() -> None:
    raw = multipart(
        "Return-Path: <>\nFrom: postmaster@b.example\nTo: <b+abc234@bounces.example.org>\nSubject: Undeliverable",
        "multipart/report",
        ("Content-Type: message/delivery-status", f"Reporting-MTA: dns; b.example\n\n{FINAL}"),
    )

    found = read_incoming(raw)

    assert (found.kind, found.return_path) == (IncomingKind.BOUNCED, "b+abc234@bounces.example.org")


def test_a_forwarder_that_rewrites_return_paths_hides_nothing() -> None:
    ours = OURS.replace(
        "<b+abc234@bounces.example.org>", "<SRS0=4x9f=TT=bounces.example.org=b+abc234@forwarder.example>"
    )

    assert read_incoming(delivery_report(returned=ours)).return_path == "b+abc234@bounces.example.org"


def test_a_report_in_base64_is_read_as_well() -> None:
    encoded = encodebytes(f"Reporting-MTA: dns; b.example\n\n{FINAL}".encode()).decode()
    raw = multipart(
        "From: postmaster@b.example\nSubject: x",
        "multipart/report",
        ("Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64", encoded),
    )

    assert read_incoming(raw).status == "5.1.1"


def test_a_report_for_addresses_in_every_script_is_read_as_well() -> None:
    raw = multipart(
        "From: postmaster@b.example\nSubject: x",
        "multipart/report; report-type=delivery-status",
        ("Content-Type: text/plain; charset=utf-8", "Не доставлено"),
        (
            "Content-Type: message/global-delivery-status",
            "Reporting-MTA: dns; b.example\n\nFinal-Recipient: utf-8; ада@почта.example\n"
            "Action: failed\nStatus: 5.1.1\n"
            "Diagnostic-Code: smtp; 550 5.1.1 пользователь не найден\n",
        ),
        ("Content-Type: message/global-headers", OURS),
    )

    found = read_incoming(raw)

    assert (found.recipient, found.words) == ("ада@почта.example", "550 5.1.1 пользователь не найден")
    assert found.message_id == "m12.0123456789abcdef@example.org"


def test_a_report_that_was_cut_short_still_tells_its_status() -> None:
    raw = delivery_report(FINAL)

    found = read_incoming(raw[: raw.index(b"text/rfc822-headers")])

    assert (found.kind, found.status) == (IncomingKind.BOUNCED, "5.1.1")


def test_an_empty_report_leaves_the_word_to_the_text() -> None:
    raw = multipart(
        "Return-Path: <>\nFrom: Mail Delivery System <mailer-daemon@b.example>\nSubject: Delivery failure",
        "multipart/report; report-type=delivery-status",
        ("Content-Type: text/plain", "<ada@readers.example>: 550 5.1.1 User unknown"),
        ("Content-Type: message/delivery-status", ""),
    )

    found = read_incoming(raw)

    assert (found.kind, found.status, found.recipient) == (IncomingKind.BOUNCED, "5.1.1", "ada@readers.example")


def test_words_are_one_printable_line_of_at_most_500_characters() -> None:
    found = read_incoming(delivery_report(f"{FINAL}Diagnostic-Code: smtp; 550 \x1b[31m\u202e{'long ' * 400}\n"))

    assert len(found.words) <= 500
    assert found.words.isprintable()


def test_a_report_without_any_header_of_its_own_is_no_crash() -> None:
    assert read_incoming(message("", "")).kind is IncomingKind.REPLY
    assert read_incoming(b"").kind is IncomingKind.REPLY
