"""The demo as a stranger runs it: all processes, killed at a bad moment, and run again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.up.demo_people import MAIN, due

pytestmark = pytest.mark.journey

PROGRAM = Path(sys.executable).with_name("newsletter")
BARE = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}


def command(var: Path, *more: str) -> list[str]:
    return [str(PROGRAM), "demo", "--folder", str(var), "--web-port", "18100", "--mail-port", "18125", *more]


def once(var: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(var, "--once"), env=BARE | env, capture_output=True, text=True, timeout=170, check=False
    )


def messages(var: Path) -> int:
    return len(list((var / "inbox").glob("*.eml")))


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command(tmp_path / "var"), env=BARE, stdout=subprocess.PIPE, start_new_session=True)
    yield process
    process.kill()
    process.communicate()


def test_a_demo_killed_in_the_middle_is_completed_by_the_next_one(
    started: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    var = tmp_path / "var"
    until = time.monotonic() + 120
    while messages(var) < 20:
        assert time.monotonic() < until
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()

    completed = once(var)
    again = once(var)

    for done in (completed, again):
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads((var / "demo.json").read_text())["password"] in done.stdout
    assert messages(var) == len(due(MAIN))
    assert (var / "demo.json").stat().st_mode & 0o077 == 0


def test_the_demo_keeps_its_hands_off_the_data_of_others(tmp_path: Path) -> None:
    (tmp_path / "var" / "postgres").mkdir(parents=True)

    done = once(tmp_path / "var")

    assert done.returncode == 1
    assert "is not the demo's" in done.stderr
    assert "Traceback" not in done.stderr
