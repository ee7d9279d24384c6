"""An offer to whoever cancels: as large as the way out, taken by one reader and declined by another."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import steps
from tests.browser.conftest import DESK, PHONE, Door
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.journey]

HENRIETTA, VERA = "henrietta@example.com", "vera@example.com"
NAME = "Stay a while"


@pytest.fixture
def desk(door: Door) -> Iterator[Page]:
    """With an offer that is shown to who cancels, until the test has ended."""
    visit = door.let_in(viewport=DESK)
    page = visit.page()
    visit.sign_in(page)
    page.goto("/desk/money/offers")
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("How much", exact=True).fill("50")
    page.get_by_label("How long").select_option("Some months")
    page.get_by_label("How many months").fill("3")
    page.get_by_label("Only for readers who have not paid before").uncheck()
    page.get_by_role("button", name="Add this offer").click()
    expect(page.get_by_role("status").first).to_contain_text("can be taken now")
    show(page, NAME)
    yield page
    show(page, "Nothing")


def looks_of(button: Locator) -> dict[str, object]:
    """All that makes one button more prominent than another."""
    box = button.bounding_box()
    assert box
    kind = "element => (({color, backgroundColor, fontSize, fontWeight, borderTopColor}) =>"
    kind += " ({color, backgroundColor, fontSize, fontWeight, borderTopColor}))(getComputedStyle(element))"
    return {"width": box["width"], "height": box["height"], **button.evaluate(kind)}


def show(desk: Page, what: str) -> None:
    desk.goto("/desk/money/offers")
    desk.get_by_label("Shown beside the button, to who cancels").select_option(what)
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("status").first).to_contain_text("Saved")


def test_one_reader_stays_for_less_and_is_not_asked_again(door: Door, product: Product, desk: Page) -> None:
    page = steps.let_in(door, viewport=PHONE, is_mobile=True, has_touch=True, java_script_enabled=False).page()
    steps.buy(page, product, HENRIETTA)
    steps.sign_in(page, product, HENRIETTA)
    page.get_by_role("link", name="Cancel or pause").click()
    expect(page.get_by_text("€2.50 a month for 3 months, then €5.00 a month")).to_be_visible()
    page.get_by_role("button", name="Stay for that").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you for staying.")
    expect(page.get_by_text("€2.50 a month (later €5.00). The next payment is due on")).to_be_visible()

    page.get_by_role("link", name="Cancel or pause").click()
    expect(page.get_by_role("button", name="Cancel Patrons")).to_be_visible()
    expect(page.get_by_role("button", name="Stay for that")).to_have_count(0)
    steps.open_portal(page)
    steps.go_on_to_the_next_payment(page)
    product.letter(HENRIETTA, "Your receipt: €2.50")
    assert len(product.letters(HENRIETTA, "Your receipt: €5.00")) == 1
    steps.reads_all(page)
    desk.reload()
    expect(desk.get_by_role("row", name=NAME)).to_contain_text("50 % off, for 3 months")


def test_another_declines_it_cancels_and_reads_to_the_end_of_what_is_paid(
    door: Door, product: Product, desk: Page
) -> None:
    page = steps.let_in(door, viewport=DESK).page()
    steps.buy(page, product, VERA)
    steps.sign_in(page, product, VERA)
    page.get_by_role("link", name="Cancel or pause").click()
    stay, leave = (page.get_by_role("button", name=name) for name in ("Stay for that", "Cancel Patrons"))
    assert looks_of(stay) == looks_of(leave)

    page.get_by_label("Why, if you like to say").fill("A long journey")
    leave.click()
    expect(page.get_by_role("status")).to_contain_text("Cancelled. Nothing more is charged")
    product.letter(VERA, "Patrons is cancelled")
    steps.reads_all(page)
    steps.open_portal(page)
    steps.let_days_pass(page, 32)
    product.letter(VERA, "Patrons has ended")
    steps.reads_the_beginning(page)
    assert len(product.letters(VERA, "Your receipt")) == 1

    desk.goto("/desk/money/figures")
    expect(desk.get_by_text("“A long journey”")).to_be_visible()
