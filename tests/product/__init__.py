"""The whole product as it runs for people: its servers, web, worker, beat and inbox, and a publication with readers."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from newsletter.config import Settings
from newsletter.up import demo_house, letterbox, processes
from newsletter.up.letterbox import Letter
from newsletter.up.supervisor import Stack
from tests.doubles import text_of

PASSWORD = "a thread, a page and a light"
OWNER = demo_house.OWNER_EMAIL
ISSUE = demo_house.MAIN_POST
_PROGRAM = str(Path(sys.executable).with_name("newsletter"))
_OURS = {name.upper() for name in Settings.model_fields} | {"TEST_DATABASE_URL", "TEST_REDIS_URL"}


class Product:
    """What a person can reach: the site, the commands, and the mail that came."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.site = stack.site_url
        self.desk_cookies: list[Any] = []  # of a browser that has signed in

    def command(self, *words: str) -> str:
        """`newsletter …`, as on a terminal."""
        return self._run(_PROGRAM, *words)

    def script(self, name: str, *words: str) -> str:
        """A module of ours, in a process of its own, with the settings of this product."""
        return self._run(sys.executable, "-m", f"tests.product.{name}", *words)

    def letters(self, address: str = "", subject: str = "") -> list[Letter]:
        """What has come for an address, newest first."""
        found = letterbox.letters(self.stack.inbox, address)
        return [letter for letter in found if subject in str(letter.headers()["Subject"])]

    def letter(self, address: str, subject: str = "", *, seconds: float = 30) -> Letter:
        """The newest one, as soon as there is one."""
        if not processes.wait_until(lambda: bool(self.letters(address, subject)), seconds):
            there = [str(letter.headers()["Subject"]) for letter in self.letters(address)]
            raise AssertionError(f"no mail “{subject}” for {address}; there is {there}")
        return self.letters(address, subject)[0]

    def wait_for_letters(self, address: str, subject: str, number: int, *, seconds: float = 30) -> None:
        found = processes.wait_until(lambda: len(self.letters(address, subject)) >= number, seconds)
        assert found, f"fewer than {number} letters “{subject}” for {address}"

    def send(self, slug: str) -> int:
        """A post to all its readers; returns the number of its mailing when that has finished."""
        # The opening of the demo's issue announces one topic less than follows; its author ticked that.
        self.command("posts", "schedule", slug, "--at", "now", "--accept", "promised_parts")
        return int(self.script("finished", slug))

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.stack.env, capture_output=True, text=True, timeout=180, check=False, cwd=_ROOT
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout


_ROOT = Path(__file__).parents[2]


def link(letter: Letter | EmailMessage, part: str) -> str:
    """The address in the text of a letter that contains this part."""
    message = letter.message() if isinstance(letter, Letter) else letter
    found = [word.strip("<>") for word in text_of(message).split() if part in word]
    assert found, f"no link with {part} in\n{text_of(message)}"
    return found[0]


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """Running, with a publication, its cast of readers, one issue sent to them, and a till to practise at."""
    environment = {name: value for name, value in os.environ.items() if name not in _OURS} | {"BILLING": "test"}
    with (
        tempfile.TemporaryDirectory(prefix="newsletter-product-") as folder,
        Stack(Path(folder) / "var", 0, 0, environment=environment, durable=False) as stack,
    ):
        running = Product(stack)
        running.script("settle", PASSWORD)
        running.send(ISSUE)
        yield running
