"""What readers and authors do again and again, in their browsers."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import Door, Visit
from tests.product import Product

MONTHLY, YEARLY = "Patrons for €5.00 a month", "Patrons for €50.00 a year"
GOOD, FAILS_LATER = "4242 4242 4242 4242", "4000 0000 0000 0341"
FOR_PAYING = "/p/the-drawer-of-unanswered-mail"
ITS_END = "The drawer now holds stamps."


def let_in(door: Door, **traits: object) -> Visit:
    """Somebody whom pages may lead to the practice till, which is another site."""
    visit = door.let_in(**traits)
    visit.notes.also.append(urlsplit(door.product.stack.env["TILL_URL"]).netloc)
    return visit


def sign_in(page: Page, product: Product, address: str) -> None:
    page.goto("/account")
    page.get_by_label("The address your letters go to").fill(address)
    before = len(product.letters(address, "is your code to sign in"))
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", name="Now look in your inbox")).to_be_visible()
    product.wait_for_letters(address, "is your code to sign in", before + 1)
    code = str(product.letter(address, "is your code to sign in").headers()["Subject"]).split()[0]
    page.get_by_label("The code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def buy(page: Page, product: Product, address: str, what: str = MONTHLY) -> None:
    """From the page that says what it costs to the letter of welcome."""
    page.goto("/support")
    page.get_by_role("button", name=what).click()
    pay(page, address)
    product.letter(address, "You hold Patrons")


def pay(page: Page, address: str) -> None:
    """At the till."""
    page.get_by_label("Email").fill(address)
    page.get_by_label("Card number").fill(GOOD)
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page.get_by_role("heading", name="Thank you.")).to_be_visible()


def reads_all(page: Page) -> None:
    page.goto(FOR_PAYING)
    expect(page.get_by_text(ITS_END)).to_be_visible()
    expect(page.get_by_text("This issue is for")).to_have_count(0)


def reads_the_beginning(page: Page) -> None:
    page.goto(FOR_PAYING)
    expect(page.get_by_text("This issue is for paying readers.")).to_be_visible()
    expect(page.get_by_role("link", name="See what it costs")).to_be_visible()
    expect(page.get_by_text(ITS_END)).to_have_count(0)


def open_portal(page: Page) -> None:
    """The till's page for the card and the invoices, where time can be made to pass for its payer alone."""
    page.goto("/account")
    page.get_by_role("button", name="Card and invoices").click()
    expect(page.get_by_role("heading", name="Your card")).to_be_visible()


def let_days_pass(portal: Page, days: int) -> None:
    portal.get_by_label("Days").fill(str(days))
    portal.get_by_role("button", name="Let them pass").click()
    expect(portal.get_by_label("Days")).to_have_value("1")


def go_on_to_the_next_payment(portal: Page) -> None:
    portal.get_by_role("button", name="On to the next payment").click()
    expect(portal.get_by_role("heading", name="Invoices")).to_be_visible()


def has_heard(page: Page, words: str) -> None:
    """The account says so, as soon as the till's events have been looked into."""
    for _ in range(20):
        page.goto("/account")
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(250)
    expect(page.get_by_text(words)).to_be_visible()
