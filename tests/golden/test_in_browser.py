"""The golden post in a real browser: its letter and its page, narrow and wide, light and dark."""

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships none
from PIL import Image
from playwright.sync_api import Browser, Page, Route, sync_playwright

import emails
from tests import golden
from tests.emails.samples import ADA, THEME
from tests.emails.test_in_browser import FAINT_TEXT, MODERATE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURES = Path(__file__).parents[2] / "var" / "screenshots"
STATIC = Path(__file__).parents[2] / "newsletter" / "static"
STYLES = "".join((STATIC / name).read_text() for name in ("tokens.css", "public.css", "post.css"))
NOT_OURS = {"video-caption"}  # no captions exist for the film of an example


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def letter(audience: emails.Audience) -> str:
    return emails.personal_html(emails.compile_post(golden.post(), THEME, audience), ADA)


def page(audience: emails.Audience) -> str:
    body = emails.render_web(golden.post(), theme=THEME, audience=audience)
    return (
        f'<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>All</title>'
        f'<style>{STYLES}</style><main><article class="post"><h1>All</h1><div class="prose">{body}</div>'
        "</article></main>"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 600, 1200])
@pytest.mark.parametrize("audience", [emails.Audience.FREE, emails.Audience.PAYING])
@pytest.mark.parametrize("made", ["letter", "page"])
def test_every_element_can_be_read_and_nothing_sticks_out(
    chromium: Browser, made: str, audience: emails.Audience, width: int, scheme: Literal["light", "dark"]
) -> None:
    shown = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown.route("**/*", _painted)
    shown.set_content(letter(audience) if made == "letter" else page(audience))
    _look(shown, f"golden-{made}-{audience}-{width}-{scheme}")

    seen, faint = shown.evaluate(FAINT_TEXT)
    assert seen > 60
    assert faint == []
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    found = [(fault["impact"], fault["id"]) for fault in Axe().run(shown).response["violations"]]
    expected = MODERATE if made == "letter" else []
    assert [fault for fault in found if fault[1] not in NOT_OURS] == expected
    shown.close()


def _look(shown: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    shown.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def _painted(route: Route) -> None:
    if route.request.resource_type != "image":
        route.abort()
        return
    content = BytesIO()
    Image.new("RGB", (60, 40), "#7a9c8c").save(content, "PNG")
    route.fulfill(body=content.getvalue(), content_type="image/png")
