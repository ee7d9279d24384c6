"""The product itself, as the Procfile says: real web, worker and beat on servers of their own."""

import os
import signal
import smtplib
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from newsletter.billing import PRACTICE_KEY
from newsletter.up import places, processes
from newsletter.up.run_file import RunFile
from newsletter.up.supervisor import Stack

pytestmark = pytest.mark.journey
PARTS = {"postgres", "valkey", "inbox", "web", "worker", "beat"}


def started(var: Path) -> Stack:
    return Stack(var, 0, 0, environment={"PATH": os.environ["PATH"]}, durable=True)


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def family(pids: set[int]) -> set[int]:
    """These processes and all they have started."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    while more := {pid for pid, parent in parents.items() if parent in pids} - pids:
        pids = pids | more
    return pids


def megabytes(pid: int) -> float:
    """Memory of a process; what several share counts once, in parts."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(rollup.partition("\nPss:")[2].split()[0]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")
def test_everything_fits_into_700_megabytes_and_starts_again_soon(tmp_path: Path) -> None:
    with started(tmp_path):
        pass
    began = time.monotonic()
    with started(tmp_path) as stack:
        took = time.monotonic() - began
        assert set(stack.running) == PARTS
        assert "ok" in read(f"{stack.site_url}/healthz")
        time.sleep(3)  # the worker forks its pool after the site answers

        used = sum(megabytes(pid) for pid in family(set(stack.running.values())))

    assert took < 30  # ten on a quiet machine; the tests share theirs
    assert used < 700
    _remove_shelter(tmp_path)


def test_mail_comes_into_the_inbox_and_a_wish_to_leave_is_taken(tmp_path: Path) -> None:
    with started(tmp_path) as stack:
        with smtplib.SMTP("127.0.0.1", stack.mail_port) as mail:
            mail.sendmail("ada@example.org", ["leave+nobody@example.org"], b"Subject: Please\r\n\r\n")

        assert "leave+nobody@example.org" in read(f"{stack.site_url}/inbox/")
        waiting = stack.inbox / ".waiting"
        assert processes.wait_until(lambda: not list(waiting.iterdir()), 20)
        assert "was not taken" not in (tmp_path / "log" / "inbox.log").read_text()
    _remove_shelter(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_kill_9_leaves_nothing_of_the_real_thing_running(tmp_path: Path) -> None:
    newsletter = str(Path(sys.executable).with_name("newsletter"))
    command = [newsletter, "up", "--folder", str(tmp_path), "--web-port", "0", "--mail-port", "0"]
    with (tmp_path / "said").open("wb") as said:
        up = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        )
    try:
        assert processes.wait_until(lambda: "stop everything with Ctrl-C" in (tmp_path / "said").read_text(), 60)
    finally:
        everyone = [processes.Identity.of(pid) for pid in family({up.pid})]
        up.send_signal(signal.SIGKILL)
        up.wait()

    assert set(RunFile(tmp_path / "run.json").read()[1]) == PARTS
    assert processes.wait_until(lambda: not any(who.is_running for who in everyone), 60)
    _remove_shelter(tmp_path)


def _remove_shelter(var: Path) -> None:
    shelter = var / "postgres" / "shelter"
    if shelter.is_symlink():
        subprocess.run(["rm", "-rf", shelter.resolve()], check=True)


def test_the_practice_till_is_kept_running_and_keeps_what_it_holds(tmp_path: Path) -> None:
    def till() -> Stack:
        return Stack(tmp_path, 0, 0, environment={"PATH": os.environ["PATH"], "BILLING": "test"}, durable=False)

    def ask(stack: Stack, **said: str) -> str:
        asked = urllib.request.Request(
            f"{stack.env['TILL_URL']}/v1/customers",
            urllib.parse.urlencode(said).encode() if said else None,
            {"Authorization": f"Bearer {PRACTICE_KEY}"},
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return str(answer.read().decode())

    with till() as stack:
        assert set(stack.running) == PARTS | {"till"}
        ask(stack, email="grace@example.com")
        killed, port = stack.running["till"], int(stack.env["TILL_URL"].rpartition(":")[2])
        os.kill(killed, signal.SIGKILL)
        assert processes.wait_until(lambda: stack.running.get("till", killed) != killed, 20)
        assert processes.wait_until(lambda: places.is_open(port), 20)
        assert "grace@example.com" in ask(stack)
    with till() as again:
        assert "grace@example.com" in ask(again)
    _remove_shelter(tmp_path)
