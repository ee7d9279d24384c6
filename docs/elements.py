"""The pictures in docs/writing.md: each example as a letter shows it. They are made from the examples themselves.

.venv/bin/python docs/elements.py
"""

import datetime
import re
import shutil
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Route, sync_playwright

import emails

HERE = Path(__file__).parent
PAGE = HERE / "writing.md"
PICTURES = HERE / "images" / "elements"
EXAMPLE = re.compile(r"^(`{3,4})post (\w+)\n(.*?)^\1\n(?:\n!\[[^\]]*\]\([^)]*\)\n)?", re.DOTALL | re.MULTILINE)
THEME = emails.Theme(
    publication_name="Slow Letters",
    newsletter_name="The weekly letter",
    site_url="https://letters.example.org",
    subscribe_url="https://letters.example.org/#subscribe",
    upgrade_url="https://letters.example.org/support",
)
ADA = emails.Recipient(address="ada@example.com", message_id="m1.1", name="Ada")


def examples() -> dict[str, str]:
    """The Markdown of each, by its name."""
    return {found[2]: found[3] for found in EXAMPLE.finditer(PAGE.read_text())}


def letter(markdown: str) -> str:
    content = emails.PostContent(
        title="A letter",
        document=emails.parse(markdown),
        url="https://letters.example.org/p/a-letter",
        share_url="https://letters.example.org/p/a-letter/share",
        date=datetime.date(2026, 11, 22),
        access=emails.Access.PAYING if ":::paywall" in markdown else emails.Access.EVERYONE,
    )
    return emails.personal_html(emails.compile_post(content, THEME, emails.Audience.FREE), ADA)


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--no-first-run"]
        )
        for name, markdown in examples().items():
            _shown(browser, letter(markdown)).save(PICTURES / f"{name}.png", optimize=True)
        browser.close()
    PAGE.write_text(EXAMPLE.sub(_with_picture, PAGE.read_text()))


def _with_picture(found: re.Match[str]) -> str:
    ticks, name, markdown = found.groups()
    return f"{ticks}post {name}\n{markdown}{ticks}\n\n![{name}, in a letter](images/elements/{name}.png)\n"


def _shown(browser: Browser, html: str) -> Image.Image:
    """The body of the letter, without its head and foot, in few colours."""
    tab = browser.new_page(viewport={"width": 640, "height": 800}, color_scheme="light")
    tab.route("**/*", _painted)
    tab.set_content(html)
    body = tab.locator(".text").nth(2).bounding_box()
    assert body is not None
    x, y, width, height = body["x"], body["y"], body["width"], body["height"]
    shot = tab.screenshot(full_page=True, clip={"x": x - 16, "y": y - 12, "width": width + 32, "height": height + 16})
    tab.close()
    return Image.open(BytesIO(shot)).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)


def _painted(route: Route) -> None:
    """A picture for every address of one: nothing is fetched."""
    if route.request.resource_type != "image":
        route.abort()
        return
    picture = Image.new("RGB", (600, 400), "#b9c9bf")
    ImageDraw.Draw(picture).ellipse((200, 120, 400, 320), fill="#d98c5f")
    ImageDraw.Draw(picture).rectangle((0, 300, 600, 400), fill="#6f8c93")
    content = BytesIO()
    picture.save(content, "PNG")
    route.fulfill(body=content.getvalue(), content_type="image/png")


if __name__ == "__main__":
    main()
