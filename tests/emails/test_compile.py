import re
import socket

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emails import (
    Audience,
    Compiled,
    Recipient,
    Theme,
    compile_post,
    contrast,
    personal_html,
    personal_subject,
    personal_text,
)
from emails.characters import one_line, tidy
from tests.emails.samples import ADA, THEME, content, demo, tree

HOSTILE = (
    '"><script>alert(1)</script> \' onload="alert(2) \\ {{ 7*7 }} {% raw %} <mj-raw> ]]> nl-value-0- e\u0301 👩‍👩‍👧'
)


@pytest.fixture(scope="module")
def mail() -> Compiled:
    return compile_post(demo(), THEME, Audience.FREE)


def head(html: str) -> str:
    return html[: html.index("<body")]


def body(html: str) -> str:
    return html[html.index("<body") :]


def test_compiling_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    compile_post(demo(), THEME, Audience.FREE)


def test_compiling_twice_gives_the_same_bytes(mail: Compiled) -> None:
    assert compile_post(demo(), THEME, Audience.FREE) == mail


def test_the_page_begins_with_its_doctype_and_names_its_language(mail: Compiled) -> None:
    page = tree(mail.html)

    assert mail.html.startswith("<!DOCTYPE html><html")
    assert (page.get("lang"), page.get("dir")) == ("en", "ltr")
    assert page.xpath("//body/div[@lang='en' and @dir='ltr']")
    assert page.xpath("//title/text()") == ["What I've been reading (#2): how letters find us"]


def test_a_language_that_is_written_from_the_right(mail: Compiled) -> None:
    theme = Theme(publication_name="رسائل", site_url="https://a.example", language="ar", direction="rtl")
    page = tree(compile_post(content("> مرحبا"), theme, Audience.FREE).html)

    assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")
    (quote,) = page.xpath("//td[@class='quote-cell']")
    assert "border-right:2px" in quote.get("style")
    assert "padding:0 20px 0 0" in quote.get("style")
    assert "text-align:right" in quote.get("style")
    assert page.xpath("//body/div[@lang='ar' and @dir='rtl']")


def test_there_is_one_h1_and_no_heading_level_is_left_out(mail: Compiled) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", mail.html)]

    assert levels == [1, 2, 2, 2, 2]


def test_layout_tables_say_so_and_images_have_alt_and_whole_sizes(mail: Compiled) -> None:
    page = tree(mail.html)

    assert all(table.get("role") == "presentation" for table in page.iter("table"))
    for image in page.iter("img"):
        assert image.get("alt") is not None
        assert image.get("width", "").isdigit()
        assert image.get("height", "").isdigit()
        assert int(image.get("width", "0")) <= 552
    assert all(link.text_content().strip() or link.find(".//img").get("alt") for link in page.iter("a"))


def test_rules_are_inlined_and_only_the_head_insists(mail: Compiled) -> None:
    assert "to be inlined" not in mail.html
    assert "data-premailer" not in mail.html
    assert "!important" not in re.sub(r"<!--.*?-->", "", body(mail.html), flags=re.DOTALL)
    assert "prefers-color-scheme: dark" in head(mail.html)
    assert head(mail.html).count("[data-ogsc]") > 5
    assert "#e8e4dc !important" in head(mail.html)
    assert "@import" not in mail.html
    assert "fonts.googleapis" not in mail.html
    assert "mso-padding-alt" in mail.html
    assert not re.search(r"</?mj-", mail.html)


def test_the_inbox_shows_the_preheader_and_no_filler(mail: Compiled) -> None:
    hidden = tree(mail.html).xpath("//body/div[1]")[0]

    assert "display:none" in hidden.get("style")
    assert hidden.text_content() == demo().preheader
    assert "\u200c" not in mail.html


def test_a_preheader_is_made_of_what_there_is() -> None:
    def shown(**fields: str) -> str:
        html = compile_post(content("The *first* words. " * 20, **fields), THEME, Audience.FREE).html
        return str(tree(html).xpath("//body/div[1]")[0].text_content())

    assert shown(preheader="Said so") == "Said so"
    assert shown(subtitle="The dek") == "The dek"
    assert shown().startswith("The first words. The first")
    assert shown().endswith("…")
    assert len(shown()) <= 140


def test_the_demo_letter_is_far_from_being_clipped(mail: Compiled) -> None:
    assert mail.size == len(mail.html.encode())
    assert mail.size < 60_000


def test_free_and_paying_readers_are_asked_differently() -> None:
    said = content(":::subscribe")

    assert THEME.upgrade_url in compile_post(said, THEME, Audience.FREE).html
    paying = compile_post(said, THEME, Audience.PAYING)
    assert THEME.upgrade_url not in paying.html + paying.text
    assert "Support" not in paying.text


def test_every_letter_says_why_how_to_leave_and_who_writes(mail: Compiled) -> None:
    for whole in (personal_html(mail, ADA), personal_text(mail, ADA)):
        assert ADA.unsubscribe_url in whole
        assert ADA.preferences_url in whole
        assert ADA.view_url in whole
        assert "12 Quay Street, Galway, Ireland" in whole
        assert "You get this because" in whole
        assert "__" not in re.sub(r"https?://\S+", "", whole)


