"""What some readers may not see is in nothing that they get: not in a note, not in the line under the subject."""

import pytest

import emails
from emails import Audience, Rendering, compile_post, render_web, visible
from tests.emails.samples import THEME, content

SECTIONS = "\n\n".join(f"## Section {number}\n\n{'Words of a long letter. ' * 60}" for number in range(20))


def seen(markdown: str, audience: Audience, **changes: object) -> dict[str, str]:
    said = content(markdown, **changes)
    letter = compile_post(said, THEME, audience)
    assert not letter.missing
    to = emails.Recipient("ada@example.com", "token")
    return {
        "page": render_web(said, theme=THEME, audience=audience),
        "mail": emails.personal_html(letter, to),
        "text": emails.personal_text(letter, to),
    }


@pytest.mark.parametrize("fold_over", [None, 20_000])
@pytest.mark.parametrize(
    "opening", [":::only paying\nSECRET words.\n:::", ":::only web\nSECRET words.\n:::"], ids=["paying", "web"]
)
def test_a_letter_begins_in_the_inbox_with_what_its_reader_may_see(opening: str, fold_over: int | None) -> None:
    letter = compile_post(
        content(f"{opening}\n\nHello everybody.\n\n{SECTIONS}", fold_over=fold_over), THEME, Audience.FREE
    )

    assert (letter.fold is not None) == (fold_over is not None)
    html = emails.personal_html(letter, emails.Recipient("ada@example.com", "token"))
    assert "SECRET" not in html
    assert html.index("Hello everybody.") < html.index("<h1")  # the preheader


NESTED = "Text.[^1]\n\n[^1]: Public.\n\n    :::only paying\n    More[^2]\n    :::\n\n[^2]: SECRET\n"


@pytest.mark.parametrize("audience", [Audience.STRANGER, Audience.FREE])
def test_a_note_cited_only_where_a_reader_may_not_look_is_hidden_with_that_place(audience: Audience) -> None:
    for rendering, shown in seen(NESTED, audience).items():
        assert "Public." in shown, rendering
        assert "SECRET" not in shown, rendering

    assert "SECRET" in seen(NESTED, Audience.PAYING)["mail"]


@pytest.mark.parametrize("hides", [":::only web\nOn the page.\n:::", ":::only mail\nIn the mail.\n:::", ""])
def test_a_note_cited_by_a_note_stays_with_it(hides: str) -> None:
    markdown = f"Text.[^1]\n\n{hides}\n\n[^1]: Public, see[^2].\n\n[^2]: The second note.\n"

    for rendering, shown in seen(markdown, Audience.FREE).items():
        assert "The second note." in shown, rendering


def test_the_way_back_from_a_note_leads_to_a_place_that_is_there() -> None:
    said = content(":::only mail\nOne[^1]\n:::\n\nTwo[^1]\n\n[^1]: A note.\n")
    page = render_web(said, theme=THEME, audience=Audience.FREE)

    assert 'id="fnref-1-2"' in page
    assert 'href="#fnref-1-2"' in page
    assert 'href="#fnref-1"' not in page


def test_what_everybody_may_see_is_left_as_it_was() -> None:
    said = content("Text.[^1]\n\n[^1]: A note.\n")
    assert visible(said, Rendering.MAIL, Audience.FREE).document == said.document
