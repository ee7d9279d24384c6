"""From a blank sheet to a finished mailing."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, Door, Visit
from tests.product import OWNER, Product

pytestmark = [pytest.mark.browser, pytest.mark.journey]

TEXT = """\
Dear {name|reader}, three things about ink.[^1]

## It dries

Slowly, as [the makers say](https://example.com/ink).

> Wait for it.

:::subscribe

[^1]: Iron gall, mostly.
"""


@pytest.fixture
def visit(door: Door) -> Visit:
    return door.let_in(viewport=DESK)


def test_an_author_writes_previews_tests_schedules_and_watches_it_finish(visit: Visit, product: Product) -> None:
    page = visit.page()
    visit.sign_in(page)
    write(page)
    look_at_every_preview(page)

    page.get_by_role("button", name="Send a test to me").click()
    expect(page.get_by_text(f"A test is on its way to {OWNER}.")).to_be_visible()
    assert "three things about ink" in str(product.letter(OWNER, "[Test] On ink").source())

    page.get_by_role("button", name="Schedule …").click()
    expect(page.get_by_role("definition").filter(has_text="readers of The Red Thread")).to_be_visible()
    page.get_by_label("Now").check()
    expect(page.get_by_text("Goes out now.")).to_be_visible()
    page.get_by_role("button", name="Schedule it").click()
    expect(page.get_by_text("It is on its way")).to_be_visible()

    watch(page)
    due = int(re.findall(r"accepted of (\d+) due", page.locator(".tally").inner_text())[0])
    arrived = product.letters(subject="On ink")
    assert len(arrived) - 1 == due > 10  # and the test

    page.get_by_role("link", name="Readers", exact=True).click()
    page.get_by_role("searchbox").fill("ada@example.com")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="ada@example.com").click()
    issue = page.get_by_role("row").filter(has_text="On ink")
    expect(issue).to_contain_text("Accepted")
    expect(issue).to_contain_text("250")


def write(page: Page) -> None:
    page.get_by_role("link", name="New post").click()
    page.get_by_label("Title", exact=True).fill("On ink")
    page.get_by_label("Subtitle", exact=True).fill("Why it dries as it likes")
    page.get_by_label("Text", exact=True).first.fill(TEXT)
    expect(page.locator("#saved")).to_contain_text("Saved")  # by itself, after two seconds
    expect(page).to_have_url(re.compile(r"/desk/posts/\d+"))
    page.reload()
    expect(page.get_by_text("nothing stands in the way of sending it")).to_be_visible()


def look_at_every_preview(page: Page) -> None:
    shown = page.frame_locator("iframe[title=Preview]")
    invitation = shown.get_by_role("link", name="Support The Red Thread")
    expect(shown.get_by_role("heading", name="On ink")).to_be_visible()
    expect(invitation).to_have_count(1)
    page.get_by_label("As which reader").select_option("paying")
    expect(invitation).to_have_count(0)

    page.get_by_text("Phone", exact=True).click()
    expect(page.locator(".frame.is-phone")).to_be_visible()
    assert page.locator("iframe[title=Preview]").bounding_box()["width"] < 420  # type: ignore[index]
    page.get_by_text("Text", exact=True).last.click()
    expect(shown.locator("pre")).to_contain_text("three things about ink")
    page.get_by_text("Web page", exact=True).click()
    expect(shown.get_by_role("heading", name="It dries")).to_be_visible()
    page.get_by_text("Mail", exact=True).click()
    expect(shown.get_by_text("Dear Ada, three things about ink.")).to_be_visible()


def watch(page: Page) -> None:
    """The list keeps itself current; once the mailing has begun, its line leads to it."""
    mailing = page.locator("a[href^='/desk/sends/']").filter(has_text="On ink")
    expect(mailing).to_be_visible(timeout=60_000)
    mailing.click()
    expect(page.get_by_text("Every one of the", exact=False)).to_be_visible(timeout=60_000)
    expect(page.locator("#progress")).to_contain_text("Finished")
