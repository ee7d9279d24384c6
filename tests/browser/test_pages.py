"""Every page a person uses: what axe-core says of any level, edges, cookies, and what goes on behind it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.conftest import Door, Visit
from tests.browser.looks import faults
from tests.product import ISSUE, Product, link

pytestmark = [pytest.mark.browser, pytest.mark.journey]

PEOPLE = [f"{name}@readers.example.org" for name in ("erin", "frances", "hedy", "radia", "barbara", "karen")]


@pytest.fixture(scope="module")
def door_of_the_house(product: Product, chromium: Browser) -> Iterator[Door]:
    opened = Door(product, chromium)
    yield opened
    assert opened.close() == []


@pytest.fixture(scope="module")
def stranger(door_of_the_house: Door) -> Visit:
    return door_of_the_house.let_in()


@pytest.fixture(scope="module")
def street(stranger: Visit) -> Page:
    return stranger.page()


@pytest.fixture(scope="module")
def desk(door_of_the_house: Door) -> Page:
    visit = door_of_the_house.let_in()
    page = visit.page()
    visit.sign_in(page)
    return page


@pytest.fixture(scope="module")
def mail(product: Product, street: Page) -> dict[str, str]:
    """Links out of real mail: each person has signed up, and got something since."""
    for address in PEOPLE:
        sign_up(street, product, address)
    confirming = {address: product.letter(address, "Confirm") for address in PEOPLE}
    for address in PEOPLE[1:]:
        post(street, link(confirming[address], "/confirm/"))
    welcomes = {address: product.letter(address, "Welcome") for address in PEOPLE[1:]}
    paused = link(welcomes[PEOPLE[5]], "/preferences/")
    post(street, f"{paused}/pause", until="1")
    moved = link(welcomes[PEOPLE[4]], "/preferences/")
    post(street, f"{moved}/address", email="barbara@new.example.org")
    code = product.letter("barbara@new.example.org").message()["Subject"].split()[0]
    post(street, f"{moved}/address/code", code=code)
    return {
        "confirm": link(confirming[PEOPLE[0]], "/confirm/"),
        "refuse": link(confirming[PEOPLE[0]], "/refuse/"),
        "leave": link(welcomes[PEOPLE[1]], "/leave/"),
        "preferences": link(welcomes[PEOPLE[2]], "/preferences/"),
        "paused": paused,
        "forget": link(welcomes[PEOPLE[3]], "/preferences/"),
        "take back": link(product.letter(PEOPLE[4], "address"), "/address/"),
    }


def sign_up(page: Page, product: Product, address: str) -> None:
    post(page, f"{product.site}/subscribe", email=address, newsletter="the-red-thread")


def post(page: Page, url: str, **form: str) -> Response:
    answer = page.request.post(url, form=dict(form))
    assert answer.ok, f"{answer.status} {url}\n{answer.text()[:2000]}"
    return answer  # type: ignore[return-value]


def press(words: str) -> Callable[[Page], None]:
    def step(page: Page) -> None:
        page.get_by_role("button", name=words).first.click()
        page.wait_for_load_state()

    return step


PUBLIC = {
    "home": "/",
    "archive": "/archive",
    "post": f"/p/{ISSUE}",
    "post-for-paying": "/p/the-drawer-of-unanswered-mail",
    "share": f"/p/{ISSUE}/share",
    "subscribe": "/subscribe",
    "look-in-your-inbox": "/subscribe/inbox",
    "embed": "/embed",
    "embedded-form": "/embed/form",
    "embedded-thanks": "/embed/inbox",
    "leave-unreadable": "/leave/xyz",
}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_page(street: Page, stranger: Visit, name: str) -> None:
    street.goto(PUBLIC[name])

    found = faults(street, f"public-{name}")
    assert not found, "\n".join(found)
    assert stranger.context.cookies() == []


def test_the_page_of_a_sign_up_that_was_refused(street: Page, stranger: Visit) -> None:
    stranger.notes.expected.append("422")
    street.goto("/subscribe")
    street.get_by_label("Your email").fill("ada@example.com")
    press("Subscribe")(street)  # quicker than a person

    expect(street.get_by_role("alert")).to_contain_text("That was very quick.")
    found = faults(street, "public-subscribe-refused")
    assert not found, "\n".join(found)


def test_the_page_that_is_not_there(street: Page, stranger: Visit) -> None:
    stranger.notes.expected.append("404")
    street.goto("/p/nothing-here")

    found = faults(street, "public-nothing-here")
    assert not found, "\n".join(found)


# A page per step: where it begins, and the button that leads on.
STEPS = [
    ("refuse", "refuse", ""),
    ("confirm", "confirm", ""),
    ("confirmed", "confirm", "Yes, send it to me"),
    ("leave", "leave", ""),
    ("left", "leave", "Leave The Red Thread"),
    ("explained", "", "Send this to the author"),
    ("back", "", "Undo: keep it coming"),
    ("preferences", "preferences", ""),
    ("preferences-refused", "preferences", "Pause"),
    ("preferences-paused", "paused", ""),
    ("take-back", "take back", ""),
    ("taken-back", "take back", "Send them to my old address again"),
    ("erase-code", "forget", "Mail me a code to erase everything"),
]


def test_every_page_behind_a_link_in_mail(street: Page, stranger: Visit, mail: dict[str, str]) -> None:
    found = []
    stranger.notes.expected.append("422")
    for name, start, button in STEPS:
        if start:
            street.goto(mail[start])
        if button:
            press(button)(street)
        found += faults(street, f"reader-{name}")

    assert not found, "\n".join(found)
    assert stranger.context.cookies() == []


def test_the_pages_of_a_wrong_code_and_of_being_forgotten(
    street: Page, stranger: Visit, product: Product, mail: dict[str, str]
) -> None:
    stranger.notes.expected.append("422")
    code = product.letter(PEOPLE[3], "is your code").message()["Subject"].split()[0]
    street.goto(f"{mail['forget']}/erase")
    street.get_by_label("The code").fill("000000" if code != "000000" else "000001")
    press("Erase everything about me")(street)
    expect(street.get_by_role("alert")).to_be_visible()
    found = faults(street, "reader-wrong-code")
    street.get_by_label("The code").fill(code)
    press("Erase everything about me")(street)
    found += faults(street, "reader-erased")

    assert not found, "\n".join(found)


def test_the_pages_of_a_refused_sign_up_mail(street: Page, product: Product) -> None:
    sign_up(street, product, "mallory@readers.example.org")
    street.goto(link(product.letter("mallory@readers.example.org", "Confirm"), "/refuse/"))
    press("never write to me again")(street)

    found = faults(street, "reader-refused")
    assert not found, "\n".join(found)


DESK = {
    "posts": "/desk/posts",
    "posts-none": "/desk/posts?words=nothing+like+it",
    "post-new": "/desk/posts/new",
    "post-published": "/desk/posts/{post}",
    "lab": "/desk/posts/{post}/lab",
    "lab-reader": "/desk/posts/{post}/lab?as=free&reader=nobody+at+all",
    "versions": "/desk/posts/{post}/versions",
    "version": "/desk/posts/{post}/versions/1",
    "readers": "/desk/readers",
    "readers-none": "/desk/readers?words=nobody",
    "readers-left": "/desk/readers?state=left",
    "reader": "/desk/readers/1",
    "reader-add": "/desk/readers/add",
    "sends": "/desk/sends",
    "mailing": "/desk/sends/1",
    "mailing-skipped": "/desk/sends/1/skipped",
    "money": "/desk/money",
    "money-tier": "/desk/money/tiers/1",
    "money-tier-new": "/desk/money/tiers/new",
    "settings": "/desk/settings/",
    "settings-looks": "/desk/settings/looks",
    "settings-looks-tried": "/desk/settings/looks?preset=note&scheme=dark",
    "settings-newsletters": "/desk/settings/newsletters",
    "settings-newsletter": "/desk/settings/newsletters/1",
    "settings-newsletter-new": "/desk/settings/newsletters/new",
    "settings-delivery": "/desk/settings/delivery",
    "settings-team": "/desk/settings/team",
    "account": "/desk/account",
    "keys": "/desk/keys",
}


@pytest.fixture(scope="module")
def published(desk: Page) -> str:
    """The number of the issue."""
    desk.goto("/desk/posts")
    address = desk.get_by_role("link", name="What I've been reading (#2)").first.get_attribute("href")
    assert address
    return address.rpartition("/")[2]


@pytest.mark.parametrize("name", DESK)
def test_a_page_of_the_desk(desk: Page, published: str, name: str) -> None:
    desk.goto(DESK[name].format(post=published))
    desk.wait_for_load_state("networkidle")

    found = faults(desk, f"desk-{name}")
    assert not found, "\n".join(found)


def test_the_pages_of_a_draft(desk: Page, product: Product) -> None:
    product.script("write", "---\ntitle: Half a thought\nslug: half\n---\n\nAnd a [link](https://).\n")
    desk.goto("/desk/posts?status=draft")
    found = faults(desk, "desk-posts-drafts")
    desk.get_by_role("link", name="Half a thought").click()
    desk.wait_for_load_state("networkidle")
    found += faults(desk, "desk-post-draft")
    desk.get_by_role("button", name="Schedule …").click()
    expect(desk.get_by_role("heading", name="When does it go out?")).to_be_visible()
    found += faults(desk, "desk-schedule")

    assert not found, "\n".join(found)


def test_a_finding_leads_to_its_line_and_is_ticked_beside_the_text(desk: Page, product: Product) -> None:
    words = "\n\n".join(f"Paragraph {number} of a text that is long enough to scroll." for number in range(40))
    product.script("write", f"---\ntitle: Nearly done\nsubtitle: But\n---\n\n{words}\n\nThe end is TK here.\n")
    desk.goto("/desk/posts?status=draft")
    desk.get_by_role("link", name="Nearly done").click()

    desk.get_by_role("link", name="Line 81:").click()
    text = desk.locator("#body")
    selected = text.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)")
    assert selected == "The end is TK here."
    expect(text).to_be_focused()

    desk.get_by_role("button", name="Send anyway").click()
    expect(desk.get_by_text("It is sent as it is.")).to_be_visible()
    desk.get_by_role("button", name="Schedule …").click()
    expect(desk.get_by_role("checkbox", name="Send anyway")).to_be_checked()


def test_the_way_in_to_the_desk(door: Door) -> None:
    visit = door.let_in()
    visit.notes.expected += ["401", "403", "422"]
    page = visit.page()
    page.goto("/desk/")
    found = faults(page, "desk-sign-in")
    page.get_by_label("Mail address").fill("nobody@example.com")
    page.get_by_label("Password").fill("not this one")
    press("Sign in")(page)
    expect(page.get_by_role("alert")).to_be_visible()
    found += faults(page, "desk-sign-in-refused")

    assert not found, "\n".join(found)


def test_the_pages_of_the_inbox(street: Page, product: Product) -> None:
    issue = next(letter for letter in product.letters("grace@example.com"))
    found = []
    for name, path in {
        "all": "/inbox/",
        "none": "/inbox/?q=nobody-of-this-name",
        **{tab: f"/inbox/{issue.name}?show={tab}" for tab in ("html", "text", "links", "headers", "source")},
    }.items():
        street.goto(path)
        street.wait_for_load_state("networkidle")
        found += faults(street, f"inbox-{name}")

    assert not found, "\n".join(found)
