"""Every page about money that a person uses: what axe-core says of any level, its edges, and pictures to look at."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import steps
from tests.browser.conftest import DESK, Door
from tests.browser.looks import faults
from tests.product import Product, link

pytestmark = [pytest.mark.browser, pytest.mark.journey]

HILDE, KLARA, BERTHA = "hilde@example.com", "klara@example.com", "bertha@example.com"
OFFERS = (
    {"Name": "Winter", "Code": "winter", "How much": "50"},
    {"Name": "A long name for readers of the other letter", "Code": "the-other-letter", "How much": "20"},
)


class Money(NamedTuple):
    """A publication that sells all it can, and who looks at it."""

    desk: Page
    street: Page


@pytest.fixture(scope="module")
def money(product: Product, chromium: Browser) -> Iterator[Money]:
    door = Door(product, chromium)
    visit = door.let_in(viewport=DESK)
    desk = visit.page()
    visit.sign_in(desk)
    for offer in OFFERS:
        add_offer(desk, offer)
    take_once(desk, "3")
    show_to_who_cancels(desk, "Winter")
    product.script("past_years")
    stranger = steps.let_in(door, viewport=DESK)
    stranger.notes.expected += ["409", "422"]
    yield Money(desk, stranger.page())
    show_to_who_cancels(desk, "Nothing")
    take_once(desk, "")
    assert door.close() == []


def add_offer(desk: Page, offer: dict[str, str]) -> None:
    desk.goto("/desk/money/offers")
    for label, value in offer.items():
        desk.get_by_label(label, exact=True).fill(value)
    desk.get_by_label("Last day").fill("2099-12-31")
    desk.get_by_label("Only for readers who have not paid before").uncheck()
    desk.get_by_role("button", name="Add this offer").click()
    expect(desk.get_by_role("status").first).to_contain_text("can be taken now")


def take_once(desk: Page, least: str) -> None:
    desk.goto("/desk/money/payments")
    desk.get_by_label("Payments made once, at least").fill(least)
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("status").first).to_contain_text("Saved")


def show_to_who_cancels(desk: Page, what: str) -> None:
    desk.goto("/desk/money/offers")
    desk.get_by_label("Shown beside the button, to who cancels").select_option(what)
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("status").first).to_contain_text("Saved")


def test_the_pages_on_which_something_is_bought(money: Money) -> None:
    page, found = money.street, []
    for name, address in (
        ("support", "/support"),
        ("offer", "/offers/winter"),
        ("gift-give", "/support/gift"),
        ("wall", steps.FOR_PAYING),
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        found += faults(page, f"money-{name}")
    page.goto("/support")
    page.get_by_label("How much (EUR)").fill("1")
    page.get_by_role("button", name="Pay once").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found += faults(page, "money-support-refused")

    assert not found, "\n".join(found)


def test_the_pages_of_a_gift(money: Money, product: Product) -> None:
    page, found = money.street, []
    page.goto("/support/gift")
    page.get_by_label("Your name, as they know you").fill("Hilde at https://hilde.example")
    page.get_by_role("button", name="On to the payment").click()
    expect(page.get_by_role("alert")).to_contain_text("no web addresses")
    found += faults(page, "money-gift-refused")
    page.get_by_label("Your name, as they know you").fill("Hilde")
    page.get_by_label("A few words").fill("For the long evenings.\nThere is tea, too.")
    page.get_by_role("button", name="On to the payment").click()
    steps.pay(page, HILDE)
    gift = link(product.letter(HILDE, "Your receipt"), "/gifts/")
    page.goto(gift)
    found += faults(page, "money-gift")
    page.get_by_label("Your email").fill(KLARA)
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_role("heading", name="It is yours")).to_be_visible()
    found += faults(page, "money-gift-taken")
    page.goto(gift)
    expect(page.get_by_role("heading", name="It has been taken")).to_be_visible()
    found += faults(page, "money-gift-gone")

    assert not found, "\n".join(found)


def test_the_account_of_who_pays(money: Money, product: Product) -> None:
    page, found = money.street, []
    steps.buy(page, product, BERTHA)
    steps.sign_in(page, product, BERTHA)
    found += faults(page, "money-account")
    page.get_by_role("link", name="Switch").click()
    found += faults(page, "money-switch")
    page.goto("/account")
    page.get_by_role("link", name="Cancel or pause").click()
    expect(page.get_by_role("button", name="Stay for that")).to_be_visible()
    found += faults(page, "money-cancel-or-stay")
    page.get_by_role("button", name="Stay for that").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you for staying.")
    found += faults(page, "money-account-for-less")

    steps.open_portal(page)
    page.get_by_label("Card number").fill(steps.FAILS_LATER)
    page.get_by_role("button", name="Save the card").click()
    steps.go_on_to_the_next_payment(page)
    steps.has_heard(page, "did not go through")
    found += faults(page, "money-account-failing")
    money.desk.goto(f"/desk/readers?words={BERTHA}")
    money.desk.get_by_role("link", name=BERTHA).click()
    expect(money.desk.get_by_text("the last payment failed")).to_be_visible()
    found += faults(money.desk, "money-desk-reader")

    assert not found, "\n".join(found)


def test_the_pages_of_money_at_the_desk(money: Money) -> None:
    desk, found = money.desk, []
    for name, address in (
        ("tiers", "/desk/money"),
        ("payments", "/desk/money/payments"),
        ("offers", "/desk/money/offers"),
        ("figures", "/desk/money/figures"),
        ("figures-all", "/desk/money/figures?span=all"),
    ):
        desk.goto(address)
        expect(desk.get_by_role("heading", level=1)).to_have_count(1)
        found += faults(desk, f"money-desk-{name}")

    assert not found, "\n".join(found)
