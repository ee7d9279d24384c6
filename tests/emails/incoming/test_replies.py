"""What a reader wrote, without what the mail program put around it."""

from base64 import encodebytes

import pytest

from emails import IncomingKind, read_incoming
from tests.emails.incoming.messages import answer, message, multipart

NEW = "Thank you, Ken!\n\nI liked the part about looms."


@pytest.mark.parametrize(
    "quoted",
    [
        "On Mon, May 3, 2027 at 9:00 AM Red Thread <ken@example.org> wrote:\n> Hello Ada\n> more",
        "On Mon, May 3, 2027 at 9:00 AM Red Thread of Somewhere\n<ken@example.org> wrote:\n\n> Hello Ada",
        "On 3 May 2027, at 09:00, Ken <ken@example.org> wrote:\n\nHello Ada, unmarked",
        "Am 03.05.2027 um 09:00 schrieb Ken:\n> Hallo",
        "Am Mo., 3. Mai 2027 um 09:00 Uhr schrieb Ken <ken@example.org>:\n> Hallo",
        "Le lun. 3 mai 2027 à 09:00, Ken <ken@example.org> a écrit :\n> Bonjour",
        "El lun, 3 may 2027 a las 9:00, Ken (<ken@example.org>) escribió:\n> Hola",
        "Il giorno lun 3 mag 2027 alle ore 09:00 Ken <ken@example.org> ha scritto:\n> Ciao",
        "Em seg., 3 de mai. de 2027 às 09:00, Ken <ken@example.org> escreveu:\n> Olá",
        "Op ma 3 mei 2027 om 09:00 schreef Ken <ken@example.org>:\n> Hallo",
        "Den mån 3 maj 2027 kl 09:00 skrev Ken <ken@example.org>:\n> Hej",
        "pon., 3 maj 2027 o 09:00 Ken <ken@example.org> napisał(a):\n> Cześć",
        "пн, 3 мая 2027 г. в 09:00, Ken <ken@example.org> пишет:\n> Привет",
        "Ken <ken@example.org> 于2027年5月3日周一 09:00写道：\n> 你好",
        "2027年5月3日(月) 9:00 Ken <ken@example.org>のメール:\n> こんにちは",
        "-----Original Message-----\nFrom: Ken\nSent: Monday\n\nHello Ada",
        "-------- Ursprüngliche Nachricht --------\nVon: Ken\n\nHallo",
        "________________________________\nFrom: Ken <ken@example.org>\nSent: Monday, May 3, 2027 9:00 AM\n"
        "To: Ada <ada@readers.example>\nSubject: Issue 12\n\nHello Ada",
        "Von: Ken <ken@example.org>\nGesendet: Montag, 3. Mai 2027 09:00\nAn: Ada\nBetreff: Ausgabe 12\n\nHallo",
        "De : Ken <ken@example.org>\nEnvoyé : lundi 3 mai 2027\nÀ : Ada\nObjet : Numéro 12\n\nBonjour",
        "*From:* Ken <ken@example.org>\n*Sent:* Monday\n*To:* Ada\n*Subject:* Issue\n\nHello",
        "差出人: Ken\n送信日時: 2027年5月3日\n宛先: Ada\n件名: 第12号\n\nこんにちは",
    ],
)
def test_what_stands_below_the_answer_is_cut_off(quoted: str) -> None:
    found = read_incoming(answer(f"{NEW}\n\n{quoted}\n"))

    assert (found.kind, found.text) == (IncomingKind.REPLY, NEW)


def test_an_answer_below_and_between_is_kept() -> None:
    raw = answer(
        "On 3 May 2027, Ken <ken@example.org> wrote:\n> Do you like looms?\n\nI do.\n\n> And mills?\n\nLess so.\n"
    )

    assert read_incoming(raw).text == "I do.\n\nLess so."


@pytest.mark.parametrize(
    "words",
    [
        "From: what I read, you are right.\nThat is all.",
        "As my mother wrote:\n\nThe loom is a poem.",
        "On looms: three things.\nTo: begin with, wood.",
        "She said that in 1843 Babbage wrote:\n\nalmost nothing.\n\nIs that so?",
    ],
)
def test_a_persons_own_words_are_not_mistaken_for_a_quotation(words: str) -> None:
    first = words.split("\n")[0]

    assert first in read_incoming(answer(words)).text


def test_an_answer_of_nothing_but_quotations_is_shown_whole() -> None:
    assert read_incoming(answer("> Hello Ada\n> see above")).text == "> Hello Ada\n> see above"


def test_html_alone_is_read_as_text() -> None:
    html = (
        "<html><head><style>p{color:red}</style><title>x</title></head><body><div>Thank you, Ken &amp; all!</div>"
        "<div><br></div><div>More<br>soon</div><script>alert(1)</script><!-- unseen -->"
        '<div class="gmail_quote"><div class="gmail_attr">'
        "On Mon, May 3, 2027 at 9:00 AM Ken &lt;ken@example.org&gt; wrote:"
        "<br></div><blockquote>Hello Ada<blockquote>older</blockquote></blockquote></div></body></html>"
    )

    found = read_incoming(answer(html, content_type="text/html; charset=utf-8"))

    assert found.text == "Thank you, Ken & all!\n\nMore\nsoon"


def test_text_goes_before_html_and_attachments_are_no_words() -> None:
    raw = multipart(
        "From: ada@readers.example\nSubject: Re: Issue 12",
        "multipart/mixed",
        ("Content-Type: text/plain\nContent-Disposition: attachment; filename=notes.txt", "attached"),
        ("Content-Type: text/html", "<p>in HTML</p>"),
        ("Content-Type: text/plain", "in text"),
    )

    assert read_incoming(raw).text == "in text"


def test_letters_of_every_encoding_are_read() -> None:
    raw = message(
        "From: =?iso-8859-1?q?J=FCrgen?= <j@readers.example>\n"
        "Subject: =?utf-8?b?R3LDvMOfZQ==?= =?utf-8?q?_aus_K=C3=B6ln?=\n"
        "Content-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: base64",
        encodebytes("こんにちは".encode("iso-2022-jp")).decode(),
    )

    found = read_incoming(raw)

    assert (found.sender, found.subject, found.text) == ("j@readers.example", "Grüße aus Köln", "こんにちは")


def test_flowed_lines_are_put_together() -> None:
    raw = answer("A long line that \ngoes on.\nNext.\n", content_type="text/plain; format=flowed")

    assert read_incoming(raw).text == "A long line that goes on.\nNext."


def test_what_is_answered_to_is_told_nearest_first_and_once() -> None:
    raw = answer("Hi", "References: <first@x> <second@x> <m12.0123456789abcdef@example.org>")

    assert read_incoming(raw).in_reply_to == ("m12.0123456789abcdef@example.org", "second@x", "first@x")
