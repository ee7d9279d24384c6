"""What authors can ask for by name: read as written, refused with a sentence, and safe whatever is in it."""

import pytest
from lxml import html as lxml_html

import emails
from emails import Audience, DocumentError, compile_post, parse, render_web
from emails.document import Listing, Paragraph, Quote, Table, Text
from emails.elements import ALL, Callout, Card, Only, RawHtml, Toggle, Video
from emails.elements.players import frame_address
from emails.formulas import BadFormula, in_words, mathml
from tests.emails.samples import THEME, content, tree


def only(markdown: str) -> object:
    (block,) = parse(markdown).blocks
    return block


def renderings(markdown: str, audience: Audience = Audience.FREE) -> tuple[str, str, str]:
    said = content(markdown)
    compiled = compile_post(said, THEME, audience)
    assert compiled.missing == ()
    return render_web(said, theme=THEME, audience=audience), compiled.html, compiled.text


def test_elements_stand_in_each_other_and_close_from_within() -> None:
    note = only(":::note A\n:::toggle B\n> c\n\n:::card\ntitle: T\nurl: https://a.example/\n:::\n:::\nd\n:::")

    assert isinstance(note, Callout)
    toggle, after = note.blocks
    assert isinstance(toggle, Toggle)
    assert [type(block) for block in toggle.blocks] == [Quote, Card]
    assert after == Paragraph((Text("d"),))


@pytest.mark.parametrize(
    "within",
    [
        "Example:\n\n    :::note",
        "Example:\n\n    ```",
        "```x``` is code",
        ":::html\n<pre>\n```\n:::note\n</pre>\n:::",
        "1.  One\n\n    :::toggle B\n    c\n    :::",
    ],
)
def test_what_only_looks_like_a_beginning_opens_nothing(within: str) -> None:
    note, after = parse(f":::note A\n{within}\n:::\n\nAfter.").blocks
    assert isinstance(note, Callout)
    assert after == Paragraph((Text("After."),))


def test_own_html_is_taken_as_it_is() -> None:
    html = only(":::html\n<pre>\n```\n:::note\n</pre>\n:::")
    assert isinstance(html, RawHtml)


def test_three_colons_in_code_are_code() -> None:
    note = only(":::note\n```\n:::\n:::note\n```\n:::")
    assert isinstance(note, Callout)
    assert len(note.blocks) == 1


