"""A letter that Gmail would cut ends at a border of its own, and says where it goes on."""

import re
from collections import Counter
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emails import Access, Audience, Compiled, Document, PostContent, compile_post, folding
from emails.document import CodeBlock, Listing
from emails.inline import inline
from tests.emails.samples import THEME, content, tree

pytestmark = pytest.mark.slow  # letters of a hundred kilobytes and more

WORDS = "Letters used to be folded by hand, sealed with wax, and carried for days by people who could not read them. "


def section(name: str, paragraphs: int = 12) -> str:
    return f"## {name}\n\n" + "\n\n".join(f"{name} {at}. {WORDS * 2}" for at in range(paragraphs))


def long_post(sections: int = 20, **changes: object) -> PostContent:
    text = "\n\n".join(["An opening.", *(section(f"Part {at}") for at in range(1, sections + 1))])
    return content(text, **{"fold_over": 40_000, **changes})


def compiled(said: PostContent) -> Compiled:
    return compile_post(said, THEME, Audience.FREE)


def headings(letter: Compiled) -> list[str]:
    return [each.text_content() for each in tree(letter.html).xpath("//h2")]


def way_on(letter: Compiled) -> str:
    (button,) = tree(letter.html).xpath("//td[@class='button-cell']/a[.='Continue on the web']/@href")
    return str(button)


def test_a_letter_below_the_limit_stays_whole() -> None:
    letter = compiled(long_post(2))

    assert letter.fold is None
    assert "Continue on the web" not in letter.html + letter.text


def test_without_a_limit_nothing_is_folded() -> None:
    letter = compiled(long_post(60, fold_over=None))

    assert letter.size > 100_000
    assert letter.fold is None


def test_a_long_letter_ends_before_a_section_and_leads_to_that_section() -> None:
    said = long_post()
    whole = compiled(long_post(fold_over=None))
    letter = compiled(said)

    shown = headings(letter)
    last = len(shown)
    assert 25_000 < letter.size <= 40_000 < whole.size
    assert shown == [f"Part {at}" for at in range(1, last + 1)]
    assert letter.fold is not None
    assert (letter.fold.begins, letter.fold.whole_size) == (f"Part {last + 1}", whole.size)
    assert way_on(letter) == f"https://letters.example.org/p/a-letter#part-{last + 1}"
    assert f"It goes on with “Part {last + 1}”." in tree(letter.html).text_content()


def test_it_keeps_as_many_sections_as_fit() -> None:
    said = long_post()
    last = len(headings(compiled(said)))
    one_more = folding.shortened(said, folding.headings(said.document.blocks)[last + 1])

    assert compiled(replace(one_more, fold_over=None)).size > 40_000


def test_the_text_part_is_folded_at_the_same_place() -> None:
    letter = compiled(long_post())
    next_part = len(headings(letter)) + 1

    assert f"Part {next_part - 1}\n---" in letter.text
    assert f"Part {next_part}\n---" not in letter.text
    assert f"Continue on the web: https://letters.example.org/p/a-letter#part-{next_part}" in letter.text


def test_notes_that_are_cited_below_the_fold_go_with_it() -> None:
    text = [f"First.[^a] {WORDS}", section("One"), section("Two"), f"## Three\n\nLate.[^late] Again.[^a] {WORDS * 400}"]
    notes = (
        "[^a]: Kept, and see there.[^inner]\n\n[^late]: Goes with its text.\n\n[^inner]: Cited by a note that is kept."
    )
    letter = compiled(content("\n\n".join([*text, notes]), fold_over=40_000))

    for whole in (tree(letter.html).text_content(), letter.text):
        assert "Kept, and see there." in whole
        assert "Cited by a note that is kept." in whole
        assert "Goes with its text." not in whole
    numbers = [item.get("value") for item in tree(letter.html).xpath("//ol[@class='notes']/li")]
    cited = {each.text_content() for each in tree(letter.html).xpath("//sup")}
    assert numbers in (["1", "2"], ["1", "3"])
    assert cited == set(numbers)


def test_without_headings_it_ends_before_a_rule() -> None:
    text = "\n\n---\n\n".join(WORDS * 20 for _ in range(40))
    letter = compiled(content(text, fold_over=40_000))

    assert 25_000 < letter.size <= 40_000
    kept = folding.rules(content(text).document.blocks)
    assert len(tree(letter.html).xpath("//hr")) in range(1, len(kept))
    assert letter.html.index("Continue on the web") > letter.html.rindex("<hr")


def test_without_any_border_it_ends_between_paragraphs_and_names_the_words() -> None:
    letter = compiled(content("\n\n".join(f"Number {at} of many. {WORDS * 3}" for at in range(160)), fold_over=40_000))

    assert 30_000 < letter.size <= 40_000
    address = way_on(letter)
    words = unquote(address.partition("#:~:text=")[2])
    assert re.fullmatch(r"Number \d+ of many\. Letters used to be folded by hand,? ?.*", words)
    shown = tree(letter.html).text_content()
    assert words not in shown
    assert f"Number {int(words.split()[1]) - 1} of many." in shown


