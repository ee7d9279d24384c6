"""newsletter subscribers import, as an author sees it."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from newsletter.db import db
from newsletter.subscribers.models import Subscriber
from tests import cast, factories
from tests.cli.conftest import Newsletter

CONSENT = ("--consent", "the paper list at the spring fair")
FILE = "email,name\nada@example.com,Ada\nlinus@example.com,Linus\n=cmd|' /C calc'!A0,Mallory\n"


@pytest.fixture
def file(newsletter: Newsletter, tmp_path: Path) -> Path:
    cast.linus()
    db.session.commit()
    file = tmp_path / "readers.csv"
    file.write_text(FILE)
    return file


def readers() -> int:
    return db.session.scalar(select(func.count()).select_from(Subscriber)) or 0


def test_an_import_tells_what_it_did_and_lists_what_needs_a_look(newsletter: Newsletter, file: Path) -> None:
    done = newsletter("subscribers", "import", file, "--newsletter", "weekly", *CONSENT)

    assert done.exit_code == 0, done.output
    assert "Entered 1 new reader for The Weekly." in done.output
    report = file.with_name("readers.report.csv")
    lines = report.read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].startswith("3,linus@example.com,kept out,Left on ")
    assert lines[2].startswith("4,'=cmd|")  # a spreadsheet must not compute it
    assert report.stat().st_mode & 0o077 == 0  # addresses are nobody else's business
    assert readers() == 2


def test_a_dry_run_says_the_same_and_changes_nothing(newsletter: Newsletter, file: Path) -> None:
    done = newsletter("subscribers", "import", file, "--newsletter", "weekly", "--dry-run", *CONSENT)

    assert "Nothing was changed. An import would enter 1 new reader" in done.output
    assert readers() == 1


def test_the_report_may_go_elsewhere_and_a_place_that_is_none_stops_the_import(
    newsletter: Newsletter, file: Path, tmp_path: Path
) -> None:
    elsewhere = newsletter(
        "subscribers", "import", file, "--newsletter", "weekly", *CONSENT, "--report", tmp_path / "r.csv"
    )
    nowhere = newsletter(
        "subscribers", "import", file, "--newsletter", "weekly", *CONSENT, "--report", tmp_path / "no" / "r.csv"
    )

    assert (tmp_path / "r.csv").exists()
    assert elsewhere.exit_code == 0
    assert nowhere.exit_code == 1
    assert "--report" in nowhere.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--newsletter", "weeky", *CONSENT], "Did you mean weekly?"),
        (["--newsletter", "weekly", "--consent", "yes"], "Say where these people agreed"),
        ([*CONSENT], "--newsletter"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    newsletter: Newsletter, file: Path, arguments: list[str], sentence: str
) -> None:
    done = newsletter("subscribers", "import", file, *arguments)

    assert done.exit_code == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert readers() == 1


def test_a_name_cannot_steer_the_terminal(newsletter: Newsletter, tmp_path: Path) -> None:
    factories.newsletter()
    db.session.commit()
    file = tmp_path / "readers.csv"
    file.write_text("email,name\n\x1b[2J[bold]x,Mallory\n")

    done = newsletter("subscribers", "import", file, "--newsletter", "weekly", *CONSENT)

    assert "\x1b[2J" not in done.output
    assert "�[2J[bold]x" in done.output