@pytest.mark.parametrize(
    ("markdown", "line", "words"),
    [
        ("x\n\n:::nose A", 3, "Did you mean “note”?"),
        (":::", 1, "closes nothing"),
        (":::note\nx", 1, "has no end"),
        (":::note A\n:::", 1, "is empty"),
        (":::toggle\nx\n:::", 1, "needs the words that open it"),
        (":::pullquote A\nx\n:::", 1, "below its line"),
        (":::sponsor\nx\n:::", 1, "has a name"),
        (":::sponsor S\nurl: javascript:alert(1)\nx\n:::", 1, "begins with https://"),
        (":::gallery\n![a](https://a.example/1.png)\n:::", 1, "two pictures or more"),
        (":::gallery\n![a](https://a.example/1.png) words\n:::", 1, "pictures alone"),
        (":::video\nurl: https://a.example/1.mp4\n:::", 1, "needs a title"),
        (":::video\nurls: https://a.example/1.mp4\n:::", 2, "Did you mean “url”?"),
        (":::audio\nurl: ftp://a.example/1.mp3\ntitle: A\n:::", 1, "begins with https://"),
        (":::video\nurl: https://[your-site]/1.mp4\ntitle: A\n:::", 1, "whole address"),
        (":::embed\nurl: https://a℀b.example/x\nauthor: A\n\nWords\n:::", 1, "whole address"),
        (":::card\ntitle: A\nurl: https://[your-site]/\n:::", 1, "whole address"),
        (":::button [Go](https://[your-site]/)", 1, "https://"),
        (":::embed\nurl: https://a.example/\nx\n:::", 1, "needs a author"),
        (":::embed\nurl: https://a.example/\nauthor: A\n:::", 1, "has no words"),
        (":::embed\nurl: https://a.example/\nauthor: A\ndate: May\nx\n:::", 1, "2026-05-31"),
        (":::poll\n- a\n- b\n:::", 1, "asks something"),
        (":::poll Q\n- a\n:::", 1, "2 to 20 different answers"),
        (":::poll Q\n- a\n- a\n:::", 1, "2 to 20 different answers"),
        (":::product P\n:::", 1, "needs a url"),
        (":::only\nx\n:::", 1, "for whom or where"),
        (":::only friends\nx\n:::", 1, "neither a place nor a kind of reader"),
        (":::paywall\n\n:::paywall", 3, "already, on line 1"),
        ("> :::paywall", 1, "stands by itself"),
        (":::note\n:::paywall\n:::", 2, "stands by itself"),
        ("$$\n\\frac{a\n$$", 1, "cannot be read as TeX"),
        (":::html\n<script>x</script>\n:::", 1, "Nothing of this HTML"),
        (":::html\n" + "<div>" * 101 + "x" + "</div>" * 101 + "\n:::", 1, "more than 100 levels"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_how_to_mend_it(markdown: str, line: int, words: str) -> None:
    with pytest.raises(DocumentError, match=words) as refusal:
        parse(markdown)
    assert refusal.value.line == line


HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.mark.parametrize(
    "markdown",
    [
        f":::note {HOSTILE}\n{HOSTILE}\n:::",
        f":::toggle {HOSTILE}\n{HOSTILE}\n:::",
        f":::sponsor {HOSTILE}\nurl: https://a.example/?x='onclick=1\naction: {HOSTILE}\n{HOSTILE}\n:::",
        f":::product {HOSTILE}\nurl: https://a.example/\nprice: {HOSTILE}\nalt: {HOSTILE}\naction: {HOSTILE}\n:::",
        f":::video\nurl: https://a.example/a.mp4\ntitle: {HOSTILE}\nlength: {HOSTILE}\n:::",
        f":::audio\nurl: https://a.example/a.mp3\ntitle: {HOSTILE}\n:::",
        f":::embed\nurl: https://a.example/\nauthor: {HOSTILE}\nhandle: {HOSTILE}\n{HOSTILE}\n:::",
        f":::poll {HOSTILE}\n- {HOSTILE}\n- b\n:::",
        f":::gallery {HOSTILE}\n![{HOSTILE}](https://a.example/1.png)\n![b](https://a.example/2.png)\n:::",
        f":::share {HOSTILE}",
        f":::subscribe {HOSTILE}",
        f":::upgrade {HOSTILE}",
        f"@[{HOSTILE}](https://a.example/)",
        f"```{HOSTILE}\n{HOSTILE}\n```",
        f"| {HOSTILE} | b |\n|---|---|\n| {HOSTILE} | c |",
        f"> words\n> — {HOSTILE}",
        f"- [ ] {HOSTILE}",
        f":::paywall {HOSTILE}",
        f":::html\n<p onclick='x()' style='background:url(javascript:alert(1))'>y{HOSTILE}</p>\n:::",
    ],
)
def test_nothing_in_an_element_becomes_markup(markdown: str) -> None:
    page, letter, _ = renderings(markdown)
    for whole in (page, letter):
        found = tree(f"<main>{whole}</main>")
        assert not found.xpath("//script")
        assert not found.xpath("//*[contains(@style, 'url(')]")
        assert not found.xpath("//*[@onerror or @onclick]")
        assert not found.xpath("//img[@src='x']")


def test_own_html_is_cleaned_and_what_was_taken_out_is_said() -> None:
    own = only(
        ':::html\n<p style="color:#333;position:fixed" onclick="x()">A <a href="javascript:x()">b</a> '
        '<a href="https://a.example/?a=1&amp;b=2">c</a><br>d</p><iframe src="https://b.example"></iframe>\n:::'
    )
    assert isinstance(own, RawHtml)
    assert own.html.strip() == (
        '<p style="color:#333">A <a>b</a> <a href="https://a.example/?a=1&amp;b=2">c</a><br />d</p>'
    )
    (remark,) = own.remarks()
    for gone in ("<iframe>", "“onclick” of <p>", "“href” of <a>"):
        assert gone in remark


def test_own_html_keeps_its_numbers_and_the_lines_of_its_code_in_the_text() -> None:
    html = "<ol><li><p>one</p></li><li>two</li></ol><ul><li>a</li></ul><pre>def f():\n    return 1</pre>"
    _, _, text = renderings(f":::html\n{html}\n:::")

    assert "1. one" in text
    assert "2. two" in text
    assert "- a" in text
    assert "def f():\n    return 1" in text
    assert "\n-\n" not in text


def test_own_html_is_read_in_the_text_part_with_its_links() -> None:
    _, _, text = renderings(":::html\n<ul><li>One</li><li>Two <a href='https://a.example/'>there</a></li></ul>\n:::")
    assert "- One\n\n- Two there [1]" in text
    assert "[1] https://a.example/" in text


def test_words_of_an_author_are_no_merge_marks_wherever_they_stand() -> None:
    mark = "__UNSUBSCRIBE_URL__"
    said = content(f":::html\n<p>{mark}</p>\n:::\n\n:::note {mark}\nwords\n:::\n\n:::poll {mark}?\n- a\n- b\n:::")
    compiled = compile_post(said, THEME, Audience.FREE)
    reader = emails.Recipient(address="a@b.example", message_id="m", unsubscribe_url="https://leave.example/")

    assert emails.personal_html(compiled, reader).count("https://leave.example/") == 1
    assert emails.personal_html(compiled, reader).count(mark) == 3
    assert emails.personal_text(compiled, reader).count(mark) == 3


def test_a_quote_knows_whose_words_it_holds() -> None:
    assert only("> Words\n>\n> — Ada, *Notes*") == only("> Words\n> -- Ada, *Notes*")
    whole = only("> — a dash to begin with, and more")
    assert isinstance(whole, Quote)
    assert whole.source == ()


def test_tasks_are_done_or_not() -> None:
    tasks = only("- [x] a\n- [ ] b\n- [link](https://a.example/)")
    assert isinstance(tasks, Listing)
    assert [item.is_done for item in tasks.items] == [True, False, None]
    page, letter, text = renderings("- [x] a\n- [ ] b")
    assert "- [x] a\n- [ ] b" in text
    assert 'aria-label="Done: "' in page
    assert 'aria-label="To do: "' in letter


def test_prices_are_no_mathematics() -> None:
    assert only("It costs $5 or US$ 6, and $7 in all.") == Paragraph((Text("It costs $5 or US$ 6, and $7 in all."),))
    assert only("It is $\\frac{a$ as typed.") == Paragraph((Text("It is $\\frac{a$ as typed."),))


@pytest.mark.parametrize(
    ("tex", "line"),
    [
        ("E = mc^2", "E = mc²"),
        (r"\frac{a+b}{2}", "(a + b)/2"),
        (r"\frac{1}{x+1}", "1/(x + 1)"),
        (r"\sqrt{x}", "√x"),
        (r"\sqrt{x+1}", "√(x + 1)"),
        (r"x_{n+1}", "x_(n+1)"),
        (r"x_1^2", "x₁²"),
        (r"(a+b)^{10}", "(a + b)¹⁰"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "([1, 2; 3, 4])"),
    ],
)
def test_a_formula_on_a_line_means_what_it_meant(tex: str, line: str) -> None:
    assert in_words(tex) == line


@pytest.mark.parametrize(
    "tex",
    [
        "\\frac{a",
        "^",
        "{" * 400,
        r"\text{<script></script>}",
        r"\href{javascript:alert(1)}{x}",
        r"\unknown{x}",
        "x" * 2001,
    ],
)
def test_what_is_no_formula_is_refused(tex: str) -> None:
    with pytest.raises(BadFormula):
        mathml(tex)


def test_the_page_has_mathematics_with_its_source() -> None:
    page, _, _ = renderings("$a<b$ and $$\nx\n$$")
    assert 'alttext="a&lt;b"' in page


@pytest.mark.parametrize(
    ("url", "frame"),
    [
        ("https://www.youtube.com/watch?v=abcdef12345&t=3", "https://www.youtube-nocookie.com/embed/abcdef12345"),
        ("https://youtu.be/abcdef12345", "https://www.youtube-nocookie.com/embed/abcdef12345"),
        ("https://vimeo.com/123456789", "https://player.vimeo.com/video/123456789?dnt=1"),
        ("https://youtube.com.evil.example/watch?v=abcdef12345", ""),
        ("https://www.youtube.com/watch?v=../../x", ""),
        ("https://evil.example/", ""),
    ],
)
def test_only_two_houses_play_in_a_page(url: str, frame: str) -> None:
    assert frame_address(url) == frame


def test_a_film_asks_its_house_only_when_it_is_opened() -> None:
    film = only(":::video\nurl: https://youtu.be/abcdef12345\ntitle: A\n:::")
    assert isinstance(film, Video)
    page, letter, _ = renderings(":::video\nurl: https://youtu.be/abcdef12345\ntitle: A\n:::")
    (frame,) = lxml_html.fragment_fromstring(page, create_parent="main").xpath("//iframe")
    assert frame.getparent().tag == "details"
    assert "open" not in frame.getparent().attrib
    assert frame.get("loading") == "lazy"
    assert "iframe" not in letter


def test_paragraphs_run_the_way_of_their_first_letter() -> None:
    page, letter, _ = renderings("שלום world\n\nHello שלום\n\n123")
    for whole in (page, letter):
        assert whole.count('dir="rtl"') == 1


def test_a_table_that_is_too_wide_for_plain_text_becomes_a_list() -> None:
    assert isinstance(only("|a|b|\n|-|-|\n|1|2|"), Table)
    long = "many words in a row, " * 12
    _, _, text = renderings(f"| {'H' * 30} | {'I' * 30} | {'J' * 30} |\n|--|--|--|\n| {'x' * 30} | b | {long} |")
    assert f"- {'H' * 30}: {'x' * 30}" in text


def test_a_part_for_somebody_else_is_nowhere() -> None:
    part = only(":::only mail, paying\nx\n:::")
    assert isinstance(part, Only)
    page, letter, text = renderings(":::only paying mail\nfor-payers\n:::\n\nseen", Audience.FREE)
    assert all("for-payers" not in whole and "seen" in whole for whole in (page, letter, text))
    page, letter, text = renderings(":::only paying mail\nfor-payers\n:::\n\nseen", Audience.PAYING)
    assert tuple("for-payers" in whole for whole in (page, letter, text)) == (False, True, True)


def test_every_element_has_a_name_of_its_own() -> None:
    assert len({element.name for element in ALL}) == len(ALL)
