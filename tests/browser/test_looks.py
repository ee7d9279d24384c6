"""A preset, chosen at the desk with a mouse, on the pages that readers see."""

import pytest
from playwright.sync_api import Page, expect

from emails import PRESETS
from tests.browser.conftest import Door
from tests.browser.looks import faults
from tests.product import ISSUE

pytestmark = [pytest.mark.browser, pytest.mark.journey]


def choose(desk: Page, preset: str) -> None:
    desk.goto("/desk/settings/looks")
    desk.get_by_role("link", name=preset, exact=True).click()
    expect(desk.get_by_role("link", name=preset, exact=True)).to_have_attribute("aria-current", "true")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("status").first).to_contain_text("Saved.")


def test_every_preset_is_free_of_faults_on_the_front_page_and_on_a_post(door: Door) -> None:
    desk = door.let_in().page()
    door.visits[0].sign_in(desk)
    reader = door.let_in().page()
    found = []
    for name, preset in reversed(list(PRESETS.items())):  # the last one is how the house was
        choose(desk, preset.name)
        for page, address in (("home", "/"), ("post", f"/p/{ISSUE}")):
            reader.goto(address)
            expect(reader.locator("html")).to_have_attribute("data-headings", preset.style.headings)
            found += faults(reader, f"looks-{name}-{page}")

    assert not found, "\n".join(found)


def test_the_sample_follows_the_form_while_it_is_filled_in(door: Door) -> None:
    desk = door.let_in().page()
    door.visits[0].sign_in(desk)
    desk.goto("/desk/settings/looks")
    sample = desk.frame_locator("#sample iframe")
    expect(sample.get_by_role("heading", level=1)).to_contain_text("A letter to look at")

    desk.get_by_label("Footer").fill("Written by the sea.")
    expect(sample.get_by_text("Written by the sea.")).to_be_visible()
    desk.locator("label[for=scheme-dark]").click()
    expect(sample.locator(".paper").first).to_have_css("background-color", "rgb(23, 22, 20)")
    desk.reload()
    expect(sample.get_by_text("Written by the sea.")).to_have_count(0)


def test_the_looks_can_be_tried_and_saved_without_scripts(door: Door) -> None:
    visit = door.let_in(java_script_enabled=False)
    desk = visit.page()
    visit.sign_in(desk)
    desk.goto("/desk/settings/looks")
    desk.get_by_label("In the middle, a double rule below").check()
    desk.get_by_role("button", name="Show", exact=True).click()

    assert "csrf_token" not in desk.url
    masthead = desk.frame_locator("#sample iframe").locator("p.masthead")
    expect(masthead).to_have_css("text-align", "center")
    desk.get_by_label("Logo and name on one line").check()
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("status").first).to_contain_text("Saved.")
