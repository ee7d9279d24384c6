"""Real worker and beat processes, for as long as a test needs them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.config import Settings


class Process:
    """One of our commands, in a session of its own, stopped by its own process id."""

    def __init__(
        self, settings: Settings, mail_url: str, *command: str, code: Path | None = None, **environment: str
    ) -> None:
        self._code = code  # the folder with the program, if it is not the one under test
        self._environment = {
            **os.environ,
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "DATA_DIR": str(settings.data_dir),
            "SITE_URL": settings.site_url,
            "MAIL_URL": mail_url,
            **environment,
        }
        self._command = [sys.executable, "-m", *command]
        self._log = Path(settings.data_dir) / f"{command[0]}-{time.monotonic_ns()}.log"
        self.popen: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self.popen = subprocess.Popen(
                self._command, env=self._environment, cwd=self._code, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """kill -9 of the process and all its children: what a lost machine looks like from outside."""
        assert self.popen is not None
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(10)

    def stop(self, seconds: float = 40) -> None:
        """As a deploy does: SIGTERM to the main process only."""
        assert self.popen is not None
        self.popen.terminate()
        self.popen.wait(seconds)

    def children(self) -> list[int]:
        assert self.popen is not None
        path = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")


def worker(
    settings: Settings,
    mail_url: str,
    *,
    processes: int = 2,
    lease: int = 60,
    redis_url: str = "",
    **environment: str,
) -> Process:
    return Process(
        settings,
        mail_url,
        *("worker", "--processes", str(processes)),
        LEASE_SECONDS=str(lease),
        REDIS_URL=redis_url or settings.redis_url,
        code=None,
        **environment,
    )


def wait_for(is_true: Callable[[], bool], seconds: float, what: str, process: Process | None = None) -> None:
    until = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > until:
            raise AssertionError(f"after {seconds:.0f} s not yet: {what}\n{process.output[-3000:] if process else ''}")
        time.sleep(0.05)
