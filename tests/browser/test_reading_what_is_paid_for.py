"""A stranger reads the beginning of an issue, pays, signs in, and reads it to its end."""

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import PHONE, Door
from tests.product import Product, link

pytestmark = [pytest.mark.browser, pytest.mark.journey]

LISE = "lise@example.com"
SLUG = "a-walk-to-the-post-office"
WALK = f"""\
---
title: A walk to the post office
subtitle: There and back
slug: {SLUG}
audience: paying
---

It begins at the door, like every walk.

:::paywall

It ends at a counter that is closed on Wednesdays.
"""


def test_a_stranger_pays_for_the_rest_of_an_issue_and_reads_it(door: Door, product: Product) -> None:
    product.script("write", WALK)
    product.send(SLUG)
    page = steps.let_in(door, viewport=PHONE, is_mobile=True, has_touch=True, java_script_enabled=False).page()
    page.goto(f"/p/{SLUG}")
    expect(page.get_by_text("It begins at the door")).to_be_visible()
    expect(page.get_by_text("closed on Wednesdays")).to_have_count(0)

    page.get_by_role("link", name="Support The Red Thread").click()
    page.get_by_role("button", name=steps.MONTHLY).click()
    steps.pay(page, LISE)
    welcome = product.letter(LISE, "You hold Patrons")
    product.letter(LISE, "Your receipt: €5.00")
    page.goto(link(welcome, "/archive"))
    page.get_by_role("link", name="A walk to the post office").first.click()
    expect(page.get_by_text("closed on Wednesdays")).to_have_count(0)  # paying signs nobody in

    page.get_by_role("link", name="Sign in").last.click()
    page.get_by_label("The address your letters go to").fill(LISE)
    page.get_by_role("button", name="Mail me a link").click()
    page.goto(link(product.letter(LISE, "is your code to sign in"), "/sign-in/"))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{product.site}/p/{SLUG}")
    expect(page.get_by_text("It begins at the door")).to_be_visible()
    expect(page.get_by_text("closed on Wednesdays")).to_be_visible()
    expect(page.get_by_role("link", name="Support The Red Thread")).to_have_count(0)

    visit = door.let_in()
    desk = visit.page()
    visit.sign_in(desk)
    desk.goto("/desk/money/figures")
    expect(desk.get_by_role("row", name="A walk to the post office")).to_contain_text("1€5.00")
