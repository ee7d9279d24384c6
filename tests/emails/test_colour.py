import pytest
from hypothesis import given
from hypothesis import strategies as st

from emails import accent_for, colour, contrast

SCHEMES = [
    (colour.PAPER, colour.GROUND, colour.INK, colour.MUTED),
    (colour.DARK_PAPER, colour.DARK_GROUND, colour.DARK_INK, colour.DARK_MUTED),
]


def test_contrast_is_measured_as_the_guidelines_say() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@given(st.integers(0, 0xFFFFFF), st.sampled_from(SCHEMES))
def test_any_accent_can_be_read_on_paper_and_ground_in_both_schemes(
    accent: int, scheme: tuple[str, str, str, str]
) -> None:
    paper, ground, _, _ = scheme
    shown = accent_for(f"#{accent:06x}", ground)

    assert contrast(shown, ground) >= 4.5
    assert contrast(shown, paper) >= 4.5  # links; and the paper's colour on a button of this one


def test_an_accent_that_can_be_read_stays_as_it_is() -> None:
    assert accent_for("#8A4B2D", colour.PAPER) == "#8a4b2d"


def test_what_is_no_colour_becomes_ours() -> None:
    assert contrast(accent_for("red; } body { display: none", colour.PAPER), colour.PAPER) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_ink_and_grey_can_be_read(scheme: tuple[str, str, str, str]) -> None:
    paper, ground, ink, muted = scheme

    assert min(contrast(ink, paper), contrast(ink, ground), contrast(muted, paper), contrast(muted, ground)) >= 4.5