def test_a_name_is_filled_in_and_escaped() -> None:
    compiled = compile_post(content("Dear {name|reader},", subject="{name|Reader}, hello"), THEME, Audience.FREE)
    robert = recipient(name="<b>Robert</b>\r\nBcc: x")
    nobody = recipient(name=None)

    assert "Dear &lt;b&gt;Robert&lt;/b&gt; Bcc: x," in personal_html(compiled, robert)
    assert "Dear <b>Robert</b> Bcc: x," in personal_text(compiled, robert)
    assert personal_subject(compiled, robert) == "<b>Robert</b> Bcc: x, hello"
    assert "Dear reader," in personal_html(compiled, nobody)
    assert personal_subject(compiled, nobody) == "Reader, hello"


def test_words_that_look_like_our_marks_stay_words() -> None:
    typed = "\\_\\_UNSUBSCRIBE_URL__ `__VIEW_URL__` {name|__VIEW_URL__} `{{ x }}` `nl-value-1-` __NAME_41__"
    compiled = compile_post(content(typed, subject="__VIEW_URL__ my_name"), THEME, Audience.FREE)

    text = personal_text(compiled, recipient(name=None))
    assert "__UNSUBSCRIBE_URL__ __VIEW_URL__ __VIEW_URL__ {{ x }} nl-value-1- *NAME_41*" in text
    assert "<code" in compiled.html
    assert ">nl-value-1-</code>" in compiled.html
    assert personal_subject(compiled, ADA) == "__VIEW_URL__ my_name"


def test_no_value_can_become_markup_or_change_on_its_way() -> None:
    theme = Theme(
        publication_name=HOSTILE,
        newsletter_name=HOSTILE,
        site_url="https://a.example",
        postal_address=HOSTILE,
        language='en"><script>',
        accent="red</style><script>",
    )
    said = content(
        f"![{HOSTILE.replace(']', '')}](https://a.example/x.png)",
        title=HOSTILE,
        subtitle=HOSTILE,
        authors=(HOSTILE,),
        series=HOSTILE,
        preheader=HOSTILE,
    )

    page = tree(compile_post(said, theme, Audience.FREE).html)

    assert not page.xpath("//script | //@onload")
    assert page.xpath("string(//title)") == HOSTILE
    assert page.xpath("string(//h1)") == HOSTILE
    assert page.xpath("string(//p[@class='dek'])") == HOSTILE
    assert page.xpath("//body/div[2]/@aria-label") == [HOSTILE]
    assert page.xpath("//img[@src='https://a.example/x.png']/@alt") == [HOSTILE.replace("]", "")]


def test_code_keeps_its_blanks_where_white_space_means_nothing() -> None:
    html = compile_post(content("```\nif a:\n    b  =  1\n\n\tc\n```"), THEME, Audience.FREE).html

    (cell,) = tree(html).xpath("//td[@class='code-cell']")
    assert [cell.text, *(br.tail for br in cell.iter("br"))] == [
        "if a:",
        "\xa0\xa0\xa0\xa0b \xa0= \xa01",
        "\xa0",
        "\xa0\xa0\xa0\xa0c",
    ]


@given(st.integers(0, 0xFFFFFF))
@settings(max_examples=20, deadline=None)
def test_links_and_buttons_can_be_read_whatever_the_accent(accent: int) -> None:
    theme = Theme(publication_name="A", site_url="https://a.example", accent=f"#{accent:06x}")
    html = compile_post(
        content("[x](https://a.example)\n\n:::button [y](https://a.example)"), theme, Audience.FREE
    ).html

    link = re.search(r'<p [^>]*><a href="https://a.example" style="color:(#\w{6}); text-decoration:underline">x', html)
    cell = re.search(r'<td class="button-cell"[^>]* bgcolor="(#\w{6})"', html)
    assert link
    assert cell
    assert contrast(link[1], "#fffdf9") >= 4.5
    assert contrast(cell[1], "#fffdf9") >= 4.5


@given(st.text(max_size=80), st.text(max_size=200))
@example("_", "__A_URL__")
@settings(max_examples=40, deadline=None)
def test_any_title_and_any_words_come_out_as_they_went_in(title: str, words: str) -> None:
    title = one_line(title) or "T"
    code = "\n".join(line.rstrip() for line in tidy(words).replace("`", "").split("\n"))
    said = content(f"````\n{code}\n````", title=title)

    compiled = compile_post(said, THEME, Audience.FREE)
    page = tree(personal_html(compiled, ADA))  # as somebody gets it: who types one of our marks gets it back

    assert page.xpath("string(//h1)") == title
    shown = page.xpath("string(//td[@class='code-cell'])")
    assert "".join(shown.split()) == "".join(code.split())


def recipient(name: str | None) -> Recipient:
    return ADA._replace(name=name)


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "\u200d\u2060 \u00ad", "\r\n"])
def test_who_has_no_name_to_be_seen_is_greeted_by_the_fallback(name: str) -> None:
    compiled = compile_post(content("Dear {name|friend},"), THEME, Audience.FREE)

    assert "Dear friend," in personal_text(compiled, ADA._replace(name=name))


def test_a_hidden_preheader_is_not_white_on_white() -> None:
    preview = compile_post(demo(), THEME, Audience.FREE).html.partition("<body")[2].partition("</div>")[0]

    assert "display:none" in preview
    assert "#ffffff" not in preview
