"""A mail in a browser, as a mail program shows it: only pictures are fetched."""

from base64 import b64decode
from collections import Counter
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route

from tests.browser.looks import findings
from tests.conformance.exceptions import NOT_A_PAGE

MAIL = "http://mail.invalid/"
_DOT = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


class Shown:
    def __init__(self, page: Page, html: str, *, online: bool = True) -> None:
        """Without a site to fetch them from, pictures are a dot."""
        self.page, self.asked, self.online = page, Counter[str](), online
        page.route("**/*", lambda route: self._answer(route, html))
        page.goto(MAIL)

    def _answer(self, route: Route, html: str) -> None:
        if route.request.url == MAIL:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif route.request.url.endswith("favicon.ico"):
            route.abort()
        else:
            self.asked[f"{route.request.resource_type} {urlsplit(route.request.url).netloc}"] += 1
            if self.online:
                route.continue_()
            else:
                route.fulfill(body=_DOT, content_type="image/png")


def objections(browser: Browser, html: str, *, width: int, scheme: str, online: bool = True) -> list[str]:
    """Everything axe-core has to say against a mail."""
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    Shown(page, html, online=online)
    found = findings(page, rules={rule: {"enabled": False} for rule in NOT_A_PAGE})
    page.close()
    return found
