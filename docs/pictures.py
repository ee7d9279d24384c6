"""Make the pictures of the README from a running demo:

make demo                          # in one terminal
.venv/bin/python docs/pictures.py  # in another
"""

import json
import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent / "images"
GROUND = "#ece6da"
POST = "what-ive-been-reading-2"


def main(site: str = "http://127.0.0.1:8000", note: str = "var/demo.json") -> None:
    HERE.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--no-first-run"]
        )
        page = _shot(browser, 860, 1000, lambda tab: tab.goto(f"{site}/p/{POST}"))
        mail = _shot(browser, 390, 780, lambda tab: _open_letter(tab, site))
        desk = _shot(browser, 1180, 760, lambda tab: _open_send(tab, site, json.loads(Path(note).read_text())))
        browser.close()
    _beside(page, mail).save(HERE / "letter.png", optimize=True)
    _framed(desk).save(HERE / "desk.png", optimize=True)


def _shot(browser: Browser, width: int, height: int, prepare) -> Image.Image:  # type: ignore[no-untyped-def]
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
    prepare(tab)
    tab.wait_for_load_state("networkidle")
    return Image.open(BytesIO(tab.screenshot())).convert("RGB")


def _open_letter(tab: Page, site: str) -> None:
    tab.goto(f"{site}/inbox/?q=grace.muller")
    letter = tab.locator("a[href^='/inbox/2']").first.get_attribute("href")
    tab.goto(f"{site}{letter}/body")


def _open_send(tab: Page, site: str, owner: dict[str, str]) -> None:
    tab.goto(f"{site}/desk/sign-in")
    tab.fill("input[name=email]", owner["email"])
    tab.fill("input[name=password]", owner["password"])
    tab.click("main button[type=submit], form button")
    tab.goto(f"{site}/desk/sends/1")


def _beside(page: Image.Image, mail: Image.Image) -> Image.Image:
    ground = Image.new("RGB", (1240, 1000), GROUND)
    _lay(ground, page, 50, 60)
    _lay(ground, mail, 800, 170)
    return ground


def _framed(desk: Image.Image) -> Image.Image:
    ground = Image.new("RGB", (desk.width + 60, desk.height + 60), GROUND)
    _lay(ground, desk, 30, 30)
    return ground


def _lay(ground: Image.Image, sheet: Image.Image, left: int, top: int, radius: int = 12) -> None:
    """A sheet of paper with round corners and a soft shadow."""
    mask = Image.new("L", sheet.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *sheet.size), radius, fill=255)
    shadow = Image.new("L", ground.size, 0)
    shadow.paste(mask.point(lambda value: value // 3), (left, top + 10))
    ground.paste("#3a2f25", (0, 0), shadow.filter(ImageFilter.GaussianBlur(18)))
    ground.paste(sheet, (left, top), mask)


if __name__ == "__main__":
    main(*sys.argv[1:])
