"""What processes cost: their time on the processors, and their memory, as Linux tells it."""

import os
import platform
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.errors import NewsletterError

_TICK = os.sysconf("SC_CLK_TCK")
NEEDED = {"smtp-sink": "postfix", "smtp-source": "postfix", "cc": "gcc and libc6-dev", "openssl": "openssl"}


class Missing(NewsletterError):
    """A program that we measure against is not here."""


def must_have(programs: Mapping[str, str] = NEEDED) -> None:
    """Raises Missing with all that is not here, and the Debian packages it is in."""
    missing = [f"{name} (Debian: {package})" for name, package in programs.items() if program(name) is None]
    if platform.system() != "Linux":
        missing.append("Linux, whose /proc tells what processes cost")
    if missing:
        raise Missing(f"The benchmark needs what is not on this machine: {', '.join(missing)}.")


def program(name: str) -> str | None:
    """Postfix's programs are among the administrator's."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    found, ahead = [], [root]
    while ahead:
        pid = ahead.pop()
        found.append(pid)
        for listed in Path(f"/proc/{pid}/task").glob("*/children"):
            ahead += [int(child) for child in _read(listed).split()]
    return found


def children(pid: int) -> list[int]:
    return family(pid)[1:]


def cpu_seconds(root: int) -> float:
    """User and system time of a process and its descendants so far, those that have ended included."""
    return sum(_cpu_ticks(pid) for pid in family(root)) / _TICK


def peak_mb(pid: int) -> float:
    """The most memory that a process has had at once (resident, shared pages counted in full), in MiB."""
    return _kib(Path(f"/proc/{pid}/status"), "VmHWM") / 1024


def pss_mb(pid: int) -> float:
    """Its memory now, with shared pages divided among those who share them, in MiB."""
    return _kib(Path(f"/proc/{pid}/smaps_rollup"), "Pss") / 1024


class Costs:
    """The processor time of some processes between two moments."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = dict(roots)
        self._before = self._now()

    def microseconds_each(self, messages: int) -> dict[str, float]:
        now = self._now()
        return {name: (now[name] - before) * 1e6 / messages for name, before in self._before.items()}

    def _now(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self._roots.items()}


class PssWatch:
    """The highest PSS of any of some processes, looked at twice a second."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = list(pids)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.highest_mb = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.highest_mb = max(self.highest_mb, *(pss_mb(pid) for pid in self._pids))
            if self._done.wait(0.5):
                return


def described() -> dict[str, object]:
    """The machine, for whoever reads the figures later."""
    models = [line for line in _read(Path("/proc/cpuinfo")).splitlines() if line.startswith("model name")]
    return {
        "cores": os.cpu_count() or 1,
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def _cpu_ticks(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])  # utime, stime, and those of children that were waited for


def _kib(path: Path, name: str) -> int:
    for line in _read(path).splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    """Empty when the process has ended in between."""
    try:
        return path.read_text()
    except OSError:
        return ""
