"""Whatever is written: page, mail and text say the same, or the compiler is wrong about it, which is as bad."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import emails
from emails.errors import SourceError
from tests.emails.samples import THEME, content

LETTERS = st.characters(exclude_categories=("Cs", "Co", "Cn"))
TRAPS = [
    *"one, two three, sh*t, a_b_c, __init__, [note 1], [1], > no quote, - no list, 1. no, a|b, ~x~, $5 and $6".split(
        ", "
    ),
    *"&amp;, <b>, __UNSUBSCRIBE_URL__, {name}, {name|you}, Ünï, שלום, 漢字かな, 👩‍👩‍👧, a\u00a0b, @ada, *, _, `".split(
        ", "
    ),
    *"(see https://a.example/x_(y)), http://a.example/?a=1&b=2_3, [, ], \\".split(", "),
    "x" * 90,
]
WORDS = st.one_of(st.sampled_from(TRAPS), st.text(LETTERS, max_size=12))
URLS = st.sampled_from(
    ["https://a.example/", "https://b.example/x_y?z=1&w=2", "mailto:a@b.example", "https://c.example/%20"]
)


@st.composite
def inline(draw: st.DrawFn) -> str:
    words, url = draw(WORDS), draw(URLS)
    shapes = [
        words,
        f"*{words}*",
        f"**{words}**",
        f"~~{words}~~",
        f"`{words}`",
        f"[{words}]({url})",
        f"![{words}]({url})",
        f"$x^2$ {words}",
        f"@[{words}]({url})",
        f"{words}[^1]",
        f"<{url}>",
        f"{words}\\\nmore",
        f"[*{words}* b]({url})",
    ]
    return draw(st.sampled_from(shapes))


LINES = st.lists(inline(), min_size=1, max_size=4).map(" ".join)


BLOCKS = (
    "{a}",
    "## {a}",
    "> {a}\n> — {b}",
    "- {a}\n- [ ] {b}\n  1. {a}",
    "3. {a}\n4. {b}",
    "---",
    "```python\n{a}\n```",
    "| {cell} | B |\n|--|:-:|\n| {b_cell} | {cell} |",
    '![{plain}]({url} "cap")',
    ":::note {plain}\n{a}\n\n> {b}\n:::",
    ":::toggle T {plain}\n{a}\n:::",
    ":::share",
    ":::button [{plain} go]({url})",
    ":::poll Q {plain}\n- A\n- B\n:::",
    ":::card\ntitle: T {plain}\nurl: https://a.example/\nexcerpt: {plain} and then some more\n:::",
    ":::only mail\n{a}\n:::",
    ":::sponsor S {plain}\n{a}\n:::",
    ":::pullquote\n{a}\n:::",
    "$$\nx_1 + 2\n$$",
    ":::paywall",
    ":::product P {plain}\nurl: https://a.example/p\nprice: {plain}\n\n{a}\n:::",
    ':::html\n<p>{plain} <a href="{url}">x {plain}</a></p>\n:::',
    ":::embed\nurl: https://a.example/1\nauthor: {plain} A\n\n{a}\n:::",
    ":::video\nurl: {url}\ntitle: V {plain}\n:::",
)


@st.composite
def block(draw: st.DrawFn) -> str:
    a, b, plain = draw(LINES), draw(LINES), draw(WORDS).replace("\n", " ")
    values = {
        "a": a,
        "b": b,
        "plain": plain,
        "url": draw(URLS),
        "cell": plain.replace("|", ""),
        "b_cell": b.replace("|", ""),
    }
    shape = draw(st.sampled_from(BLOCKS))
    for name, value in values.items():
        shape = shape.replace(f"{{{name}}}", value)
    return shape


POSTS = st.lists(block(), max_size=5).map(lambda parts: "\n\n".join([*parts, "[^1]: A note."]))


def check(markdown: str, audience: emails.Audience) -> None:
    try:
        document = emails.parse(markdown)
    except SourceError:
        return  # it was refused with a sentence
    said = content("", document=document, access=emails.Access.SUBSCRIBERS, title="T")
    assert emails.compile_post(said, THEME, audience).missing == ()


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(POSTS, st.sampled_from(emails.Audience))
def test_all_three_say_what_was_written(markdown: str, audience: emails.Audience) -> None:
    check(markdown, audience)


@pytest.mark.slow
@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(POSTS, st.sampled_from(emails.Audience))
def test_all_three_say_what_was_written_at_length(markdown: str, audience: emails.Audience) -> None:
    check(markdown, audience)
