"""Pictures in the editor, with a real cursor, a real clipboard and a real page."""

import re
from base64 import b64encode
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from newsletter.up import processes
from tests.browser import looks
from tests.browser.conftest import DESK, Door, Visit
from tests.posts import drawn

pytestmark = [pytest.mark.browser, pytest.mark.journey]

ADDRESS = r"\(http://[^/]+/media/[0-9a-f]{32}\.(png|jpg)\)"
# What a paste or a drop of files is for a page.
HAND_OVER = """(field, [kind, files]) => {
  const data = new DataTransfer();
  for (const [name, type, text] of files)
    data.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name, { type }));
  const given = { bubbles: true, cancelable: true };
  field.dispatchEvent(kind === "paste" ? new ClipboardEvent("paste", { ...given, clipboardData: data })
                                       : new DragEvent("drop", { ...given, dataTransfer: data }));
}"""


@pytest.fixture
def visit(door: Door) -> Visit:
    return door.let_in(viewport=DESK)


def sheet(visit: Visit) -> Page:
    page = visit.page()
    visit.sign_in(page)
    page.goto("/desk/posts/new")
    page.get_by_label("Title", exact=True).fill("On cats")
    return page


def hand_over(page: Page, kind: str, *files: tuple[str, str, bytes]) -> None:
    given = [(name, type_, b64encode(content).decode()) for name, type_, content in files]
    page.locator("#body").evaluate(HAND_OVER, [kind, given])


def seen_again(page: Page) -> bool:
    page.reload()
    page.get_by_text("Web page", exact=True).click()
    expect(page.frame_locator("iframe[title=Preview]").get_by_role("heading", name="On cats")).to_be_visible()
    return True


def put_cursor_after(page: Page, words: str) -> None:
    page.locator("#body").evaluate(
        "(body, words) => { body.focus(); const at = body.value.indexOf(words) + words.length;"
        " body.setSelectionRange(at, at); }",
        words,
    )


def test_a_picture_from_the_device_is_put_at_the_cursor_and_asked_what_it_shows(visit: Visit, tmp_path: Path) -> None:
    page = sheet(visit)
    body = page.locator("#body")
    body.fill("Above.\n\nBelow.")
    put_cursor_after(page, "Above.")
    (tmp_path / "My cat.jpg").write_bytes(drawn.saved(drawn.photo(1500, 900), "JPEG"))
    page.get_by_text("Pictures", exact=True).first.click()
    page.get_by_label("From this device").set_input_files(tmp_path / "My cat.jpg")

    question = page.get_by_label("What does “My cat” show?")
    expect(question).to_be_focused()
    page.keyboard.type("A cat [asleep]")
    page.keyboard.press("Enter")
    expect(body).to_have_value(re.compile(rf"^Above\.\n\n!\[A cat \(asleep\)\]{ADDRESS}\n\nBelow\.$"))
    expect(body).to_be_focused()

    expect(page.locator("#saved")).to_contain_text("Saved")
    shown = page.frame_locator("iframe[title=Preview]").get_by_alt_text("A cat (asleep)")
    page.reload()
    expect(shown).to_have_attribute("width", "552")
    assert shown.evaluate("(image) => image.complete && image.naturalWidth") == 1104

    page.get_by_text("Web page", exact=True).click()
    expect(shown).to_have_attribute("width", "1472")
    loads = "(image) => image.decode().then(() => image.currentSrc)"
    assert processes.wait_until(lambda: seen_again(page) and shown.evaluate(loads).endswith(".avif"), 60)


def test_pictures_are_pasted_and_dropped_and_a_refusal_says_why(visit: Visit) -> None:
    visit.notes.expected.append("422")
    page = sheet(visit)
    body = page.locator("#body")
    body.fill("Above.")
    put_cursor_after(page, "Above.")

    hand_over(page, "paste", ("image.png", "image/png", drawn.saved(drawn.drawing(300, 200))))
    expect(body).to_have_value(re.compile(rf"^Above\.\n\n!\[\]{ADDRESS}\n\n$"))

    hand_over(
        page,
        "drop",
        ("a.png", "image/png", drawn.saved(drawn.drawing(310, 200))),
        ("b.svg", "image/svg+xml", b"<svg/>"),
        ("c.png", "image/png", drawn.saved(drawn.drawing(320, 200))),
    )
    said = page.locator("#pictures-said")
    expect(said).to_contain_text("“b.svg”: SVG files can carry programs")
    expect(said).to_contain_text("2 pictures are in the text.")
    expect(body).to_have_value(re.compile(rf"^Above\.(\n\n!\[\]{ADDRESS}){{3}}\n\n$"))


def test_a_picture_is_used_again_and_taken_back_with_the_keys(visit: Visit) -> None:
    page = sheet(visit)
    body = page.locator("#body")
    hand_over(page, "paste", ("First.png", "image/png", drawn.saved(drawn.drawing(250, 200))))
    expect(page.locator("#asked li")).to_have_count(1)
    body.fill("Only words.")

    page.get_by_role("button", name="First", exact=True).click()
    expect(body).to_have_value(re.compile(rf"^Only words\.\n\n!\[\]{ADDRESS}\n\n$"))
    body.focus()
    page.keyboard.press("Control+z")
    expect(body).to_have_value("Only words.")


def test_without_javascript_the_picture_is_saved_with_the_text(door: Door, tmp_path: Path) -> None:
    page = door.let_in(viewport=DESK, java_script_enabled=False).page()
    door.visits[-1].sign_in(page)
    page.goto("/desk/posts/new")
    page.get_by_label("Title", exact=True).fill("Without")
    page.locator("#body").fill("Words.")
    (tmp_path / "dog.png").write_bytes(drawn.saved(drawn.drawing(900, 500)))
    page.get_by_text("Pictures", exact=True).first.click()
    page.get_by_label("From this device").set_input_files(tmp_path / "dog.png")
    page.get_by_label("What it shows").fill("A dog")
    page.get_by_role("button", name="Save, with the picture").click()

    expect(page.get_by_text("The picture is at the end of the text.")).to_be_visible()
    expect(page.locator("#body")).to_have_value(re.compile(rf"^Words\.\n\n!\[A dog\]{ADDRESS}\n?$"))


def test_the_part_about_pictures_can_be_used_by_everybody(visit: Visit) -> None:
    page = sheet(visit)
    for number, name in enumerate(("Cat on a mat", "Dog", "A very long name of a picture that someone has taken")):
        hand_over(page, "paste", (f"{name}.png", "image/png", drawn.saved(drawn.drawing(400 + number, 200))))
        expect(page.locator("#asked li")).to_have_count(number + 1)
    expect(page.locator("#saved")).to_contain_text("Saved")

    assert looks.faults(page, "pictures") == []
