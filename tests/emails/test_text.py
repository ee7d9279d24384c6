import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emails import Audience, compile_post, personal_text, render_plain
from emails.wrapping import columns, wrap
from tests.emails.samples import ADA, THEME, content, demo


def text(markdown: str, audience: Audience = Audience.FREE) -> str:
    return render_plain(content(markdown, share_url="https://a.example/share"), theme=THEME, audience=audience)


def test_links_are_numbered_and_listed_below_each_section() -> None:
    assert text(
        "See [one](https://a.example/1) and https://a.example/bare.\n\n## Next\n\n([two](https://a.example/2))\n"
    ) == (
        "See one [1] and https://a.example/bare.\n\n[1] https://a.example/1\n\n"
        "Next\n----\n\n(two [2])\n\n[2] https://a.example/2"
    )


def test_lists_hang_and_quotes_are_marked_on_every_line() -> None:
    long = "word " * 20
    lines = text(f"9. {long}\n10. {long}\n    - {long}\n\n> {long}\n>\n> - {long}").split("\n")

    assert lines[0].startswith(" 9. word")
    assert lines[1].startswith("    word")
    assert lines[2].startswith("10. word")
    assert lines[4].startswith("    - word")
    assert all(line.startswith(">") for line in lines[-5:])
    assert max(map(columns, lines)) <= 78


def test_cards_notes_images_code_and_buttons() -> None:
    shown = text(
        "A hub.[^1]\n\n![A cat](https://a.example/c.png)\n\n```\na\n  b\n```\n\n:::button [Go](https://a.example/go)\n\n"
        ":::share\n\n[^1]: Note with a [link](https://a.example/n).\n\n"
        "    :::card\n    publication: arg min\n    title: Kimi\n    url: https://a.example/k\n    author: Ken\n"
        "    date: 2026-05-31\n    excerpt: Introduction…\n    :::\n"
    )

    assert shown == (
        "A hub. [note 1]\n\n[Image: A cat] https://a.example/c.png\n\n    a\n      b\n\nGo: https://a.example/go\n\n"
        "Share: https://a.example/share\n\nNotes\n-----\n\n"
        "[note 1] Note with a link [1].\n\n"
        "    | arg min: Kimi, by Ken (31 May 2026)\n    | Read more: https://a.example/k\n\n"
        "[1] https://a.example/n"
    )


def test_the_demo_letter_is_nice_to_read() -> None:
    compiled = compile_post(demo(), THEME, Audience.FREE)
    shown = personal_text(compiled, ADA)

    assert "\n\n\n" not in shown
    assert not re.search(r"[ \t]$", shown, re.MULTILINE)
    assert all(columns(line) <= 78 for line in shown.split("\n") if "://" not in line)
    assert "12 Quay Street, Galway, Ireland" in shown
    assert ADA.unsubscribe_url in shown
    assert "Dear Ada," in shown


def test_a_series_says_what_came_before() -> None:
    said = content(series="Reading", series_number=2, previous_in_series=("The first", "https://a.example/1"))

    assert "Before this: The first\nhttps://a.example/1" in compile_post(said, THEME, Audience.FREE).text


@given(st.text(alphabet=st.sampled_from("ab 漢字、。é\u0301😀-_"), max_size=300), st.integers(24, 78))
def test_wrapping_loses_nothing_and_keeps_the_margin(words: str, width: int) -> None:
    lines = wrap(words, width)

    assert "".join("".join(lines).split()) == "".join(words.split())
    for line in lines:
        assert columns(line) <= width or " " not in line


@pytest.mark.parametrize("nothing", ["##", "&nbsp;", "```\n```"])
def test_what_says_nothing_leaves_no_hole(nothing: str) -> None:
    for markdown in (f"Hi\n\n{nothing}\n\nok", f":::note\nHi\n\n{nothing}\n\nok\n:::"):
        text = render_plain(content(markdown), theme=THEME, audience=Audience.FREE)
        assert "Hi" in text
        assert "\n\n\n" not in text
        assert "|\n|\n|" not in text


@pytest.mark.parametrize("whole", ["👩‍👩‍👧‍👦", "👍🏽", "150\u00a0000\u202f€"])
def test_what_is_one_is_not_torn_at_the_end_of_a_line(whole: str) -> None:
    for width in range(12, 30):
        lines = wrap(f"Some words before {whole} and after it, 请看这里{whole}", width)
        assert sum(whole in line for line in lines) == 2, lines
