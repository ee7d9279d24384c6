"""What works without any settings, and what says that it needs them."""

import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli.settings_page import page

pytestmark = pytest.mark.slow
PROGRAM = Path(sys.executable).with_name("newsletter")


def on_a_bare_machine(*arguments: str, typed: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([PROGRAM, *arguments], env=env, input=typed, capture_output=True, check=False)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["demo", "--help"], ["up", "--help"], ["posts", "--help"], ["settings"]]
)
def test_help_needs_no_settings(arguments: list[str]) -> None:
    done = on_a_bare_machine(*arguments)

    assert (done.returncode, done.stderr) == (0, b"")


def test_missing_settings_are_named_one_by_one() -> None:
    done = on_a_bare_machine("doctor", MAIL_URL="http://example.org")

    assert done.returncode == 2
    assert b"DATABASE_URL: is not set" in done.stderr
    assert b"MAIL_URL: must be an smtp:// or smtps:// address" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_database_that_is_away_is_one_sentence() -> None:
    done = on_a_bare_machine(
        "mailings",
        "list",
        SECRET_KEY="k" * 32,
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
        REDIS_URL="redis://127.0.0.1:1",
        MAIL_URL="smtp://127.0.0.1:1",
        SITE_URL="http://127.0.0.1",
    )

    assert done.returncode == 1
    assert done.stderr.startswith(b"The database does not answer: ")
    assert done.stderr.count(b"\n") == 1


def test_mail_that_cannot_be_handled_now_goes_back_to_the_mail_server() -> None:
    done = on_a_bare_machine("inbound", "take", "--recipient", "leave+x@letters.example.org", typed=b"Subject: x\n\n")

    assert done.returncode == 75  # EX_TEMPFAIL: keep it and try again
    assert b"Traceback" not in done.stderr


def test_the_page_of_settings_is_up_to_date() -> None:
    written = Path(__file__).parents[2] / "docs" / "settings.md"

    assert written.read_text() == page(), "run: newsletter settings > docs/settings.md"
