import pytest
from jinja2 import TemplateNotFound, UndefinedError

from emails import NOTICES, Envelope, Sender, build_letter, compile_notice
from emails.wrapping import columns
from tests.emails.samples import ADA, SENT_AT, THEME, read, tree

VALUES: dict[str, object] = {
    "address": "ada_l@example.com",
    "old_address": "ada@old.example",
    "code": "482 913",
    "minutes": 30,
    "days": 7,
    "confirm_url": "https://letters.example.org/confirm/a_b",
    "refuse_url": "https://letters.example.org/refuse/a_b",
    "preferences_url": "https://letters.example.org/preferences/a_b",
    "unsubscribe_url": "https://letters.example.org/leave/a_b",
    "archive_url": "https://letters.example.org/archive",
    "undo_url": "https://letters.example.org/undo/a_b",
    "sign_in_url": "https://letters.example.org/sign-in/a_b",
    "title": "On slow_mail",
    "because": "3.2 % came back.",
    "mailing_url": "https://letters.example.org/desk/sends/9_1",
    "sender": "grace@example.com",
    "regarding": "Re: slow_mail",
    "lines": ["Thank you for this.", "Grace"],
    "tier": "Friends & co",
    "benefits": ["The <b>drawer</b>", "Thanks"],
    "trial_until": "",
    "is_seat": False,
    "given_until": "",
    "next_date": "3 January 2027",
    "next_amount": "€5.00 a month",
    "support": False,
    "amount": "€5.50",
    "tax": "€0.88",
    "date": "3 December 2026",
    "number": "AB-0001",
    "invoice_url": "https://pay.example.org/i/1_2",
    "support_url": "https://letters.example.org/support",
    "pay_url": "https://pay.example.org/p/1_2",
    "until": "17 December 2026",
    "attempt": 3,
    "new_amount": "€6.00 a month",
    "is_off": False,
    "payer": "grace@example.com",
    "seat_url": "https://letters.example.org/seats/a_b",
    "gift_url": "https://letters.example.org/gifts/a_b",
    "gift_words": "Friends & co for a year, for ada@example.com.",
    "words": "€2.50 a month for 3 months, then €5.00 a month",
    "offer_url": "https://letters.example.org/offers/a_b",
    "giver": "Grace <b>H</b>",
    "span": "a year",
    "is_reminder": False,
    "account_url": "https://letters.example.org/account",
    "card": "Visa ending in 4242",
    "before": "Friend",
    "headline": "A reader holds Friends & co now.",
    "url": "https://letters.example.org/desk/readers/7_1",
}


@pytest.mark.parametrize("name", NOTICES)
def test_every_notice_says_where_it_comes_from_in_both_parts(name: str) -> None:
    notice = compile_notice(name, VALUES, THEME)
    words = " ".join(tree(notice.html).text_content().split())

    assert notice.subject
    assert tree(notice.html).xpath("string(//title)") == notice.subject
    for whole in (words, " ".join(notice.text.split())):
        assert "letters.example.org" in whole
        assert "12 Quay Street, Galway, Ireland" in whole
        assert "You get this" in whole
    assert "\n\n\n" not in notice.text
    assert all(columns(line) <= 78 for line in notice.text.split("\n"))
    assert len(tree(notice.html).xpath("//h1")) == 1


@pytest.mark.parametrize("name", NOTICES)
def test_both_parts_of_a_notice_hold_the_same_addresses_and_codes(name: str) -> None:
    notice = compile_notice(name, VALUES, THEME)
    shown = notice.html + " ".join(tree(notice.html).text_content().split())
    said = " ".join(notice.text.split())

    for value in VALUES.values():
        if isinstance(value, str):
            assert (value in said) == (value in shown)


def test_a_confirmation_has_one_button_and_a_way_to_refuse() -> None:
    notice = compile_notice("confirm", VALUES, THEME)
    page = tree(notice.html)

    assert page.xpath("//td[@class='button-cell']/a/@href") == [VALUES["confirm_url"]]
    assert VALUES["refuse_url"] in page.xpath("//p/a/@href")
    assert "do nothing" in notice.text


def test_a_confirmation_may_name_several_newsletters() -> None:
    notice = compile_notice("confirm", VALUES | {"newsletters": ["Weekly", "Daily <b>", "Notes"]}, THEME)

    assert "Do you want Weekly, Daily <b> and Notes by email?" in notice.text
    assert tree(notice.html).xpath("string(//h1)") == "Do you want Weekly, Daily <b> and Notes by email?"


def test_a_notice_with_a_hole_never_leaves() -> None:
    with pytest.raises(UndefinedError):
        compile_notice("confirm", {"address": "ada@example.com"}, THEME)
    with pytest.raises(TemplateNotFound):
        compile_notice("../secret", VALUES, THEME)


def test_values_are_text_whatever_they_look_like() -> None:
    notice = compile_notice("confirm", VALUES | {"address": '"<script>__VIEW_URL__"@example.com'}, THEME)

    assert not tree(notice.html).xpath("//script")
    message = build_letter(notice, envelope()).splice(ADA)
    body = read(message).get_body(("plain",))
    assert body is not None
    assert '"<script>__VIEW_URL__"@example.com' in body.get_content()


def envelope() -> Envelope:
    return Envelope(
        sender=Sender("Slow Letters", "mara@letters.example.org"),
        date=SENT_AT,
        message_id_domain="letters.example.org",
        one_click=False,
    )
