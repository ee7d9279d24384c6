"""The HTML part of every kind of message, told by a browser, by axe-core and by html-validate."""

import shutil
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.browser.conftest import QUIET
from tests.browser.looks import findings
from tests.conformance import programs
from tests.conformance.conftest import Run

pytestmark = [pytest.mark.judges, pytest.mark.journey]

# Layout by tables and style attributes is what mail programs understand; html-validate judges web pages.
NOT_FOR_MAIL = {
    "no-inline-style": "off",  # the only styles that every mail program keeps
    "no-deprecated-attr": "off",  # width, align, bgcolor, cellpadding: Outlook draws by these
    "prefer-native-element": "off",  # role=article on the wrapper: mail programs drop <article>
}
# A mail is shown inside the landmarks of the mail program, so it brings none of its own.
NOT_A_PAGE = {"landmark-one-main", "region"}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "these tests need chromium (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


class Shown:
    """A mail in a browser, as a mail program shows it: only pictures are fetched."""

    def __init__(self, page: Page, html: str) -> None:
        self.page, self.asked = page, Counter[str]()
        page.route("**/*", lambda route: self._answer(route, html))
        page.goto("http://mail.invalid/")

    def _answer(self, route: Route, html: str) -> None:
        if route.request.url == "http://mail.invalid/":
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif route.request.url.endswith("favicon.ico"):
            route.abort()
        else:
            self.asked[f"{route.request.resource_type} {urlsplit(route.request.url).netloc}"] += 1
            route.continue_()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 700])
def test_axe_finds_nothing_in_either_scheme(chromium: Browser, run: Run, width: int, scheme: str) -> None:
    found = []
    for message in run.one_of_each():
        page = chromium.new_page(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        Shown(page, message.html)
        found += [
            f"{message.kind}: {finding}"
            for finding in findings(page, rules={rule: {"enabled": False} for rule in NOT_A_PAGE})
        ]
        page.close()

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


def test_html_validate_finds_no_fault(run: Run) -> None:
    messages = run.one_of_each()
    told = programs.ask_node("validate.mjs", {"html": [each.html for each in messages], "rules": NOT_FOR_MAIL})
    found = [
        f"{message.kind}, line {finding['line']}: {finding['ruleId']}: {finding['message']}"
        for message, findings_ in zip(messages, told, strict=True)
        for finding in findings_
    ]

    assert not found, "\n".join(found)


def test_html_validate_is_awake() -> None:
    (found,) = programs.ask_node(
        "validate.mjs", {"html": ["<!DOCTYPE html><p><img src='x.png'><b>"], "rules": NOT_FOR_MAIL}
    )
    assert {"wcag/h37", "close-order"} <= {finding["ruleId"] for finding in found}


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
