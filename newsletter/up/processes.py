"""Programs that we start, and how to know one again: a process id alone may belong to somebody else by now."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from newsletter.errors import NewsletterError

_LAUNCH = Path(__file__).with_name("launch.py")


class CannotStart(NewsletterError):
    """A part of the stack cannot be started; says which and what would help."""


@dataclass(frozen=True)
class RunAs:
    """Whom a program runs as when root starts it."""

    user: int
    group: int

    def can(self, command: Sequence[str | Path]) -> bool:
        """True when this user can run the command to a good end."""
        try:
            done = subprocess.run(
                command, user=self.user, group=self.group, extra_groups=[], cwd="/", capture_output=True, check=False
            )
        except PermissionError:
            return False
        return done.returncode == 0


def launch(
    command: Sequence[str | Path],
    *,
    log: IO[bytes] | int,
    run_as: RunAs | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path = Path("/"),
    at_our_death: signal.Signals | None = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, which gets a signal when the thread that called this ends."""
    program = shutil.which(command[0], path=(env or os.environ).get("PATH"))
    if program is None:
        raise CannotStart(f"“{command[0]}” was not found on this machine.")
    user = f"{run_as.user}:{run_as.group}" if run_as else "-"
    return subprocess.Popen(
        [
            sys.executable,
            "-I",
            "-S",
            _LAUNCH,
            str(os.getpid()),
            str(int(at_our_death or 0)),
            user,
            program,
            *command[1:],
        ],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes], *, politely: int = signal.SIGTERM, grace: float = 30) -> None:
    """Ask the main process to end; after the grace, end its whole group. Safe to call twice."""
    ask(process, politely)
    finish(process, grace)


def ask(process: subprocess.Popen[bytes], politely: int = signal.SIGTERM) -> None:
    """Only the main process: the children of its pool would die in the middle of a message."""
    if process.poll() is None:
        process.send_signal(politely)


def finish(process: subprocess.Popen[bytes], grace: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    end_group(process.pid)
    process.wait()


def end_group(leader: int) -> None:
    """Kill what is left of the group that a program of ours led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


@dataclass(frozen=True)
class Identity:
    """A process of ours, to be known again by a later run."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Identity":
        return cls(pid, started_at(pid) or "gone")

    @property
    def is_running(self) -> bool:
        return started_at(self.pid) == self.started

    def end(self, politely: int, grace: float) -> None:
        """End a process that need not be our child. Does nothing to another one with the same number."""
        if not self.is_running:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, politely)
        wait_until(lambda: not self.is_running, grace)
        if self.is_running or _has_group(self.pid):
            end_group(self.pid)
        wait_until(lambda: not self.is_running, 5)


def _has_group(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except OSError:
        return False
    return True


def started_at(pid: int) -> str | None:
    """When a process began, as the system tells it; None when there is none (or only its grave)."""
    if sys.platform == "linux":
        try:
            after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if after_name[0] == "Z" else after_name[19]
    state, _, since = _ps(pid, "stat=,lstart=").partition(" ")
    return since.strip() if state and not state.startswith("Z") else None


def command_of(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return _ps(pid, "args=")


def _ps(pid: int, columns: str) -> str:
    command = ["/bin/ps", "-ww", "-o", columns, "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C"}).stdout.strip()


def wait_until(is_so: Callable[[], bool], seconds: float, *, step: float = 0.05) -> bool:
    """True as soon as it is so; False when the time is over."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(step)
    return True
