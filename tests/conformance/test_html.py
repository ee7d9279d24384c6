"""The HTML part of every kind of message, told by a browser, by axe-core and by html-validate."""

from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from emails import PRESETS, Audience, compile_post
from tests.conformance import asking
from tests.conformance.conftest import Run
from tests.conformance.shown import Shown, objections
from tests.conformance.verdicts import Told
from tests.emails.samples import THEME, demo

pytestmark = [pytest.mark.judges, pytest.mark.journey]

SIZES = (360, 700)
SCHEMES = ("light", "dark")


@pytest.mark.verdict("axe-core", "a real run: nothing to object to, light and dark, narrow and wide")
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", SIZES)
def test_axe_finds_nothing_in_either_scheme(chromium: Browser, run: Run, told: Told, width: int, scheme: str) -> None:
    messages = run.one_of_each()
    told.judged(message.name for message in messages)

    found = [
        f"{message.kind}: {objection}"
        for message in messages
        for objection in objections(chromium, message.html, width=width, scheme=scheme)
    ]

    assert not found, "\n".join(found)


def test_it_is_drawn_by_the_standards_within_320_pixels_and_in_the_colours_of_the_night(
    chromium: Browser, run: Run
) -> None:
    for message in run.one_of_each():
        page = chromium.new_page(viewport={"width": 320, "height": 700}, color_scheme="light")
        shown = Shown(page, message.html)

        assert page.evaluate("document.compatMode") == "CSS1Compat"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, message.kind
        by_day = colours(page)
        page.emulate_media(color_scheme="dark")
        by_night = colours(page)
        assert all(day != night for day, night in zip(by_day, by_night, strict=True)), message.kind
        assert light(by_night[0]) > 150 > light(by_day[0])
        assert light(by_night[1]) < 60 < 200 < light(by_day[1])
        assert set(shown.asked) <= {f"image {run.product.site.removeprefix('http://')}"}
        page.close()


@pytest.mark.verdict("html-validate", "a real run: no fault")
def test_html_validate_finds_no_fault(run: Run, told: Told) -> None:
    messages = run.one_of_each()
    told.judged(message.name for message in messages)

    found = asking.html_validate([message.html for message in messages])

    assert dict(zip([message.name for message in messages], found, strict=True)) == {
        message.name: [] for message in messages
    }


def test_html_validate_finds_no_fault_in_any_preset_nor_in_a_folded_letter() -> None:
    theme = replace(
        THEME,
        logo_dark_url="https://letters.example.org/dark.png",
        footer="Written in *Galway*. Find me at [the library](https://lib.example/?a=1&b=2).",
    )
    letters = [
        compile_post(replace(demo(), fold_over=limit), replace(theme, style=preset.style), Audience.FREE)
        for preset in PRESETS.values()
        for limit in (None, 35_000)
    ]
    found = asking.html_validate([each.html for each in letters])

    assert [each.fold is not None for each in letters] == [False, True] * len(PRESETS)
    assert found == [[]] * len(letters)


def colours(page: Page) -> list[str]:
    """Of the first words of the text, and of the paper behind them."""
    found: list[str] = page.evaluate(
        "() => { const words = document.querySelector('.text p, .text');"
        " return [getComputedStyle(words).color, getComputedStyle(document.querySelector('.paper')).backgroundColor]; }"
    )
    return found


def light(colour: str) -> float:
    """Of a colour like rgb(28, 27, 26): 0 is black, 255 white."""
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