def test_one_section_that_is_far_too_long_is_folded_inside() -> None:
    letter = compiled(content(f"Short.\n\n## The only one\n\n{section('x', 160)[6:]}", fold_over=40_000))

    assert 25_000 < letter.size <= 40_000
    assert way_on(letter).startswith("https://letters.example.org/p/a-letter#the-only-one:~:text=")


def test_what_cannot_be_parted_is_left_to_the_page_as_a_whole() -> None:
    code = "\n".join("x = 1" for _ in range(9_000))
    letter = compiled(content(f"```\n{code}\n```", fold_over=40_000))

    assert letter.size <= 40_000
    assert way_on(letter) == "https://letters.example.org/p/a-letter"


def test_the_inbox_still_shows_the_first_words_of_the_text() -> None:
    said = long_post()

    assert tree(compiled(said).html).xpath("//body/div[1]")[0].text_content() == "An opening."


def test_few_letters_are_compiled_to_find_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: Counter[str] = Counter()

    def count(html: str, rules: str) -> str:
        counted["letters"] += 1
        return inline(html, rules)

    monkeypatch.setattr("emails.compile.inline", count)
    uneven = [section(f"Part {at}", paragraphs=1 + (at * 7) % 11) for at in range(40)]

    letter = compiled(content("\n\n".join(uneven), fold_over=30_000))

    assert letter.fold is not None
    assert counted["letters"] <= 6


def test_the_place_of_a_heading_is_an_address_whatever_it_says() -> None:
    said = content(f"{WORDS * 300}\n\n## Über “a_b” & <i>c</i>\n\n{WORDS * 300}", fold_over=60_000)
    letter = compiled(said)
    heading = said.document.blocks[1]

    assert heading.id in unquote(way_on(letter))  # type: ignore[union-attr]  # a heading, as typed above
    assert not tree(letter.html).xpath("//i")


@pytest.mark.parametrize("access", ["subscribers", "paying"])
def test_a_letter_whose_page_is_closed_stays_whole(access: str) -> None:
    letter = compile_post(long_post(access=Access(access)), THEME, Audience.PAYING)

    assert letter.fold is None
    assert letter.size > 40_000


def test_what_only_readers_of_the_mail_get_is_never_folded_away() -> None:
    text = "\n\n".join(section(f"Part {at}") for at in range(1, 21))
    early = content(f":::only mail\nA secret.\n:::\n\n{text}", fold_over=40_000)
    late = content(f"{text}\n\n:::only mail\nA secret.\n:::", fold_over=40_000)

    assert "A secret." in compiled(early).html
    assert compiled(early).fold is not None
    assert "A secret." in compiled(late).html
    assert compiled(late).fold is None


def test_what_is_behind_a_paywall_line_is_never_folded_away() -> None:
    text = "\n\n".join(section(f"Part {at}") for at in range(1, 21))
    said = content(f"{text}\n\n:::paywall\n\nFor those who pay.", fold_over=40_000)

    free, paying = (compile_post(said, THEME, audience) for audience in (Audience.FREE, Audience.PAYING))

    assert free.fold is not None
    assert "For those who pay." not in free.html + free.text
    assert paying.fold is None
    assert "For those who pay." in paying.html


def test_a_folded_letter_lacks_nothing_of_what_it_kept() -> None:
    assert compiled(long_post()).missing == ()


blocks = st.lists(
    st.one_of(
        st.integers(1, 40).map(lambda n: WORDS * n),
        st.sampled_from(["## A heading", "### A lower one", "---", "- a\n- b", "> quoted", "```\ncode\n```"]),
    ),
    min_size=1,
    max_size=25,
)


@given(blocks, st.integers(18_000, 40_000))
@settings(max_examples=25, deadline=None)
def test_whatever_is_written_fits_or_says_so_and_begins_as_it_was_written(parts: list[str], limit: int) -> None:
    said = content("\n\n".join(parts), fold_over=limit)
    letter = compiled(said)

    if letter.fold:
        assert letter.size <= limit < letter.fold.whole_size
        assert way_on(letter).startswith(said.url)
    else:
        assert letter.size <= limit


def test_a_document_is_cut_and_never_changed() -> None:
    said = long_post()
    before = said.document

    shorter = folding.shortened(said, 5).document

    assert shorter.blocks[:5] == before.blocks[:5]
    assert len(shorter.blocks) == 7
    assert isinstance(before, Document)
    assert not any(isinstance(block, CodeBlock | Listing) for block in shorter.blocks[5:])
