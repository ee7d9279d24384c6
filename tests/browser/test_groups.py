"""One pays for three: seats are offered by mail, taken in other browsers, and taken back."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import DESK, PHONE, Door
from tests.browser.looks import faults
from tests.product import Product, link

pytestmark = [pytest.mark.browser, pytest.mark.journey]

TRUDE, IRENE = "trude@example.com", "irene@example.com"


def test_a_group_is_paid_for_and_its_seats_are_taken_and_taken_back(door: Door, product: Product) -> None:
    payers = steps.let_in(door, viewport=PHONE, is_mobile=True, has_touch=True, java_script_enabled=False).page()
    payers.goto("/support")
    payers.get_by_role("link", name="Pay for several").click()
    payers.get_by_label("Patrons, €5.00 a month each").check()
    payers.get_by_label("How many seats, with your own").fill("3")
    payers.get_by_role("button", name="On to the payment").click()
    steps.pay(payers, TRUDE)
    product.letter(TRUDE, "Your receipt: €15.00")
    steps.sign_in(payers, product, TRUDE)
    payers.get_by_role("link", name="Seats").click()
    payers.get_by_label("Their email").fill(IRENE)
    payers.get_by_role("button", name="Offer a seat").click()
    expect(payers.get_by_role("status")).to_contain_text("Offered")

    takers = steps.let_in(door, viewport=DESK).page()
    takers.goto(link(product.letter(IRENE, "A seat for you: Patrons"), "/seats/"))
    found = faults(takers, "group-seat")
    takers.get_by_label("Your email, with which you will read").fill(IRENE)
    takers.get_by_role("button", name="Take it").click()
    expect(takers.get_by_role("heading", name="It is yours")).to_be_visible()
    found += faults(takers, "group-taken")
    product.letter(IRENE, "You hold Patrons")
    steps.sign_in(takers, product, IRENE)
    expect(takers.get_by_text("It is yours for as long as they do.")).to_be_visible()
    found += faults(takers, "group-holder")
    steps.reads_all(takers)

    payers.reload()
    payers.get_by_label("Seats, with your own").fill("5")
    payers.get_by_role("button", name="See what it costs").click()
    expect(payers.get_by_text(re.compile(r"€\d+\.\d\d is charged now"))).to_be_visible()
    payers.get_by_role("button", name="Change it").click()
    expect(payers.get_by_text("You pay for 5 seats, €25.00 a month in all.")).to_be_visible()
    payers.get_by_role("button", name="Take it back").click()
    expect(payers.get_by_role("status")).to_contain_text("the seat is free again")
    steps.reads_the_beginning(takers)
    assert not found, "\n".join(found)


def test_its_pages_are_free_of_faults(door: Door, product: Product) -> None:
    page = steps.let_in(door, viewport=DESK).page()
    page.goto("/support/group")
    found = faults(page, "group-choose")
    page.get_by_label("How many seats, with your own").fill("4")
    page.get_by_role("button", name="On to the payment").click()
    steps.pay(page, "otto@example.com")
    product.letter("otto@example.com", "You hold Patrons")
    steps.sign_in(page, product, "otto@example.com")
    page.get_by_role("link", name="Seats").click()
    for name in ("eve", "a-reader-with-a-long-name"):
        page.get_by_label("Their email").fill(f"{name}@example.com")
        page.get_by_role("button", name="Offer a seat").click()
        expect(page.get_by_role("status")).to_contain_text("Offered")
    found += faults(page, "group-seats")
    page.get_by_label("Seats, with your own").fill("9")
    page.get_by_role("button", name="See what it costs").click()
    found += faults(page, "group-number")

    assert not found, "\n".join(found)
