"""Mail servers that take everything: Debian's smtp-sink, and our own that costs nearly nothing."""

import os
import signal
import struct
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.up import places
from tests.benchmarks import machine

PROCESSES = 2  # of a worker that send
SESSIONS = 16  # of smtp-source: more of them gain nothing
_SOURCE = Path(__file__).with_name("fastsink.c")


def compile_fastsink(folder: Path) -> Path:
    """With every warning an error. Raises Missing without a compiler, CalledProcessError with its words."""
    machine.must_have({"cc": "gcc and libc6-dev"})
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / "fastsink"
    command = [machine.program("cc") or "cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(binary), str(_SOURCE)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return binary


class Sink:
    """A server on loopback, from `with` to the end of it."""

    port: int
    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        """For a worker with as many sessions as smtp-source has."""
        return f"smtp://{places.LOOPBACK}:{self.port}?connections={SESSIONS // PROCESSES}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> str:
        """Its last words."""
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=10)
        return said.strip()


class FastSink(Sink):
    """Our own; see fastsink.c."""

    def __init__(self, binary: Path, *, delay_ms: float = 0, log: Path | None = None) -> None:
        self._counts = binary.with_name(f"counts-{os.getpid()}-{time.monotonic_ns()}")
        options = ["-c", str(self._counts), *(["-d", str(delay_ms)] if delay_ms else [])]
        options += ["-l", str(log)] if log else []
        self.process = subprocess.Popen([str(binary), *options, "0"], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def messages(self) -> int:
        return self._read()[0]

    @property
    def bytes(self) -> int:
        """Of the messages as they came over the wire, without the dot at their end."""
        return self._read()[1]

    def stop(self) -> str:
        said = super().stop()
        self._counts.unlink(missing_ok=True)
        return said

    def _read(self) -> tuple[int, int]:
        messages, size = struct.unpack("=QQ", self._counts.read_bytes())
        return messages, size


class PostfixSink(Sink):
    """Debian's smtp-sink: reads byte by byte, as a real server does more or less."""

    def __init__(self) -> None:
        self.port = places.free_port()
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        binary = machine.program("smtp-sink") or "smtp-sink"
        self.process = subprocess.Popen(
            [binary, *user, f"{places.LOOPBACK}:{self.port}", "1000"], stdout=subprocess.PIPE, text=True
        )
        until = time.monotonic() + 10
        while not places.is_open(self.port):
            if time.monotonic() > until or self.process.poll() is not None:
                raise machine.Missing("smtp-sink does not start.")
            time.sleep(0.02)


def smtp_source(port: int, messages: int, size: int) -> float:
    """Messages a second that Debian's smtp-source hands to the server there, on sessions that stay open."""
    binary = machine.program("smtp-source") or "smtp-source"
    options = ["-d", "-s", str(SESSIONS), "-m", str(messages), "-l", str(size)]
    addresses = ["-f", "ken@letters.example.org", "-t", "ada@example.com"]
    begun = time.monotonic()
    subprocess.run([binary, *options, *addresses, f"{places.LOOPBACK}:{port}"], check=True, capture_output=True)
    return messages / (time.monotonic() - begun)
