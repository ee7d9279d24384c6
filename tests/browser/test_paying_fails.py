"""A card that fails at the renewal: three letters, the end of the grace, and the way back by the link in a letter.

The practice till lets time pass for one payer alone; what we hold of them follows from what it holds.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import DESK, Door
from tests.product import Product, link

pytestmark = [pytest.mark.browser, pytest.mark.journey]

MARIE = "marie@example.com"
FAILED, LAST = "our payment did not go through", "Last reminder"


def test_a_failing_card_is_told_of_three_times_costs_the_access_and_is_made_good(door: Door, product: Product) -> None:
    visit = steps.let_in(door, viewport=DESK)
    page, portal = visit.page(), visit.page()
    steps.buy(page, product, MARIE)
    steps.sign_in(page, product, MARIE)
    steps.reads_all(page)

    steps.open_portal(portal)
    portal.get_by_label("Card number").fill(steps.FAILS_LATER)
    portal.get_by_role("button", name="Save the card").click()
    steps.go_on_to_the_next_payment(portal)
    steps.has_heard(page, "did not go through. It is tried again")
    assert letters_after(product, portal, 0) == 1
    assert letters_after(product, portal, 3) == 1
    assert letters_after(product, portal, 2) == 2  # five days after the first
    assert letters_after(product, portal, 5) == 2
    assert letters_after(product, portal, 1) == 3  # six more
    assert product.letters(MARIE, LAST)
    steps.reads_all(page)

    assert letters_after(product, portal, 3) == 3
    steps.reads_the_beginning(page)
    page.goto("/account")
    expect(page.get_by_text("did not go through. What you paid for ended on")).to_be_visible()

    settle(visit.page(), product)
    steps.has_heard(page, "The next payment is due on")
    steps.reads_all(page)
    product.wait_for_letters(MARIE, "Your receipt: €5.00", 2)


def letters_after(product: Product, portal: Page, days: int) -> int:
    """How many letters about the failed payment there are when those days, and a night, have passed."""
    if days:
        steps.let_days_pass(portal, days)
    due = product.script("nights", MARIE, str(days)).split().count("payment_failed")
    product.wait_for_letters(MARIE, FAILED, due)
    return len(product.letters(MARIE, FAILED))


def settle(page: Page, product: Product) -> None:
    """By the newest letter alone."""
    page.goto(link(product.letter(MARIE, LAST), "/invoices/"))
    page.get_by_label("Card number").fill(steps.GOOD)
    page.get_by_role("button", name="Pay now").click()
    expect(page.get_by_text("Paid. Thank you.")).to_be_visible()
