import pytest

from emails import Audience, Compiled, compile_post, render_plain, render_web
from emails.check import missing
from tests.emails.samples import THEME, content, demo


def renderings(audience: Audience) -> tuple[str, Compiled]:
    said = demo()
    page = render_web(said, theme=THEME, audience=audience)
    return page, compile_post(said, THEME, audience)


@pytest.mark.parametrize("audience", list(Audience))
def test_page_mail_and_text_of_the_demo_letter_say_the_same_in_the_same_order(audience: Audience) -> None:
    page, mail = renderings(audience)

    assert missing(demo(), audience, page=page, html=mail.html, text=mail.text) == []


@pytest.mark.parametrize(
    ("lost", "instead"),
    [
        ("2. How a list holds together", "2. How a list falls apart"),
        ("https://www.rfc-editor.org/rfc/rfc1855", "https://www.rfc-editor.org/rfc/rfc1856"),
        ("Show the door:", ""),
        ("RFC 5321: Simple Mail", "RFC 5321: Mail"),
        ("https://demo.invalid/pictures/journey.png", ""),
        ("sh*t", "shit"),
        ("UPDATE", ""),
        ("A hub is only a person", "A hub is a person"),
    ],
)
def test_whatever_gets_lost_is_noticed_in_each_rendering(lost: str, instead: str) -> None:
    page, mail = renderings(Audience.FREE)
    assert all(lost in whole for whole in (page, mail.html, mail.text))

    found = missing(
        demo(),
        Audience.FREE,
        page=page.replace(lost, instead),
        html=mail.html.replace(lost, instead),
        text=mail.text.replace(lost, instead),
    )

    assert {sentence.split()[1] for sentence in found} >= {"page", "mail", "text"} - (
        {"text"} if lost == "sh*t" else set()
    )


def test_a_different_order_is_noticed() -> None:
    page, mail = renderings(Audience.FREE)
    one, two = "1. How a letter finds its reader", "2. How a list holds together"
    swapped = [whole.replace(one, "~").replace(two, one).replace("~", two) for whole in (page, mail.html, mail.text)]

    found = missing(demo(), Audience.FREE, page=swapped[0], html=swapped[1], text=swapped[2])

    assert {sentence.split()[1] for sentence in found} == {"page", "mail", "text"}


TYPED = "https://de.wikipedia.org/wiki/Käse?über=ß#é"
WRITTEN = "https://de.wikipedia.org/wiki/K%C3%A4se?%C3%BCber=%C3%9F#%C3%A9"


@pytest.mark.parametrize(
    "markdown",
    [
        f"See {TYPED} for more.",
        f"See [this]({TYPED}).",
        f"![Cheese]({TYPED})",
        f":::card\ntitle: T\nurl: {TYPED}\nimage: {TYPED}\nlogo: {TYPED}\npublication: P\n:::",
        f":::video\ntitle: T\nurl: {TYPED}\npicture: {TYPED}\n:::",
        f":::product P\nurl: {TYPED}\npicture: {TYPED}\nalt: A\n:::",
        f":::embed\nurl: {TYPED}\nauthor: A\nx\n:::",
        f":::sponsor S\nurl: {TYPED}\nlogo: {TYPED}\nx\n:::",
        f":::button [Go]({TYPED})",
        f':::html\n<a href=" {TYPED} ">x</a> <img src="{TYPED}" alt="y">\n:::',
    ],
)
def test_an_address_with_letters_beyond_ascii_is_the_same_one_everywhere(markdown: str) -> None:
    said = content(markdown)
    compiled = compile_post(said, THEME, Audience.FREE)

    assert compiled.missing == ()
    for whole in (render_web(said, theme=THEME, audience=Audience.FREE), compiled.html, compiled.text):
        assert WRITTEN in whole  # what was typed may be read beside it, but nothing leads there


def test_a_blank_in_an_address_of_ones_own_html_is_written_as_the_web_does() -> None:
    compiled = compile_post(content(':::html\n<a href="https://a.example/b c">x</a>\n:::'), THEME, Audience.FREE)

    assert compiled.missing == ()
    assert "https://a.example/b%20c" in compiled.text


@pytest.mark.parametrize(
    "cell",
    [
        "See [this](https://a.example/), ok",
        "Stamp[^1], rare",
        "(see [this](https://a.example/))",
        "[b](https://a.example/).",
    ],
)
def test_numbers_of_links_and_notes_may_stand_within_the_words_of_a_cell(cell: str) -> None:
    said = content(f"| Film | Where |\n|---|---|\n| Alien | {cell} |\n\nNoted.[^1]\n\n[^1]: A note.")
    compiled = compile_post(said, THEME, Audience.FREE)
    page = render_web(said, theme=THEME, audience=Audience.FREE)

    assert compiled.missing == ()
    assert missing(said, Audience.FREE, page=page, html=compiled.html, text=compiled.text.replace("Alien", "")) == [
        "The text lacks the word “Alien”."
    ]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        (
            ':::html\n<a href="https://a.example/"><b><img src="https://b.example/a.png" alt="Banner"></b></a>\n:::',
            "[Image: Banner] https://b.example/a.png [1]\n\n[1] https://a.example/",
        ),
        (
            ':::html\n<a href="https://a.example/">See <img src="https://b.example/a.png"> here</a>\n:::',
            "See [Image] https://b.example/a.png here [1]\n\n[1] https://a.example/",
        ),
        ("[![](https://b.example/a.png)](https://a.example/)", "[Image] https://b.example/a.png\nhttps://a.example/"),
        (':::html\n<p>Logo <img src="/logo.png" alt="logo"> here</p>\n:::', "Logo [Image: logo] here"),
        (':::html\n<p>Logo <img src="data:image/png;base64,AA"> here</p>\n:::', "Logo here"),
    ],
)
def test_a_picture_is_told_of_in_a_link_and_without_words_or_address(markdown: str, text: str) -> None:
    said = content(markdown)

    assert compile_post(said, THEME, Audience.FREE).missing == ()
    assert render_plain(said, theme=THEME, audience=Audience.FREE) == text
