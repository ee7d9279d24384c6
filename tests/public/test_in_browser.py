"""The public pages in a real browser: for everybody's eyes, for every width, and without any script."""

import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships none
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from newsletter import clock, links
from newsletter.db import db
from newsletter.links import Purpose
from newsletter.publication.models import Newsletter
from newsletter.subscribers import letters, preferences
from newsletter.subscribers.models import Notice, Subscriber, SubscriberState
from tests import cast, factories
from tests.doubles import JobQueue, Outbox
from tests.public.posts import published
from tests.public.steps import link_in, subscribe

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed"),
]

EVERY_KIND_OF_BLOCK = """Dear {name|reader},

## 1. How it *begins*

Words with a [link](https://example.com/), `code`, and a note.[^1]

- **One:** first
- **Two:** second

> Somebody said it.

```python
print("a line of code that is much longer than any phone is wide, so that it has to be scrolled sideways")
```

:::card
publication: RFC Editor
title: RFC 5321
url: https://example.com/rfc5321
excerpt: The rules by which one mail server hands a message to the next.
author: John Klensin
date: 2008-10-01
:::

:::share

:::subscribe

---

:::button [Read the paper](https://example.com/paper)

[^1]: A note with a [link](https://example.com/) of its own.
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def pages(app: Flask, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox) -> dict[str, str]:
    """A page of every kind, with something on it."""
    weekly = Newsletter.by_slug("weekly")
    assert weekly
    weekly.description = "One long letter on Sunday morning."
    published("Before", series="Reading", number="1", at=clock.now() - timedelta(days=9))
    published("On slow mail", EVERY_KIND_OF_BLOCK, series="Reading", number="2", subtitle="A defence", authors="[Mara]")
    published("For you", audience="paying", at=clock.now() - timedelta(days=5))
    ada = cast.ada()
    grace = factories.subscriber("grace@example.com", paused_until=clock.now() + timedelta(days=9))
    leaver = factories.subscriber("leaver@example.com")
    left = preferences.leave(leaver.id, weekly.id)
    db.session.commit()
    subscribe(app.test_client(), "new@example.com")
    jobs_queue.run()
    notice = db.session.query(Notice).one()
    confirm = links.sign(Purpose.CONFIRM, notice.subscriber_id or 0, notice.id)
    refuse = links.sign(Purpose.REFUSE, notice.subscriber_id or 0, notice.id)
    return {
        "home": "/",
        "archive": "/archive",
        "post": "/p/on-slow-mail",
        "wall": "/p/for-you",
        "share": "/p/on-slow-mail/share",
        "subscribe": "/subscribe",
        "inbox": "/subscribe/inbox",
        "embed": "/embed",
        "frame": "/embed/form",
        "confirm": f"/confirm/{confirm}",
        "refuse": f"/refuse/{refuse}",
        "leave": "/leave/" + letters.leave_url(ada.id, weekly.id).rpartition("/")[2],
        "left": f"/undo/{left.undo_token}",
        "unreadable": "/leave/x",
        "preferences": "/preferences/" + letters.preferences_url(ada.id).rpartition("/")[2],
        "paused": "/preferences/" + letters.preferences_url(grace.id).rpartition("/")[2],
        "nothing": "/p/nothing-here",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_axe_finds_nothing_and_nothing_sticks_out(
    chromium: Browser, site: str, pages: dict[str, str], width: int, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # axe is a script of nobody's here
    )
    page = context.new_page()
    found = {}
    for name, path in pages.items():
        page.goto(site + path)
        report = Axe().run(page).response
        assert len(report["passes"]) > 10
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[name] = ["sticks out"]
        if report["violations"]:
            found[name] = [f"{each['id']}: {each['nodes'][0]['html']}" for each in report["violations"]]
    context.close()

    assert found == {}


def test_pages_break_no_rule_of_their_own_and_scanners_change_nothing(
    chromium: Browser, site: str, pages: dict[str, str]
) -> None:
    page = chromium.new_page()
    complaints: list[str] = []
    methods: set[str] = set()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: methods.add(request.method))

    for name, path in pages.items():
        page.goto(site + path)
        page.wait_for_load_state("networkidle")
        if name == "nothing":
            complaints = [each for each in complaints if "404" not in each]
    page.close()

    assert complaints == []
    assert methods == {"GET"}


def test_a_reader_without_script_signs_up_leaves_and_comes_back(
    chromium: Browser, site: str, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    db.session.commit()
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()

    page.goto(site)
    page.get_by_label("Your email").fill("ada@example.com")
    page.get_by_label("The Daily").check()
    page.wait_for_timeout(2100)  # a person takes a moment
    page.get_by_role("button", name="Subscribe").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Now look in your inbox"

    jobs_queue.run()
    page.goto(site + link_in(outbox[0], "confirm"))
    page.get_by_role("button", name="Yes, send it to me").click()
    assert state_of("ada@example.com") is SubscriberState.ACTIVE

    jobs_queue.run()
    page.goto(site + link_in(outbox[1], "leave"))
    page.get_by_role("button", name="Leave everything from Slow Letters").click()
    assert state_of("ada@example.com") is SubscriberState.LEFT

    page.get_by_role("button", name="Undo: keep it coming").click()
    assert state_of("ada@example.com") is SubscriberState.ACTIVE
    context.close()


def test_a_note_opens_beside_its_number(chromium: Browser, site: str, pages: dict[str, str]) -> None:
    page: Page = chromium.new_page()
    page.goto(site + pages["post"])

    page.locator(".note-reference").click()

    assert page.locator(".note-panel").inner_text().strip() == "A note with a link of its own."
    page.keyboard.press("Escape")
    assert not page.locator(".note-panel").is_visible()
    page.close()


def state_of(email: str) -> SubscriberState:
    db.session.rollback()
    reader = Subscriber.by_key(email)
    assert reader
    return reader.state
