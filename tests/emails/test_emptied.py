"""What is left of a post when parts of it are for other readers: nothing that stands around nothing."""

import pytest

from emails import Audience, compile_post, render_plain, render_web
from emails.values import PostContent
from tests.emails.samples import THEME, content

GONE = ":::only paying\nHidden.\n:::"


def quoted(markdown: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in markdown.split("\n"))


def renderings(said: PostContent) -> tuple[str, str, str]:
    compiled = compile_post(said, THEME, Audience.FREE)
    assert compiled.missing == ()
    return (
        render_web(said, theme=THEME, audience=Audience.FREE),
        compiled.html,
        render_plain(said, theme=THEME, audience=Audience.FREE),
    )


@pytest.mark.parametrize(
    "emptied",
    [
        ">",
        quoted(GONE),
        quoted(quoted(GONE)),
        quoted(f"{GONE}\n— Ada"),
        f":::embed\nurl: https://a.example/\nauthor: Titled\n{GONE}\n:::",
        f":::note Titled\n{GONE}\n:::",
        f":::note Titled\n{quoted(GONE)}\n:::",
        f":::toggle Titled\n{GONE}\n:::",
        f":::sponsor Titled\nurl: https://a.example/\n{GONE}\n:::",
        f":::pullquote\n{GONE}\n:::",
        "- " + GONE.replace("\n", "\n  "),
        "1. " + quoted(GONE).replace("\n", "\n   "),
    ],
)
def test_what_holds_nothing_for_these_readers_is_left_out(emptied: str) -> None:
    page, mail, text = renderings(content(f"Hi\n\n{emptied}\n\nok"))

    assert text == "Hi\n\nok"
    assert page == "<p>Hi</p>\n<p>ok</p>"
    assert "Titled" not in mail
    assert "<blockquote" not in mail


def test_a_quote_of_a_door_that_is_not_open_is_no_quote() -> None:
    page, mail, text = renderings(content("Hi\n\n> :::gift"))

    assert text == "Hi"
    assert "<blockquote" not in page + mail


def test_the_other_items_of_a_list_stay_and_are_counted_anew() -> None:
    hidden = GONE.replace("\n", "\n   ")

    page, _, text = renderings(content(f"1. One\n2. {hidden}\n3. Three"))

    assert text == "1. One\n2. Three"
    assert page.count("<li") == 2


def test_a_product_stands_without_words_about_it() -> None:
    page, _, text = renderings(content(f":::product Pen\nurl: https://a.example/\n{GONE}\n:::"))

    assert "Pen" in page
    assert "Pen" in text
