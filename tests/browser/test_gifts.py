"""A tier bought by one person, mailed to another, and taken by a third hand: each in a browser of their own."""

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import DESK, PHONE, Door
from tests.product import Product, link

pytestmark = [pytest.mark.browser, pytest.mark.journey]

CLARA, NETTIE = "clara@example.com", "nettie@example.com"


def test_a_gift_is_bought_mailed_taken_and_read_and_can_be_taken_once(door: Door, product: Product) -> None:
    givers = steps.let_in(door, viewport=PHONE, is_mobile=True, has_touch=True, java_script_enabled=False).page()
    givers.goto("/support")
    givers.get_by_role("link", name="Give it away").click()
    givers.get_by_label("Patrons for 3 months, €15.00").check()
    givers.get_by_label("Your name, as they know you").fill("Clara")
    givers.get_by_label("Their email").fill(NETTIE)
    givers.get_by_label("A few words").fill("For the long evenings.")
    givers.get_by_role("button", name="On to the payment").click()
    assert product.letters(NETTIE) == []  # nothing is mailed to anybody before it is paid
    steps.pay(givers, CLARA)
    product.letter(CLARA, "Your receipt: €15.00")

    letter = product.letter(NETTIE, "Clara gives you Patrons")
    takers = steps.let_in(door, viewport=DESK).page()
    steps.reads_the_beginning(takers)
    takers.goto(link(letter, "/gifts/"))
    expect(takers.get_by_role("heading", name="Clara gives you Patrons")).to_be_visible()
    expect(takers.get_by_text("For the long evenings.")).to_be_visible()
    takers.get_by_label("Your email, with which you will read").fill(NETTIE)
    takers.get_by_role("button", name="Take it").click()
    expect(takers.get_by_role("heading", name="It is yours")).to_be_visible()
    product.letter(NETTIE, "You hold Patrons")
    steps.sign_in(takers, product, NETTIE)
    expect(takers.get_by_text("A gift, until")).to_be_visible()
    steps.reads_all(takers)

    givers.goto(link(product.letter(CLARA, "Your receipt"), "/gifts/"))
    expect(givers.get_by_role("heading", name="It has been taken")).to_be_visible()
    expect(givers.get_by_role("button", name="Take it")).to_have_count(0)
