from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emails import DocumentError, parse
from emails.document import (
    Code,
    CodeBlock,
    Emphasis,
    Field,
    Figure,
    Heading,
    Image,
    Link,
    Listing,
    NoteReference,
    Paragraph,
    Quote,
    Strong,
    Text,
    plain,
)
from emails.elements import Button, Card, Share, Subscribe


def only(markdown: str) -> object:
    (block,) = parse(markdown).blocks
    return block


def inline(markdown: str) -> tuple[object, ...]:
    paragraph = only(markdown)
    assert isinstance(paragraph, Paragraph)
    return paragraph.children


@pytest.mark.parametrize(
    "typed",
    [
        "It was sh*t, and then more sh*t came.",
        "I [Jordan] agree.",
        "“Curly” and 'straight' quotes -- and dashes... (c)",
        "Alan Turning & <b>co</b>, 2 * 3 * 4, snake_case_name",
        "[a link](javascript:alert(1)) and [another](/relative)",
        "{names} {name|a|b} {{ name }} {% if %}",
    ],
)
def test_what_is_typed_stays_as_typed(typed: str) -> None:
    assert plain(inline(typed)) == typed.replace("{name|a|b}", "{name|a|b}")  # type: ignore[arg-type]


def test_emphasis_still_works_between_words_and_in_scripts_without_blanks() -> None:
    assert Emphasis((Text("so"),)) in inline("It is *so* good.")
    assert Strong((Text("mid"),)) in inline("a**mid**word")
    assert Emphasis((Text("强调"),)) in inline("这是*强调*文字")


def test_a_numbered_heading_is_no_list() -> None:
    heading = only("## 1. How it works")

    assert isinstance(heading, Heading)
    assert (heading.level, heading.id, plain(heading.children)) == (2, "1-how-it-works", "1. How it works")


def test_headings_leave_no_level_out_and_leave_h1_to_the_title() -> None:
    headings = [block for block in parse("# One\n\n### Two\n\n# Three\n\n## One").blocks if isinstance(block, Heading)]

    assert [(heading.level, heading.id) for heading in headings] == [
        (2, "one"),
        (3, "two"),
        (2, "three"),
        (3, "one-2"),
    ]


def test_links() -> None:
    assert inline("([summary](https://a.example/x_(y)))")[1] == Link("https://a.example/x_(y)", (Text("summary"),))
    assert inline("see https://a.example/x_(y), ok")[1] == Link(
        "https://a.example/x_(y)", (Text("https://a.example/x_(y)"),)
    )
    assert inline("(https://a.example/).")[1] == Link("https://a.example/", (Text("https://a.example/"),))
    assert inline("<ada@example.com>") == (Link("mailto:ada@example.com", (Text("ada@example.com"),)),)


def test_lists_quotes_and_code() -> None:
    listing = only("3. **Lead:** text\n   - inner\n4. more")
    quote = only("> first\n>\n> second")
    code = only("```sql\nSELECT 1;\n\n  -- two\n```")

    assert isinstance(listing, Listing)
    assert (listing.first, listing.tight, len(listing.items)) == (3, True, 2)
    assert isinstance(listing.items[0].blocks[1], Listing)
    assert isinstance(quote, Quote)
    assert len(quote.blocks) == 2
    assert code == CodeBlock("SELECT 1;\n\n  -- two", "sql")
    assert Code("x*y") in inline("now `x*y` then")


def test_images_have_alt_size_caption_and_perhaps_a_link() -> None:
    assert only('![A cat](https://a.example/c.png "Her name is Mia"){width=640 height=480}') == Figure(
        Image("https://a.example/c.png", "A cat", 640, 480, "Her name is Mia")
    )
    assert only("[![A cat](https://a.example/c.png)](https://a.example/)") == Figure(
        Image("https://a.example/c.png", "A cat"), "https://a.example/"
    )
    assert Image("https://a.example/c.png", "cat", 20, 20) in inline(
        "a ![cat](https://a.example/c.png){height=20 width=20} sat"
    )


