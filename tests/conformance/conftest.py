"""All mail of a real run, as it came over SMTP: an issue to the whole cast, and a notice of every kind."""

import json
import os
import re
import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from newsletter.subscribers.models import NoticeKind
from newsletter.up.letterbox import Letter
from tests.browser.conftest import QUIET
from tests.conformance import programs
from tests.conformance.verdicts import PAGE, Told, Verdicts
from tests.product import ISSUE, OWNER, Product, link
from tests.product.visitor import Visitor

NINA = "nina@readers.example.org"
NINAS_NEW = "nina@new.example.org"
IRIS = "iris@readers.example.org"
# What comes back makes the first two, a payment the others; letters.py has each of them by itself.
_JUDGED_ALONE = {
    *("held", "reply", "member_news"),
    *("member_welcome", "receipt", "trial_ending", "payment_failed", "card_expiring"),
    *("membership_cancelled", "membership_ended", "membership_changed", "gift", "seat", "given_ending", "win_back"),
    "price_change",
}
_TOLD = pytest.StashKey[Told]()
_VERDICTS = Verdicts()


@dataclass(frozen=True)
class Message:
    """One message, and what it is: an issue, or a notice by its kind."""

    kind: str
    letter: Letter

    @property
    def name(self) -> str:
        return f"{self.kind} to {self.address}"

    @property
    def path(self) -> Path:
        return self.letter.path

    @property
    def address(self) -> str:
        return self.letter.address

    @cached_property
    def raw(self) -> bytes:
        return self.letter.source()

    @cached_property
    def parsed(self) -> EmailMessage:
        return self.letter.message()

    @property
    def html(self) -> str:
        part = self.parsed.get_body(("html",))
        assert part is not None
        return str(part.get_content())


class Run:
    """What came, and what the product would hand over if it had to once more."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.number = int(product.script("finished", ISSUE))
        self.issues = [
            Message("issue", letter) for letter in product.letters() if b"Feedback-ID: m1:" in letter.source()
        ]
        self.notices = notices(product)

    @property
    def messages(self) -> list[Message]:
        return [*self.issues, *self.notices]

    def one_of_each(self) -> list[Message]:
        """The notices, and the issue as a free and as a paying reader got it."""
        readers = {"grace@example.com", "ada@example.com"}
        return [*self.notices, *(issue for issue in self.issues if issue.address in readers)]

    @cached_property
    def spliced(self) -> dict[str, bytes]:
        found = json.loads(self.product.script("spliced", str(self.number)))
        return {address: message.encode("ascii") for address, message in found.items()}

    @cached_property
    def by_mailparser(self) -> dict[Path, dict[str, Any]]:
        paths = [str(message.path) for message in self.messages]
        return dict(zip(map(Path, paths), programs.ask_node("parse.mjs", paths), strict=True))


def notices(product: Product) -> list[Message]:
    """Nina signs up, twice; moves to another address. Iris asks to be forgotten. The author sends a test."""
    visitor = Visitor(product.site)
    came: dict[str, Letter] = {}

    def note(kind: NoticeKind, address: str, subject: str) -> Letter:
        came[kind.value] = product.letter(address, subject)
        return came[kind.value]

    visitor.post("/subscribe", email=NINA, name="Nina", newsletter="the-red-thread")
    visitor.post(link(note(NoticeKind.CONFIRM, NINA, "Confirm"), "/confirm/"))
    preferences = link(note(NoticeKind.WELCOME, NINA, "Welcome"), "/preferences/")
    visitor.post("/sign-in", email=NINA)
    note(NoticeKind.SIGN_IN, NINA, "is your code to sign in")
    visitor.post("/subscribe", email="grace@example.com", newsletter="the-red-thread")
    note(NoticeKind.ALREADY_SUBSCRIBED, "grace@example.com", "already")
    visitor.post(f"{preferences}/address", email=NINAS_NEW)
    code = str(note(NoticeKind.ADDRESS_CODE, NINAS_NEW, "is your code").headers()["Subject"])
    visitor.post(f"{preferences}/address/code", code=re.findall(r"\d{6}", code)[0])
    note(NoticeKind.ADDRESS_CHANGED, NINA, "new address")
    visitor.post("/subscribe", email=IRIS, newsletter="the-red-thread")
    visitor.post(link(product.letter(IRIS, "Confirm"), "/confirm/"))
    visitor.post(f"{link(product.letter(IRIS, 'Welcome'), '/preferences/')}/erase")
    note(NoticeKind.ERASE_CODE, IRIS, "is your code")
    product.script("rehearse", ISSUE, OWNER)
    note(NoticeKind.TEST, OWNER, "[Test]")
    assert set(came) == {kind.value for kind in NoticeKind} - _JUDGED_ALONE, "a kind of notice is not judged"
    return [Message(kind, letter) for kind, letter in came.items()]


@pytest.fixture(scope="session")
def run(product: Product) -> Run:
    return Run(product)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ended with its file: while it runs, nothing else in this process can have an event loop."""
    program = shutil.which("chromium")
    assert program, "these tests need chromium (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Told:
    """What a test has to say for docs/conformance.md."""
    found = request.node.stash[_TOLD] = Told()
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not report.skipped and (report.when == "call" or report.failed):
        for marker in item.iter_markers("verdict"):
            judge, claim = (*marker.args, "")[:2]
            _VERDICTS.add(judge, claim, report.passed, item.stash.get(_TOLD, Told()))
    return report


def pytest_sessionfinish() -> None:
    if os.environ.get("CONFORMANCE") == "write":
        PAGE.write_text(_VERDICTS.page())
