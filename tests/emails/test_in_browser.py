"""Letters as a real browser draws them: on a phone and on a desk, light and dark."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships none
from playwright.sync_api import Browser, sync_playwright

from emails import NOTICES, PRESETS, Audience, compile_notice, compile_post, personal_html
from tests.emails.samples import ADA, THEME, demo
from tests.emails.test_notices import VALUES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed"),
]

# A mail is shown inside the landmarks of the mail program, so it brings none of its own.
MODERATE = [("moderate", "landmark-one-main"), ("moderate", "region")]

# Every piece of text that is shown, with its colour and the colour behind it.
FAINT_TEXT = """() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => { const [r, g, b] = parse(c).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor; const p = parse(c); if (p.length < 4 || p[3] > 0) return c; }
    return 'rgb(255, 255, 255)'; };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility() || getComputedStyle(e).display === 'none') continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen += 1;
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return [seen, faint];
}"""


SMALLEST_TEXT = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let smallest = 99;
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility()) continue;
    smallest = Math.min(smallest, parseFloat(getComputedStyle(e).fontSize));
  }
  return smallest;
}"""

SHOWN_LOGOS = (
    "() => [...document.querySelectorAll('.masthead img')].filter((e) => e.checkVisibility()).map((e) => e.src)"
)

DRESSED = replace(
    THEME,
    logo_dark_url="https://letters.example.org/dark.png",
    footer="Written in *Galway*. Find me at [the library](https://lib.example).",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 700])
@pytest.mark.parametrize("name", ["post", *NOTICES])
def test_everything_can_be_read_and_nothing_sticks_out(chromium: Browser, name: str, width: int, scheme: str) -> None:
    if name == "post":
        html = personal_html(compile_post(demo(), THEME, Audience.FREE), ADA)
    else:
        html = compile_notice(name, VALUES, THEME).html
    look_over(chromium, html, width, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 700])
@pytest.mark.parametrize("preset", PRESETS)
def test_so_it_is_in_every_preset_whatever_the_accent(chromium: Browser, preset: str, width: int, scheme: str) -> None:
    accent = "#ffd54a" if scheme == "light" else "#101010"  # as faint as can be there
    dressed = replace(DRESSED, style=PRESETS[preset].style, accent=accent)
    html = personal_html(compile_post(demo(), dressed, Audience.FREE), ADA)

    look_over(chromium, html, width, scheme)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_scheme_shows_its_own_logo_and_only_that(chromium: Browser, preset: str) -> None:
    html = compile_post(demo(), replace(DRESSED, style=PRESETS[preset].style), Audience.FREE).html
    shown = {}
    for scheme in ("light", "dark"):
        page = chromium.new_page(color_scheme="dark" if scheme == "dark" else "light")
        page.route("**/*", lambda route: route.abort())
        page.set_content(html)
        shown[scheme] = page.evaluate(SHOWN_LOGOS)
        page.close()
    page = chromium.new_page(color_scheme="light")
    page.route("**/*", lambda route: route.abort())
    page.set_content(html.replace("<body", "<body data-ogsc=''"))
    shown["outlook"] = page.evaluate(SHOWN_LOGOS)
    page.set_content(re.sub("<style.*?</style>", "", html, flags=re.DOTALL))
    shown["no style blocks"] = page.evaluate(SHOWN_LOGOS)
    page.close()

    light, dark = ["https://letters.example.org/logo.png"], ["https://letters.example.org/dark.png"]
    assert shown == {"light": light, "dark": dark, "outlook": dark, "no style blocks": light}


def look_over(chromium: Browser, html: str, width: int, scheme: str) -> None:
    page = chromium.new_page(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/*", lambda route: route.abort())  # as a mail program with images off
    page.set_content(html)

    seen, faint = page.evaluate(FAINT_TEXT)
    background = page.evaluate("getComputedStyle(document.querySelector('.paper')).backgroundColor")

    assert seen >= 5
    assert faint == []
    assert page.evaluate(SMALLEST_TEXT) >= 14
    assert background == ("rgb(23, 22, 20)" if scheme == "dark" else "rgb(255, 253, 249)")
    assert page.evaluate("document.compatMode") == "CSS1Compat"
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert [(found["impact"], found["id"]) for found in Axe().run(page).response["violations"]] in ([], MODERATE)
    assert all(url.endswith(".png") for url in asked)
    if "button-cell" in html:
        assert all(
            height >= 44
            for height in page.evaluate(
                "[...document.querySelectorAll('.button-cell a')].map((a) => a.getBoundingClientRect().height)"
            )
        )
    page.close()
