"""What is said of a post before it goes out: true things, with their lines, and nothing about ordinary prose."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

import emails
from emails import lint
from tests import golden
from tests.emails import samples
from tests.emails.samples import DEMO, THEME

EARLIER = DEMO.parent / "demo_earlier"
PREVIOUS = ("What I've been reading (#1)", "https://letters.example.org/p/one")
HEAD = "---\ntitle: A letter\nsubtitle: About letters, and how they come\n---\n\n"
SITE = "https://demo.invalid"  # where the pictures of the demo are, until it knows its own address


def found(
    markdown: str, *, head: str = HEAD, weights: Mapping[str, int] | None = None, **changes: Any
) -> list[emails.Finding]:
    """What is found in a file with this text."""
    source = head + markdown
    read = emails.read_post(source)
    front = read.front
    content = samples.content(
        **{
            "title": front.title,
            "subtitle": front.subtitle,
            "subject": front.subject or front.title,
            "preheader": front.preheader or front.subtitle,
            "series": front.series or None,
            "series_number": front.number,
            "access": emails.Access(front.audience),
            "document": emails.parse(read.body, read.body_line),
            **changes,
        }
    )
    readers = (emails.Audience.FREE, emails.Audience.PAYING)
    proof = emails.Proof(
        content=content,
        source=source,
        body_line=read.body_line,
        letters={reader: emails.compile_post(content, THEME, reader) for reader in readers},
        site_url=SITE,
        weights=weights or {},
    )
    return emails.findings(proof)


def codes(markdown: str, **given: Any) -> list[str]:
    return [finding.code for finding in found(markdown, **given)]


def only(markdown: str, **given: Any) -> emails.Finding:
    (finding,) = found(markdown, **given)
    return finding


# Ordinary prose


def test_the_post_of_the_demo_has_one_true_fault_and_no_other() -> None:
    finding = only("", head=DEMO.read_text(), previous_in_series=PREVIOUS)

    assert finding.code == "promised_parts"
    assert finding.sentence.startswith("3 topics are announced, and 4 headings follow")
    assert finding.line is not None
    assert "falls into three topics" in DEMO.read_text().split("\n")[finding.line - 1]


@pytest.mark.parametrize("name", ["reading-1.md", "postscript.md", "unanswered.md"])
def test_the_earlier_posts_of_the_demo_are_left_in_peace(name: str) -> None:
    assert found("", head=(EARLIER / name).read_text()) == []


def test_every_element_there_is_passes_without_a_false_alarm() -> None:
    assert [finding.code for finding in found("", head=golden.SOURCE.read_text(), previous_in_series=PREVIOUS)] == [
        "left_out"
    ]


@pytest.mark.parametrize(
    "prose",
    [
        "I have been to Turkmenistan (.tm, not TK-421), and my todo list has grown.",
        "She had two children, three dogs and four reasons to stay. Below the house was a river.",
        "It is a novel in three parts.\n\n## The first\n\nGood.\n\n## The second\n\nBetter.",
        "After three years I learned:\n\n- to wait\n- to write",
        "We write [Node.js](https://nodejs.org/en) and [ASP.NET](https://dotnet.microsoft.com/).",
        "He wrote “I [Jordan] approve”, and [sic] again. Then [1] and [a link](https://example.com/a_(b)) came.",
        "Type `{{name}}`, `*|FNAME|*` and `TK`:\n\n```\n{{ first_name }} TODO\n```\n\n    %%name%%",
        "It costs 50% of 20% more; a set is {a, b}, and Knuth wrote $x_{1}$ for it.",
        "See https://www.example.com/a and [www.example.com](https://example.com/b) and <https://example.com>.",
        "Two essays changed me. One was long.\n\n:::card\ntitle: A\nurl: https://example.com/a\n:::",
        "Ask me: ken@example.com. The number #2 is a number. Part 2 of the plan begins.",
        "In 1986, three of us met here. Read more? [More light](https://example.com), he said.",
    ],
)
def test_ordinary_prose_raises_no_alarm(prose: str) -> None:
    assert found(prose) == []


# Blanks and fields


@pytest.mark.parametrize("mark", ["TK", "TKTK", "TODO", "FIXME", "Lorem ipsum"])
def test_what_was_to_be_written_later_is_named_with_its_line(mark: str) -> None:
    finding = only(f"One.\n\nTwo: {mark}, three.")

    assert (finding.level, finding.code, finding.line) == ("warning", "unfinished", 8)


@pytest.mark.parametrize(
    "field", ["{{name}}", "{{ first_name | default }}", "*|FNAME|*", "%%first_name%%", "{% if x %}", "{first_name}"]
)
def test_the_merge_fields_of_other_programs_stop_the_sending(field: str) -> None:
    finding = only(f"Dear {field},")

    assert (finding.level, finding.code, finding.line) == ("error", "foreign_field", 6)
    assert field in finding.sentence


def test_a_blank_and_a_field_in_the_title_are_found_too() -> None:
    head = "---\ntitle: News for {{company}}\nsubtitle: From [Your Name]\n---\n\n"

    assert [(finding.code, finding.line) for finding in found("Hello.", head=head)] == [
        ("foreign_field", 2),
        ("blank", 3),
    ]


def test_a_name_without_an_alternative_is_said_once() -> None:
    assert codes("Dear {name}, dear {name}.") == ["no_fallback"]
    assert codes("Dear {name|reader}.") == []


# Links


def test_a_relative_link_stops_the_sending_since_its_brackets_would_be_seen() -> None:
    finding = only("One.\n\nSee [about](/about) it.")

    assert (finding.level, finding.code, finding.line) == ("error", "relative_link", 8)
    assert codes("See ![a cat](cat.png).") == ["relative_link"]
    assert codes("See [below](#below).") == ["relative_link"]
    assert codes("See [this](javascript:alert(1)) and that.") == ["relative_link"]


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "10.0.0.7", "printer", "shop.test", "[::1]"])
def test_an_address_that_only_its_author_can_open_stops_the_sending(host: str) -> None:
    assert only(f"See [the draft](http://{host}/a).").code == "not_public"


def test_a_link_that_hides_where_it_leads_wants_a_word() -> None:
    assert codes("See [it](https://bit.ly/3abc), [that](https://tinyurl.com/x).") == ["shortened_link"] * 2
    assert codes("See [it](http://93.184.215.14/x).") == ["bare_number"]


def test_a_link_that_shows_one_domain_and_leads_to_another_wants_a_word() -> None:
    finding = only("Go to [paypal.com](https://pay.evil-shop.com/login).")

    assert finding.code == "disguised_link"
    assert "shows paypal.com and leads to pay.evil-shop.com" in finding.sentence
    assert codes("[https://example.com/a](https://example.net/a)") == ["disguised_link"]
    assert codes("[blog.example.com](https://example.com/blog)") == []


def test_links_without_words_and_with_empty_words() -> None:
    assert codes("See [](https://example.com/a).") == ["empty_link"]
    assert codes("Press [click here](https://example.com/a) or [here](https://example.com/b).") == ["vague_link"] * 2


def test_a_link_around_a_picture_has_the_words_of_the_picture() -> None:
    picture = '<img src="https://example.com/a.png" alt="A cat asleep on a letter">'
    assert codes(f':::html\n<p>See <a href="https://example.com/a">{picture}</a></p>\n:::') == []
    assert codes("[![](https://example.com/a.png)](https://example.com/a)") == ["no_alt"]


def test_links_are_found_wherever_they_stand() -> None:
    short = "https://bit.ly/x"
    places = {
        "a list": f"- one\n- [two]({short})",
        "a quote": f"> A [word]({short}).",
        "a note": f"Yes.[^1]\n\n[^1]: See [it]({short}).",
        "a box": f":::note A title\nSee [it]({short}).\n:::",
        "a button": f":::button [Read it]({short})",
        "a card": f":::card\ntitle: A\nurl: {short}\n:::",
        "a table": f"| a | b |\n|---|---|\n| c | [d]({short}) |",
        "HTML of one’s own": f':::html\n<p><a href="{short}">it</a></p>\n:::',
        "a picture": f"[![A cat asleep](https://example.com/cat.png)]({short})",
    }
    for place, markdown in places.items():
        finding = only(markdown)
        assert finding.code == "shortened_link", place
        assert finding.line == 6 + markdown[: markdown.index(short)].count("\n"), place


# Pictures


def test_pictures_say_what_they_show() -> None:
    assert only("![](https://example.com/a.png)").code == "no_alt"
    assert only("![IMG_2034.jpg](https://example.com/a.png)").code == "poor_alt"
    assert codes("![A cat asleep on a letter](https://example.com/a.png)") == []


def test_heavy_pictures_are_named_with_their_weight() -> None:
    url = f"{SITE}/media/abc.png"
    finding = only(f"![A cat asleep]({url})", weights={url: 640_000})

    assert finding.code == "heavy_picture"
    assert "640 kB" in finding.sentence
    assert codes(f"![A cat asleep]({url})", weights={url: 1_200_000}) == ["heavy_pictures", "heavy_picture"]


def test_pictures_that_not_every_program_shows() -> None:
    assert codes("![A cat asleep](https://example.com/a.svg)") == ["picture_kind"]
    assert codes("![A cat asleep](http://example.com/a.png)") == ["insecure_picture"]


# Structure


def test_notes_and_their_marks_belong_together() -> None:
    assert only("A word.[^1]").code == "note_missing"
    assert only("A word.\n\n[^1]: A note.").code == "note_unused"
    assert codes("A word.[^1]\n\n[^1]: A note.") == []
    assert only("A word.[^a]\n\n[^a]: One.\n\n[^a]: Two.").code == "note_twice"


def test_headings_of_ones_own_html_keep_the_order() -> None:
    assert only("## One\n\n:::html\n<h5>Deep</h5>\n:::").code == "heading_order"
    assert codes("## One\n\n#### Two\n\nText.") == []  # put in order by us


def test_a_text_that_begins_with_its_title() -> None:
    assert only("## A letter\n\nHello.").code == "title_twice"


def test_html_that_some_mail_programs_do_not_know() -> None:
    assert only(':::html\n<p style="margin-left: -10px">x</p>\n:::').code == "half_known_html"
    assert only(":::html\n<p onclick='x()'>x</p>\n:::").code == "left_out"


def test_a_paywall_and_the_audience_agree() -> None:
    def of(audience: str, markdown: str) -> list[str]:
        return codes(markdown, head=HEAD.replace("---\n\n", f"audience: {audience}\n---\n\n"))

    assert of("everyone", "Open.\n\n:::paywall\n\nClosed.") == ["paywall_for_all"]
    assert of("paying", "Open.\n\n:::paywall\n\nClosed.") == []
    assert of("paying", ":::paywall\n\nClosed.") == ["paywall_first"]
    assert of("paying", "Open.\n\n:::paywall") == ["paywall_last"]


# Subject and preheader


def test_the_subject_and_the_line_beside_it() -> None:
    def of(**lines: str) -> list[str]:
        values = {"title": "A letter", "subtitle": "About letters", **lines}
        return codes("Hello.", head="---\n" + "".join(f"{k}: {v}\n" for k, v in values.items() if v) + "---\n\n")

    assert of(subtitle="") == ["no_preheader"]
    assert of(subject="x" * 79) == ["long_subject"]
    assert of(subject="Re: your order") == ["false_answer"]
    assert of(subject="BUY THIS LETTER NOW") == ["loud_subject"]
    assert of(preheader="A letter") == ["same_preheader"]
    assert of(preheader="x " * 80) == ["long_preheader"]
    assert of(title="NASA") == []


# Promises


def test_parts_that_are_announced_are_counted() -> None:
    three = "## One\n\nA.\n\n## Two\n\nB.\n\n## Three\n\nC."
    assert only(f"This letter has four parts.\n\n{three}").code == "promised_parts"
    assert codes(f"This letter has three parts.\n\n{three}") == []
    assert codes(f"This letter has two parts.\n\n{three.replace('Three', 'Notes')}") == []
    assert only(f"In this issue:\n\n- a\n- b\n\n{three}").code == "promised_parts"
    assert codes(f"In this issue:\n\n- a\n- b\n- c\n\n{three}") == []


def test_posts_that_are_announced_are_counted() -> None:
    card = ":::card\ntitle: A\nurl: https://example.com/a\n:::"
    finding = only(f"Two posts that I liked:\n\n{card}")

    assert finding.code == "promised_posts"
    assert finding.sentence == "“Two posts” are announced, and 1 card follows."
    assert codes(f"Two posts that I liked:\n\n{card}\n\n{card.replace('/a', '/b')}") == []


def test_items_that_are_announced_are_counted() -> None:
    assert only("My favourite three pages:\n\n- a\n- b").code == "promised_items"
    assert codes("My favourite three pages:\n\n- a\n- b\n- c") == []


def test_a_second_issue_without_a_first() -> None:
    head = "---\ntitle: Reading (#2)\nsubtitle: About letters\n{}---\n\n"
    in_series = head.format("series: Reading\nnumber: 2\n")

    assert only("Hello.", head=head.format("")).code == "no_series"
    assert only("Hello.", head=in_series).code == "no_earlier_issue"
    assert codes("Hello.", head=in_series, previous_in_series=PREVIOUS) == []
    assert only("Hello.", head=head.format("series: Reading\nnumber: 3\n"), previous_in_series=PREVIOUS).code == (
        "issue_number"
    )


# Findings themselves


def test_what_is_typed_above_a_finding_does_not_change_its_key() -> None:
    before, after = only("See [here](https://example.com/a)."), only("New.\n\nSee [here](https://example.com/a).")

    assert before.line != after.line
    assert before.key == after.key
    assert before.key != only("See [here](https://example.com/b).").key


def test_what_must_be_mended_comes_first() -> None:
    assert [finding.level for finding in found("TK\n\n{{x}}\n\n![](https://example.com/a.png)")] == [
        "error",
        "warning",
        "warning",
    ]


@pytest.mark.parametrize(
    "hostile", ["[", "{{", "[^", "`", "`a``", "%%a", "$_", "[a](", "![", "{%", "*|A", "<%", "two x ", "https://"]
)
def test_hostile_text_does_not_hold_the_examiner_up(hostile: str) -> None:
    source = HEAD + hostile * (40_000 // len(hostile))
    proof = emails.Proof(content=samples.content("Hello."), source=source, body_line=6)
    begun = time.process_time()

    emails.findings(proof)

    assert time.process_time() - begun < 2


def test_no_two_rules_share_a_name() -> None:
    assert len({rule.__name__ for rule in lint.RULES}) == len(lint.RULES)


@pytest.mark.parametrize(
    "markdown",
    [
        "See https://[your-site]/x for it.",
        "See [the site](https://[your-site]/x) for it.",
        "[![A quay](https://letters.example.org/quay.jpg)](https://[your-site]/x)",
        "![A quay](https://[your-site]/quay.jpg)",
    ],
)
def test_an_address_that_names_no_host_is_told_of_and_breaks_nothing(markdown: str) -> None:
    assert "not_public" in codes(markdown)


@pytest.mark.parametrize(
    "markdown",
    [
        ":::note For {name|you}\nx\n:::",
        ":::toggle Dear {name}\nx\n:::",
        ":::button [Hi {name|x}](https://a.org)",
        "Words.\n\n:::paywall Read on, {name|friend}\n\nMore words.",
        "![A quay for {name|you}](https://letters.example.org/quay.jpg)",
    ],
)
def test_a_merge_field_that_nobody_fills_in_stops_the_post(markdown: str) -> None:
    found_ = [finding for finding in found(markdown, access=emails.Access.PAYING) if finding.code == "unfilled_field"]
    assert [(finding.level, bool(finding.line)) for finding in found_] == [("error", True)]


@pytest.mark.parametrize(
    "markdown", ["Dear {name|you}", "## For {name|you}", "- {name|you}", "`{name|you}`", "```\n{name}\n```"]
)
def test_a_merge_field_that_is_filled_in_or_meant_as_code_is_left_alone(markdown: str) -> None:
    assert "unfilled_field" not in codes(markdown)


@pytest.mark.parametrize(
    ("table", "lost"),
    [
        ("| a | b |\n|---|---|\n| x | y | LOST WORDS |", "LOST WORDS"),
        ("| a | b |\n|---|---|\n| c | d |\n| Dear {name|reader} | x |", "x"),
        ("> a | b\n> --|--\n> x | y | z", "z"),
    ],
)
def test_words_that_a_table_would_drop_stop_the_post(table: str, lost: str) -> None:
    (finding,) = [
        finding
        for finding in found(f"Words.\n\n{table}\n\nMore | words | and | bars.")
        if finding.code == "surplus_cell"
    ]
    assert (finding.level, finding.place) == ("error", lost)


@pytest.mark.parametrize(
    "table",
    [
        "| a | b |\n|---|---|\n| x | y |",
        "| a | b |\n|---|---|\n| x |",
        "| a | b |\n|---|---|\n| Dear {name\\|reader} | x |",
        "| a | b |\n|---|---|\n| x | y |  |",
        "a | b\n--|--\nx | y",
    ],
)
def test_a_table_that_holds_all_its_words_is_left_alone(table: str) -> None:
    assert "surplus_cell" not in codes(table)
