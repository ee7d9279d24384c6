"""From the form to a confirmed reader, through an issue in the inbox, out of the list, and back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Door, Visit
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.journey]

ROSALIND = "rosalind@example.com"
POSTCARD = """\
---
title: A postcard for those who stay
subtitle: A few words
slug: a-postcard
newsletter: the-red-thread
---

Dear {name|reader}, this one is short. The first letter was longer.
"""


@pytest.fixture
def visit(door: Door) -> Visit:
    """A phone on which no page may run a program."""
    return door.let_in(viewport=PHONE, is_mobile=True, has_touch=True, java_script_enabled=False)


def open_mail(page: Page, product: Product, subject: str) -> None:
    """By the pages of the inbox, as a person would."""
    product.letter(ROSALIND, subject)
    page.goto("/inbox/")
    page.get_by_label("Address contains").fill(ROSALIND)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=subject).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(subject)


def press_in_mail(visit: Visit, page: Page, words: str) -> Page:
    """A link of the HTML part, which opens a tab of its own. By key: a frame in a process of its own scrolls late."""
    place = page.frame_locator("iframe").get_by_role("link", name=words).first
    return visit.opened_by(lambda: place.press("Enter"))


def test_a_stranger_reads_an_issue_leaves_and_comes_back(visit: Visit, product: Product) -> None:
    page = visit.page()
    page.goto("/")
    page.get_by_label("Your email").fill(ROSALIND)
    page.get_by_label("Your name").fill("Rosalind")
    page.wait_for_timeout(2200)  # people take a moment
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Now look in your inbox")).to_be_visible()

    open_mail(page, product, "Confirm")
    confirming = press_in_mail(visit, page, "Yes")
    expect(confirming.get_by_role("heading", name="One last step")).to_be_visible()
    confirming.get_by_role("button", name="Yes, send it to me").click()
    expect(confirming.get_by_role("heading", name="You are on the list")).to_be_visible()
    open_mail(page, product, "Welcome")

    product.script("write", POSTCARD)
    product.send("a-postcard")
    open_mail(page, product, "A postcard for those who stay")
    expect(page.frame_locator("iframe").get_by_text("Dear Rosalind, this one is short.")).to_be_visible()
    page.get_by_role("link", name="Text", exact=True).click()
    expect(page.get_by_role("region", name="The text part")).to_contain_text("Dear Rosalind, this one is short.")

    page.get_by_role("link", name="HTML", exact=True).click()
    leaving = press_in_mail(visit, page, "Leave")
    expect(leaving.get_by_role("heading", name="Leave The Red Thread?")).to_be_visible()
    leaving.get_by_role("button", name="Leave The Red Thread").click()
    expect(leaving.get_by_role("heading", name="You have left The Red Thread")).to_be_visible()
    leaving.get_by_role("button", name="Undo: keep it coming").click()
    expect(leaving.get_by_role("heading", name="You are back")).to_be_visible()

    leaving.get_by_role("link", name="See what you get").click()
    expect(leaving.get_by_role("checkbox", name="The Red Thread")).to_be_checked()
    leaving.get_by_role("radio", name="Three months").check()
    leaving.get_by_role("button", name="Pause").click()
    expect(leaving.get_by_role("status")).to_contain_text("Paused.")
    leaving.get_by_role("button", name="Resume now").click()
    expect(leaving.get_by_role("status")).to_contain_text("The pause is over")
    leaving.get_by_label("What letters may call you").fill("Ros")
    leaving.get_by_role("button", name="Save the name").click()
    expect(leaving.get_by_role("status")).to_contain_text("This is how you are called")
    assert visit.context.cookies() == []
