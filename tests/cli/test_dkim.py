"""newsletter dkim make"""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emails.dkim import read_key
from newsletter.cli import main


def make(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["dkim", "make", "--folder", str(folder), *arguments])


@pytest.mark.parametrize(
    ("flags", "kind", "setting"), [([], "rsa", "DKIM"), (["--ed25519"], "ed25519", "DKIM_ED25519")]
)
def test_a_key_is_made_with_its_record_and_its_settings(
    tmp_path: Path, flags: list[str], kind: str, setting: str
) -> None:
    made = make(tmp_path / "keys", "--domain", "example.org", "--selector", "n1", *flags)

    path = tmp_path / "keys" / "n1.example.org.pem"
    key = read_key(path.read_bytes(), "n1")
    assert (made.exit_code, key.algorithm) == (0, f"{kind}-sha256")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    spoken = made.output.split(" IN TXT ( ")[1].split(" )")[0]
    assert all(len(piece) <= 255 for piece in spoken.strip('"').split('" "'))
    assert "".join(spoken.strip('"').split('" "')) == key.record
    assert f"{setting}_KEY={path}\n{setting}_SELECTOR=n1\n" in made.output
    assert "PRIVATE" not in made.output


def test_a_key_that_is_there_stays(tmp_path: Path) -> None:
    make(tmp_path, "--domain", "example.org", "--selector", "n1")
    before = (tmp_path / "n1.example.org.pem").read_bytes()

    again = make(tmp_path, "--domain", "example.org", "--selector", "n1")

    assert (again.exit_code, (tmp_path / "n1.example.org.pem").read_bytes()) == (1, before)
    assert "is there already" in again.output


@pytest.mark.parametrize("flags", [["--domain", "no domain"], ["--domain", "example.org", "--selector", "../x"]])
def test_what_cannot_stand_in_the_dns_makes_no_file(tmp_path: Path, flags: list[str]) -> None:
    refused = make(tmp_path, *flags)

    assert refused.exit_code == 1
    assert list(tmp_path.iterdir()) == []
