"""What a spam filter makes of our messages, by itself: no network, no lists, no learning."""

import re
from pathlib import Path

import pytest

from tests.conformance import programs
from tests.conformance.conftest import Run

pytestmark = [pytest.mark.judges, pytest.mark.journey]

# These follow from where the tests run: a site on this machine, and mail that has not travelled.
OF_THE_PLACE = {"NO_RECEIVED", "NO_RELAYS", "WEIRD_PORT", "NORMAL_HTTP_TO_IP", "NUMERIC_HTTP_ADDR"}
# These say what the message is, and cost nothing (T_ is a rule on trial).
HARMLESS = {"HTML_MESSAGE", "MAILING_LIST_MULTI", "T_REMOTE_IMAGE"}
WORST = 3.0


def judged(folder: Path, messages: dict[str, bytes]) -> dict[str, tuple[float, set[str]]]:
    """Points and the rules that hit, per message."""
    (folder / "preferences").mkdir(parents=True)
    said = {}
    for name, content in messages.items():
        told = programs.run(
            ["spamassassin", "--local", "--test-mode", "--nocreate-prefs", f"--prefspath={folder}/preferences/none"],
            stdin=content,
        ).decode(errors="replace")
        status = re.search(r"X-Spam-Status: \w+, score=(-?[\d.]+).*?tests=(.*?)\s+autolearn", told, re.DOTALL)
        assert status, told[:1500]
        rules = set(re.sub(r"\s", "", status[2]).split(",")) - {"none"}
        said[name] = float(status[1]), rules
    return said


def test_spamassassin_finds_nothing_to_object_to(run: Run, tmp_path: Path) -> None:
    said = judged(tmp_path, {f"{message.kind} to {message.address}": message.raw for message in run.one_of_each()})

    for name, (points, rules) in said.items():
        print(f"{name}: {points} points, {sorted(rules)}")
        assert points < WORST, (name, rules)
        assert rules - OF_THE_PLACE - HARMLESS == set(), name


def test_spamassassin_is_awake(tmp_path: Path) -> None:
    bad = b"From: a@b\r\nTo: x\r\nSubject: BUY VIAGRA NOW!!!\r\nContent-Type: text/html\r\n\r\n<p>Viagra, 100% free"
    (points, rules) = judged(tmp_path, {"bad": bad})["bad"]

    assert points > WORST
    assert "MIME_HTML_ONLY" in rules
