"""`make demo ONCE=1` as it is measured: what came, what it took, and what is left of it."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.up import letterbox, processes
from newsletter.up.demo_people import MAIN, due

pytestmark = [pytest.mark.journey, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

PROGRAM = Path(sys.executable).with_name("newsletter")
# The product takes less than 700 MB (tests/up); the demo has a payment provider beside it, and speaks with it.
MEGABYTES = 750
SECONDS, SECONDS_AGAIN = 150, 60  # on two cores that other tests use as well


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "var"
    shelter = tmp_path / "var" / "postgres" / "shelter"  # for root, who may not run PostgreSQL
    if shelter.is_symlink():
        shutil.rmtree(shelter.resolve())


def test_a_demo_mails_everyone_due_once_within_its_memory_and_leaves_nothing_running(var: Path) -> None:
    first = Watched(var)
    arrived = Counter(letter.address for letter in letterbox.letters(var / "inbox"))

    assert set(arrived) == due(MAIN)
    assert max(arrived.values()) == 1
    assert first.seconds < SECONDS
    assert 200 < first.most < MEGABYTES, "a demo of less than 200 MB was not seen whole"
    assert not [pid for pid in first.seen if first.seen[pid].is_running]

    second = Watched(var)

    assert Counter(letter.address for letter in letterbox.letters(var / "inbox")) == arrived
    assert second.seconds < SECONDS_AGAIN
    assert not [pid for pid in second.seen if second.seen[pid].is_running]


class Watched:
    """A demo from its start to its end: the memory of all its processes together, and who they were."""

    def __init__(self, var: Path) -> None:
        self.most = 0.0
        self.seen: dict[int, processes.Identity] = {}
        began = time.monotonic()
        command: list[str | Path] = [
            PROGRAM,
            "demo",
            "--once",
            "--folder",
            var,
            "--web-port",
            "18200",
            "--mail-port",
            "18225",
        ]
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}
        with (var.parent / "said").open("ab") as said:
            demo = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
            while demo.poll() is None:
                self._look(demo.pid)
                if time.monotonic() - began > 300:
                    demo.terminate()
                time.sleep(0.5)
        self.seconds = time.monotonic() - began
        print(f"{self.seconds:.0f} s, {self.most:.0f} MB at most")
        assert demo.returncode == 0, (var.parent / "said").read_text()

    def _look(self, root: int) -> None:
        pids = family(root)
        for pid in pids - self.seen.keys():
            self.seen[pid] = processes.Identity.of(pid)
        self.most = max(self.most, sum(map(megabytes, pids)))


def family(root: int) -> set[int]:
    """A process and all that it has started."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # has ended meanwhile
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def megabytes(pid: int) -> float:
    """What several processes share counts once, in parts."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(told.partition("\nPss:")[2].split()[0]) / 1024
