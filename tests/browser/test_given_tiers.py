"""A tier that the author gives to a reader at the desk, for thirty days."""

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import DESK, PHONE, Door
from tests.product import Product, link

pytestmark = [pytest.mark.browser, pytest.mark.journey]

ADA = "ada@example.com"


def test_what_is_given_is_read_for_thirty_days_and_its_end_is_told(door: Door, product: Product) -> None:
    reader = door.let_in(viewport=PHONE, is_mobile=True, has_touch=True, java_script_enabled=False).page()
    steps.sign_in(reader, product, ADA)
    steps.reads_the_beginning(reader)
    visit = door.let_in(viewport=DESK)
    desk = visit.page()
    visit.sign_in(desk)
    desk.goto(f"/desk/readers?words={ADA}")
    desk.get_by_role("link", name=ADA).click()
    desk.get_by_label("Give them").select_option("Patrons")
    desk.get_by_label("For", exact=True).select_option("30 days")
    desk.get_by_role("button", name="Give", exact=True).click()
    expect(desk.get_by_role("status").first).to_contain_text("They hold “Patrons” now.")
    expect(desk.get_by_text("given by hand, since")).to_be_visible()

    steps.reads_all(reader)
    reader.goto("/account")
    expect(reader.get_by_text("Given to you by the publication, until")).to_be_visible()

    assert "given_ending" not in product.script("nights", ADA, "20").split()
    product.script("nights", ADA, "4")  # six are left
    warned = product.letter(ADA, "Patrons ends on")
    steps.reads_all(reader)
    product.script("nights", ADA, "6")
    product.letter(ADA, "Patrons has ended")
    steps.reads_the_beginning(reader)
    assert len(product.letters(ADA, "Patrons ends on")) == 1

    desk.reload()
    expect(desk.get_by_text("given by hand, from")).to_be_visible()
    reader.goto(link(warned, "/support"))
    expect(reader.get_by_role("button", name=steps.MONTHLY)).to_be_visible()
