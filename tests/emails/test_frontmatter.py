import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emails import FrontMatter, FrontMatterError, read_post, write_post
from emails.frontmatter import AUDIENCES

LINE = st.text(max_size=40)


def test_values_are_taken_as_they_are_typed() -> None:
    source = read_post(
        "---\n"
        "title: What I've been reading (#2): one, two # three\n"
        'subtitle: "Quoted: yes"\n'
        "slug: 2026-01-01\n"
        "authors: [Mara Lindqvist, 'Ken, the editor']\n"
        "tags:\n  - mail\n  - slow reading\n"
        "number: 2\n"
        "date: 2026-11-22\n"
        "# a remark\n"
        "\n"
        "---\n"
        "\n"
        "The body.\n"
    )

    front = source.front
    assert front.title == "What I've been reading (#2): one, two # three"
    assert front.subtitle == "Quoted: yes"
    assert front.slug == "2026-01-01"
    assert front.authors == ("Mara Lindqvist", "Ken, the editor")
    assert front.tags == ("mail", "slow reading")
    assert (front.number, front.date) == (2, datetime.date(2026, 11, 22))
    assert (source.body, source.body_line) == ("The body.\n", 15)


def test_a_heading_will_do_as_front_matter() -> None:
    source = read_post("\n# A short letter #\n\nHello.\n")

    assert source.front == FrontMatter(title="A short letter")
    assert (source.body, source.body_line) == ("Hello.\n", 4)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("---\ntitle: x\nsubtitel: y\n---\n", 3, "Did you mean “subtitle”?"),
        ("---\ntitle: x\nweather: y\n---\n", 3, "Known are: title,"),
        ("---\ntitle: x\ndate: tomorrow\n---\n", 3, "2026-05-31"),
        ("---\ntitle: x\ndate: 2026-02-30\n---\n", 3, "2026-05-31"),
        ("---\ntitle: x\nnumber: two\n---\n", 3, "whole number"),
        ("---\ntitle: x\naudience: friends\n---\n", 3, "one of"),
        ("---\ntitle: x\nslug:\n  - a\n---\n", 3, "not a list"),
        ("---\ntitle: x\ntitle: y\n---\n", 3, "second time"),
        ("---\ntitle: >\n---\n", 2, "on one line"),
        ("---\ntitle: x\njust words\n---\n", 3, "looks like"),
        ("---\nslug: x\n---\nBody", 1, "needs a title"),
        ("\n---\ntitle: x\n\nBody", 2, "never closed"),
        ("Just a body.", 1, "begins with"),
        ("", 1, "begins with"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(FrontMatterError) as mistake:
        read_post(text)

    assert mistake.value.line == line
    assert words in mistake.value.sentence


@given(
    front=st.builds(
        FrontMatter,
        title=LINE,
        subtitle=LINE,
        slug=LINE,
        authors=st.lists(LINE, max_size=3).map(tuple),
        tags=st.lists(LINE, max_size=3).map(tuple),
        series=LINE,
        number=st.none() | st.integers(0, 999_999_999),
        audience=st.sampled_from(AUDIENCES),
        date=st.none() | st.dates(),
        preheader=LINE,
        subject=LINE,
    ).filter(lambda front: front.title),
    body=st.text(max_size=200),
)
def test_what_is_written_reads_the_same(front: FrontMatter, body: str) -> None:
    written = write_post(front, body)
    source = read_post(written)

    assert source.front == front
    assert write_post(source.front, source.body) == written
    assert read_post(written) == source
