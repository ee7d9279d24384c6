"""Chromium, and somebody who looks over its shoulder: what a page must never do is noted on every page."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.product import OWNER, PASSWORD, Product

QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
expect.set_options(timeout=15_000)


@dataclass
class Notes:
    """What went on behind the pages of one visit."""

    host: str
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)  # refusals a test asks for, as status codes
    also: list[str] = field(default_factory=list)  # hosts to which a page may lead

    def watch(self, page: Page) -> None:
        page.on("console", lambda message: self._hear(message.type, message.text, message.location["url"]))
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self._follow(request.url, page.url))

    def _hear(self, kind: str, words: str, place: str) -> None:
        """Chromium says here what broke, and what the content security policy forbade."""
        refused = re.search(r"responded with a status of (\d+)", words)
        if kind in {"error", "warning"} and not (refused and refused[1] in self.expected):
            self.faults.append(f"{kind} in the console: {words} ({place})")

    def _follow(self, url: str, page: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob", "about"} and parts.netloc not in (self.host, *self.also):
            self.faults.append(f"{page} asked {url}")


@dataclass
class Visit:
    """One person's browser."""

    product: Product
    context: BrowserContext
    notes: Notes

    def page(self) -> Page:
        return self.context.new_page()

    def opened_by(self, press: Any) -> Page:
        """The new tab that a press opens."""
        with self.context.expect_page() as found:
            press()
        found.value.wait_for_load_state()
        return found.value

    def sign_in(self, page: Page) -> None:
        """The first browser by its password; the others have what it was given: the desk counts who tries passwords."""
        page.goto("/desk/")
        if self.product.desk_cookies:
            self.context.add_cookies(self.product.desk_cookies)
            page.goto("/desk/")
            expect(page.get_by_role("navigation", name="Desk")).to_be_visible()
            return
        page.get_by_label("Mail address").fill(OWNER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("navigation", name="Desk")).to_be_visible()
        self.product.desk_cookies = [
            {"name": each["name"], "value": each["value"], "url": self.product.site} for each in self.context.cookies()
        ]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ended with its file: while it runs, nothing else in this process can have an event loop."""
    program = shutil.which("chromium")
    assert program, "these tests need chromium (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


class Door:
    """Lets people in, and checks afterwards what happened behind their pages."""

    def __init__(self, product: Product, chromium: Browser) -> None:
        self.product, self.chromium = product, chromium
        self.visits: list[Visit] = []

    def let_in(self, **traits: Any) -> Visit:
        context = self.chromium.new_context(base_url=self.product.site, reduced_motion="reduce", **traits)
        visit = Visit(self.product, context, Notes(urlsplit(self.product.site).netloc))
        context.on("page", visit.notes.watch)
        self.visits.append(visit)
        return visit

    def close(self) -> list[str]:
        for visit in self.visits:
            visit.context.close()
        return [fault for visit in self.visits for fault in visit.notes.faults]


@pytest.fixture
def door(product: Product, chromium: Browser) -> Iterator[Door]:
    opened = Door(product, chromium)
    yield opened
    assert opened.close() == []
