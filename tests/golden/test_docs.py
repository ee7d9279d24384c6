"""What docs/writing.md shows can be written, and every element is shown there."""

import re

import pytest

import emails
from emails.elements import ALL
from tests.emails.samples import THEME, content
from tests.golden import HERE

PAGE = HERE.parents[1] / "docs" / "writing.md"
EXAMPLE = re.compile(r"^(`{3,4})post (\w+)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
EXAMPLES = {found[2]: found[3] for found in EXAMPLE.finditer(PAGE.read_text())}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_can_be_sent_and_has_its_picture(name: str) -> None:
    compiled = emails.compile_post(content(EXAMPLES[name]), THEME, emails.Audience.FREE)

    assert compiled.missing == ()
    assert (PAGE.parent / "images" / "elements" / f"{name}.png").stat().st_size > 500
    assert f"](images/elements/{name}.png)" in PAGE.read_text()


def test_every_element_is_explained() -> None:
    assert [element.name for element in ALL if f":::{element.name}" not in PAGE.read_text()] == []
