"""What works without any settings, and what says that it needs them."""

import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli.settings_page import page
from newsletter.config import Settings
from newsletter.up import borrowed

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


def test_beside_a_running_stack_a_command_needs_no_settings(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "var").mkdir()
    borrowed.lend(
        tmp_path / "var",
        {
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "MAIL_URL": settings.mail_url,
            "SITE_URL": settings.site_url,
            "DATA_DIR": str(tmp_path / "var"),
        },
    )

    done = subprocess.run([PROGRAM, "mailings", "list"], env={}, cwd=tmp_path, capture_output=True, check=False)

    assert b"Using what runs in var/ here." in done.stderr
    assert b"are missing" not in done.stderr


def test_settings_that_others_can_read_are_not_borrowed(tmp_path: Path) -> None:
    borrowed.lend(tmp_path, {"SECRET_KEY": "x"})
    (tmp_path / "env").chmod(0o644)
    assert borrowed.borrow(tmp_path) == {}


def test_numbers_that_make_no_sense_are_told_in_a_sentence() -> None:
    for arguments in (
        ["mailings", "list", "--limit", "-3"],
        ["mailings", "watch", "9" * 22],
        ["demo", "--web-port", "99999"],
    ):
        done = on_a_bare_machine(*arguments)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr
