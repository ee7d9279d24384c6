"""Answers that no person wrote."""

import pytest

from emails import IncomingKind, read_incoming
from tests.emails.incoming.messages import answer, message, multipart


@pytest.mark.parametrize(
    "mark",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-replied (vacation)",
        "Auto-Submitted: auto-generated; owner-email=ada@readers.example",
        "X-Autoreply: yes",
        "X-Autorespond: Re: Issue 12",
        "Precedence: auto_reply",
        "Precedence: junk",
        "X-Mailer: vacation 1.2.7",
        "X-BoxTrapper-Queue: 12",
    ],
)
def test_the_mark_of_a_program_tells_it(mark: str) -> None:
    found = read_incoming(answer("I am away until Monday.", mark))

    assert found.kind is IncomingKind.AUTO_REPLY
    assert found.text == "I am away until Monday."
    assert found.in_reply_to == ("m12.0123456789abcdef@example.org",)


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Issue 12",
        "Out of Office: Issue 12",
        "Out of the office Re: Issue 12",
        "Automatische Antwort: Ausgabe 12",
        "Abwesenheitsnotiz: Ausgabe 12",
        "Réponse automatique : Numéro 12",
        "Respuesta automática: Número 12",
        "Risposta automatica: Numero 12",
        "Resposta automática: Número 12",
        "Automatisch antwoord: Nummer 12",
        "Autosvar: Nummer 12",
        "Odpowiedź automatyczna: Numer 12",
        "Автоматический ответ: Выпуск 12",
        "自動応答: 第12号",
        "自动回复：第12期",
        "Please confirm your email to ada@readers.example",
    ],
)
def test_the_subject_tells_it_in_many_languages(subject: str) -> None:
    raw = message(f"From: ada@readers.example\nTo: ken@example.org\nSubject: {subject}", "…")

    assert read_incoming(raw).kind is IncomingKind.AUTO_REPLY


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Automatic reply: Issue 12",
        "Re: Out of Office",
        "Away games, and how to win them",
        "Absent friends",
        "Read: my new book",
        "Vacation plans",
        "A vacation from news",
    ],
)
def test_a_person_may_write_about_such_things(subject: str) -> None:
    raw = message(
        f"Return-Path: <ada@readers.example>\nFrom: ada@readers.example\nTo: ken@example.org\nSubject: {subject}", "Hi!"
    )

    assert read_incoming(raw).kind is IncomingKind.REPLY


def test_no_is_no() -> None:
    assert read_incoming(answer("Thank you!", "Auto-Submitted: no")).kind is IncomingKind.REPLY


def test_what_must_not_be_answered_is_no_persons() -> None:
    raw = answer("I am away.").replace(b"<ada@readers.example>\r\nFrom", b"<>\r\nFrom")

    assert read_incoming(raw).kind is IncomingKind.AUTO_REPLY


def test_a_receipt_is_no_reply() -> None:
    raw = multipart(
        "From: ada@readers.example\nSubject: Displayed: Issue 12",
        "multipart/report; report-type=disposition-notification",
        ("Content-Type: text/plain", "It was displayed."),
        ("Content-Type: message/disposition-notification", "Disposition: manual-action/MDN-sent-manually; displayed"),
    )

    assert read_incoming(raw).kind is IncomingKind.AUTO_REPLY
