"""The golden post has every element, and comes out as it did when somebody last looked at it.

After a change on purpose: GOLDEN=write .venv/bin/pytest tests/golden, and look at the difference.
"""

import os
from typing import Any, get_args

import pytest

import emails
from emails.document import Block, Element, Inline, inlines
from emails.elements import ALL
from tests import golden
from tests.emails.samples import THEME

MUST_WRITE = os.environ.get("GOLDEN") == "write"
NO_LETTER = emails.Audience.STRANGER


def test_the_golden_post_has_every_element_and_every_kind_of_text() -> None:
    document = golden.post().document
    blocks = {type(block) for block in document.walk()}
    kinds = {type(node) for node in inlines(document)}

    assert set(ALL) - blocks == set()
    assert {kind for kind in get_args(Block) if kind is not Element} - blocks == set()
    assert set(get_args(Inline)) - kinds == set()


def test_every_element_is_known_by_its_class() -> None:
    """One that is written and not listed could not be asked for."""

    def leaves(element: Any) -> set[Any]:
        own = {element} if "name" in vars(element) else set()
        return own.union(*(leaves(each) for each in element.__subclasses__()))

    assert leaves(Element) == set(ALL)


@pytest.mark.parametrize("audience", list(emails.Audience))
def test_page_mail_and_text_say_the_same(audience: emails.Audience) -> None:
    assert emails.compile_post(golden.post(), THEME, audience).missing == ()


@pytest.mark.parametrize("audience", list(emails.Audience))
def test_every_rendering_comes_out_as_it_was_approved(audience: emails.Audience) -> None:
    for name, made in golden.renderings(audience).items():
        path = golden.HERE / name
        if MUST_WRITE:
            path.write_text(made)
        assert path.read_text() == made, f"{name} has changed. Look at it; then GOLDEN=write pytest tests/golden"


@pytest.mark.parametrize("audience", [emails.Audience.STRANGER, emails.Audience.FREE])
@pytest.mark.parametrize("secret", ["Secret words", "oak galls", "/recipe", "Thank you for paying", "A box for those"])
def test_what_is_behind_the_line_or_for_others_is_in_no_rendering(audience: emails.Audience, secret: str) -> None:
    assert all(secret not in made for made in golden.renderings(audience).values())
    paying = golden.renderings(emails.Audience.PAYING)
    assert all(secret in made for made in paying.values())


def test_a_part_for_one_place_is_not_in_the_other() -> None:
    made = golden.renderings(emails.Audience.FREE)
    assert "on the page.\n" not in made["letter.free.txt"]
    assert "on the page." not in made["letter.free.html"]
    assert "in your inbox" not in made["page.free.html"]
    assert "A note that belongs to the page alone" not in made["letter.free.html"]
