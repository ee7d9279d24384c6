"""A stranger pays, reads, changes their mind and leaves: in a real browser, at the practice till."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import DESK, PHONE, Door, Visit
from tests.browser.looks import faults
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.journey]

EMMY = "emmy@example.com"


@pytest.fixture
def visit(door: Door) -> Visit:
    """A phone on which no page may run a program; the till's pages are another site."""
    return steps.let_in(door, viewport=PHONE, is_mobile=True, has_touch=True, java_script_enabled=False)


def test_a_stranger_pays_switches_pauses_and_cancels(visit: Visit, product: Product) -> None:
    page = visit.page()
    page.goto("/support")
    page.get_by_role("button", name="Patrons for €5.00 a month").click()
    expect(page.get_by_text("Practice till: no money moves here.")).to_be_visible()
    page.get_by_label("Email").fill(EMMY)
    page.get_by_label("Card number").fill("4000 0000 0000 0002")
    visit.notes.expected.append("402")
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page.get_by_role("heading", name="Thank you.")).to_be_visible()
    for subject in ("You hold Patrons", "Your receipt: €5.00", "Confirm"):
        product.letter(EMMY, subject)

    steps.sign_in(page, product, EMMY)
    expect(page.get_by_text("€5.00 a month. The next payment is due on")).to_be_visible()
    page.get_by_role("link", name="Switch").click()
    page.get_by_role("link", name="Patrons, €50.00 a year").click()
    expect(
        page.get_by_text(re.compile("is charged now: what is left of your present plan is taken off"))
    ).to_be_visible()
    page.get_by_role("button", name="Switch").click()
    expect(page.get_by_role("status")).to_contain_text("Switched.")
    expect(page.get_by_text("€50.00 a year. The next payment is due on")).to_be_visible()

    page.get_by_role("link", name="Cancel or pause").click()
    page.get_by_role("button", name="Two months").click()
    expect(page.get_by_role("status")).to_contain_text("Paused.")
    page.get_by_role("button", name="Go on now").click()
    expect(page.get_by_role("status")).to_contain_text("It goes on.")

    page.get_by_role("link", name="Cancel or pause").click()
    page.get_by_label("Why, if you like to say").fill("Too many letters")
    page.get_by_role("button", name="Cancel Patrons").click()
    expect(page.get_by_role("status")).to_contain_text("Cancelled.")
    product.letter(EMMY, "cancelled")
    page.get_by_role("button", name="Take the cancellation back").click()
    expect(page.get_by_role("status")).to_contain_text("taken back")
    page.get_by_role("button", name="Card and invoices").click()
    expect(page.get_by_role("heading", name="Invoices")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_its_pages_are_free_of_faults(door: Door, product: Product) -> None:
    page = steps.let_in(door, viewport=DESK).page()
    found = []
    for name, address in (("support", "/support"), ("thanks", "/support/thanks"), ("sign-in", "/sign-in")):
        page.goto(address)
        found += faults(page, f"paying-{name}")
    steps.buy(page, product, "mileva@example.com")
    steps.sign_in(page, product, "mileva@example.com")
    found += faults(page, "paying-account")
    page.get_by_role("link", name="Switch").click()
    found += faults(page, "paying-switch")
    page.get_by_role("link", name="Patrons, €50.00 a year").click()
    found += faults(page, "paying-price")
    page.goto("/account")
    page.get_by_role("link", name="Cancel or pause").click()
    found += faults(page, "paying-cancel")
    page.get_by_role("button", name="Cancel Patrons").click()
    found += faults(page, "paying-cancelled")
    page.goto("/sign-in/code")
    found += faults(page, "paying-code")

    assert not found, "\n".join(found)