def test_the_three_colon_lines() -> None:
    blocks = parse(
        ":::card\npublication: arg min\ntitle: On: colons\nurl: https://a.example/\nexcerpt: Introduction…\n"
        "date: 2026-05-31\n:::\nText that follows at once\n:::share Pass it on\n:::subscribe\n"
        ":::button [Read the paper](https://a.example/p)"
    ).blocks

    card, text, *rest = blocks
    assert isinstance(card, Card)
    assert (card.publication, card.title, card.telling_excerpt, card.logo) == ("arg min", "On: colons", "", None)
    assert isinstance(text, Paragraph)
    assert rest == [Share("Pass it on"), Subscribe(""), Button("Read the paper", "https://a.example/p")]


def test_code_may_show_what_a_card_looks_like() -> None:
    assert only("```\n:::card\ntitle: x\n```") == CodeBlock(":::card\ntitle: x")


def test_a_note_holds_whole_blocks_and_counts_who_points_at_it() -> None:
    document = parse(
        "One.[^a] Two.[^a]\n\n[^a]: A note.\n\n    :::card\n    title: T\n    url: https://a.example/\n    :::\n"
    )

    (note,) = document.notes
    assert isinstance(note.blocks[1], Card)
    assert note.occurrences == (1, 2)
    assert NoteReference(1, 2) in document.blocks[0].children  # type: ignore[union-attr]


def test_a_field_is_filled_in_later_and_has_a_fallback() -> None:
    assert inline("Dear {name|reader},") == (Text("Dear "), Field("name", "reader"), Text(","))
    assert inline("`{name}`") == (Code("{name}"),)


@pytest.mark.parametrize(
    ("markdown", "line", "words"),
    [
        ("Text\n\n:::crad\n", 3, "Did you mean “card”?"),
        ("Text\n\n:::card\ntitel: x\n:::\n", 4, "Did you mean “title”?"),
        (":::card\ntitle: x\n:::\n", 1, "needs a url"),
        (":::card\ntitle: x\nurl: javascript:alert(1)\n:::\n", 1, "begins with https://"),
        (":::card\ntitle: x\nurl: https://a.example/\ndate: soon\n:::\n", 1, "2026-05-31"),
        ("> :::card\n> title: x\n", 1, "has no end"),
        ("a\n\n:::\n", 3, "closes nothing"),
        (":::button [x](javascript:alert(1))", 1, "leads to"),
        (":::button press me", 1, "is written"),
        ("\n\n" + "> " * 101 + "deep", 3, "100 levels"),
        ("*a " * 3000 + "b" + "*" * 3000, 1, "100 levels"),
        ("x" * 500_001, 1, "500 kB"),
        ("\n\n" + "[^a" * 20_000, 3, "50,000"),
    ],
)
def test_a_mistake_is_named_with_its_line(markdown: str, line: int, words: str) -> None:
    with pytest.raises(DocumentError) as mistake:
        parse(markdown, first_line=11)

    assert mistake.value.line == line + 10
    assert words in mistake.value.sentence


@given(st.text(alphabet=st.sampled_from("*_[](){}<>!`~#:-> \n1.^|\\a&é😀\x00\u2028"), max_size=200))
def test_any_text_becomes_a_document_or_a_named_mistake(markdown: str) -> None:
    with suppress(DocumentError):
        for block in parse(markdown).walk():
            assert block.line >= 0


def test_an_address_ends_where_a_sentence_without_blanks_goes_on() -> None:
    (said,) = parse("请看 https://example.org/a，谢谢。（https://example.org/b）「https://example.org/c」。").blocks
    assert isinstance(said, Paragraph)
    links = [node.url for node in said.children if isinstance(node, Link)]
    assert links == ["https://example.org/a", "https://example.org/b", "https://example.org/c"]
