"""A style in letters and notices: what it changes, and what it never may."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emails import (
    NOTICES,
    PRESETS,
    Audience,
    Cards,
    Faces,
    Header,
    Headings,
    Quotes,
    Style,
    Theme,
    compile_notice,
    compile_post,
    contrast,
    footer,
    look,
    mjml,
    preset_of,
)
from emails.errors import SourceError
from emails.inline import _present, _thinned
from tests.emails.samples import THEME, content, demo, tree
from tests.emails.test_notices import VALUES

ONE_OF_EACH = """Words with [a link](https://a.example) and `code`.

## A section

> Quoted.

### Lower

:::card
publication: arg min
title: The best line
url: https://a.example/p
excerpt: Its first two lines, which are long enough.
:::

:::button [Go](https://a.example)
"""

styles = st.builds(
    Style,
    faces=st.sampled_from(Faces),
    header=st.sampled_from(Header),
    headings=st.sampled_from(Headings),
    quotes=st.sampled_from(Quotes),
    cards=st.sampled_from(Cards),
)


def dressed(style: Style, footer: str = "") -> Theme:
    return replace(THEME, style=style, logo_dark_url="https://letters.example.org/dark.png", footer=footer)


def style_of(html: str, path: str) -> str:
    (found,) = tree(html).xpath(f"({path})[1]")
    return str(found.get("style", "")).replace(" ", "")


@given(styles)
@settings(max_examples=25, deadline=None)
def test_the_head_insists_on_every_rule_and_nothing_else_does(style: Style) -> None:
    theme = dressed(style)
    wanted = [
        look.phone(style),
        look.dark(theme.accent, style, has_dark_logo=True),
        look.outlook_dark(theme.accent, style, has_dark_logo=True),
    ]
    html = compile_post(content(ONE_OF_EACH), theme, Audience.FREE).html
    head, body = html[: html.index("<body")], html[html.index("<body") :]

    assert "!important" not in re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    present = _present(html)  # what is in no letter insists on nothing
    assert all(_thinned(block, present) in head for block in wanted)
    for block in wanted:
        rules = re.findall(r"^[^@{}]+\{ (.*) \}$", block, flags=re.MULTILINE)
        assert len(rules) >= 4
        assert all(each.endswith("!important") for rule in rules for each in rule.rstrip(";").split("; "))


@given(styles)
@settings(max_examples=10, deadline=None)
def test_style_blocks_are_several_and_small(style: Style) -> None:
    html = compile_post(content(ONE_OF_EACH), dressed(style), Audience.FREE).html
    blocks = re.findall(r"<style[^>]*>(.*?)</style>", html, flags=re.DOTALL)

    assert len(blocks) >= 5
    assert max(map(len, blocks)) < 4_000
    assert sum(map(len, blocks)) < 12_000  # Gmail drops all of them over 16 kB
    assert sum("prefers-color-scheme" in block for block in blocks) == 1
    assert all("[data-ogsc]" not in block for block in blocks if "@media" in block)


def test_faces_are_those_of_the_system_and_end_in_a_generic_one() -> None:
    for faces in Faces:
        html = compile_post(demo(), dressed(Style(faces=faces)), Audience.FREE).html
        for each in tree(html).xpath("//*[contains(@style, 'font-family')]/@style"):
            (stack,) = re.findall(r"font-family: ?([^;]+)", each)
            assert stack.endswith(("serif", "monospace"))
        assert not re.search(r"<link|@import|@font-face|https?://fonts", html)
    assert "Charter" not in html


@pytest.mark.parametrize(
    ("style", "path", "written"),
    [
        (Style(header=Header.CENTRED), "//p[@class='masthead']", "text-align:center"),
        (Style(header=Header.RULE), "//p[@class='masthead']", "border-bottom:2pxsolid"),
        (Style(headings=Headings.RULED), "//h2", "border-top:1pxsolid"),
        (Style(headings=Headings.SMALL), "//h1", "font-size:28px"),
        (Style(quotes=Quotes.LARGE), "//td[@class='quote-cell']", "font-size:22px"),
        (Style(quotes=Quotes.GROUND), "//td[@class='quote-cell']", "background-color:#f4f0e8"),
        (Style(cards=Cards.RULES), "//td[@class='card-cell']", "border-radius:0"),
        (Style(cards=Cards.GROUND), "//td[@class='card-cell']", "background-color:#f4f0e8"),
    ],
)
def test_each_choice_shows(style: Style, path: str, written: str) -> None:
    html = compile_post(content(ONE_OF_EACH), dressed(style), Audience.FREE).html
    plain = compile_post(content(ONE_OF_EACH), dressed(Style()), Audience.FREE).html

    assert written in style_of(html, path)
    assert written not in style_of(plain, path)


@pytest.mark.parametrize("name", NOTICES)
@pytest.mark.parametrize("preset", PRESETS)
def test_notices_wear_the_masthead_and_the_footer_of_letters(preset: str, name: str) -> None:
    theme = dressed(PRESETS[preset].style, footer="By the sea, [as ever](https://sea.example/a_b).")
    notice = compile_notice(name, VALUES, theme)
    letter = compile_post(demo(), theme, Audience.FREE)

    masthead = "//p[@class='masthead']"
    assert style_of(notice.html, masthead) == style_of(letter.html, masthead)
    for whole in (notice, letter):
        assert "By the sea, as ever." in tree(whole.html).text_content()
        assert tree(whole.html).xpath("//p[@class='fine']/a[@href='https://sea.example/a_b']")
        assert "By the sea, as ever (https://sea.example/a_b)." in whole.text


def test_presets_differ_and_know_their_names() -> None:
    assert {preset_of(preset.style) for preset in PRESETS.values()} == set(PRESETS)
    assert preset_of(Style(cards=Cards.RULES)) == ""
    for part in ("header", "headings", "quotes", "cards"):
        assert len({getattr(preset.style, part) for preset in PRESETS.values()}) == 3


@given(st.integers(0, 0xFFFFFF))
@settings(max_examples=200)
def test_links_and_buttons_can_be_read_on_every_ground_in_both_schemes(accent: int) -> None:
    for style in (Style(), PRESETS["note"].style):
        night = look.dark(f"#{accent:06x}", style, has_dark_logo=False)
        link = re.search(r"\.text p a.*? { color: (#\w{6})", night)
        assert link
        assert min(contrast(link[1], ground) for ground in ("#171614", "#24221f")) >= 4.5
    day = re.search(r"\.text a { color: (#\w{6})", look.inlined(f"#{accent:06x}", Style()))
    assert day
    assert min(contrast(day[1], ground) for ground in ("#fffdf9", "#f4f0e8")) >= 4.5


def test_a_language_from_the_right_is_mirrored_in_every_style() -> None:
    theme = Theme(publication_name="A", site_url="https://a.example", direction="rtl", style=Style(quotes=Quotes.LARGE))
    quote = style_of(compile_post(content("> x"), theme, Audience.FREE).html, "//td[@class='quote-cell']")

    assert "padding:8px28px8px0" in quote
    assert "border-right:0" in quote
    assert "padding-right: 16px !important" in str(mjml.frame(theme)["phone"])


def test_a_footer_that_is_no_good_any_more_is_still_words() -> None:
    theme = dressed(Style(), footer="# Once a heading\n\n:::card\nhalf a card")

    letter = compile_post(demo(), theme, Audience.FREE)

    assert "half a card" in tree(letter.html).text_content()
    with pytest.raises(SourceError):
        footer.check(theme.footer)
