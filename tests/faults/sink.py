"""A mail server in a process of its own: it can be killed and frozen, and what it has accepted survives that.

It writes one line to a file for each message before it says 250. What it is to do stands in another file, and may
change while it runs.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, cast

from newsletter.up import places
from tests.smtp_sink import SmtpSink


@dataclass(frozen=True)
class Rule:
    """What to do for some of the readers: those whose number can be divided by `every`."""

    every: int
    at_rcpt: str = ""
    at_dot: str = ""
    cut: str = ""
    times: int = 1_000_000  # for each of them


@dataclass
class Manners:
    """How the server behaves from now on."""

    greeting: str = "220 sink.example ESMTP"
    delay: float = 0.0  # seconds before each answer to a message
    mute_after: int = 1_000_000_000  # messages: from then on it says nothing at all to a message that it has kept
    rules: list[Rule] = field(default_factory=list)


class Kept(NamedTuple):
    """A message that was accepted."""

    recipient: str
    message_id: str  # what stands before the @
    digest: str  # SHA-256 of all of it


class Sink:
    """The server, seen from outside."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._log = folder / "accepted"
        self._log.touch()
        self.port = places.free_port()
        self.manners = Manners()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, connections: int = 4) -> str:
        return f"smtp://127.0.0.1:{self.port}?connections={connections}"

    def behave(self, *rules: Rule, **manners: object) -> None:
        """From now on, in what is not told here as before."""
        for name, value in manners.items():
            setattr(self.manners, name, value)
        self.manners.rules = list(rules) or self.manners.rules
        draft = self._folder / "draft"
        draft.write_text(json.dumps(asdict(self.manners)))
        draft.replace(self._folder / "manners")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Also again, at the same address, after it was killed."""
        self.behave()
        self._process = subprocess.Popen([sys.executable, "-m", __name__, str(self._folder), str(self.port)])
        until = time.monotonic() + 20
        while not places.is_open(self.port):
            assert time.monotonic() < until, "the mail server does not start"
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def __len__(self) -> int:
        """Messages accepted so far."""
        return self._log.read_bytes().count(b"\n")

    def messages(self) -> list["Kept"]:
        """What came, in the order in which it was accepted."""
        whole, _, _ = self._log.read_text().rpartition("\n")
        return [Kept(*line.split(" ")) for line in whole.splitlines()]


class _Log(list[tuple[str, bytes]]):
    """What was accepted, on disk before anybody hears of it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.so_far = path.read_bytes().count(b"\n")
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def append(self, message: tuple[str, bytes]) -> None:
        recipient, content = message
        message_id = content.partition(b"\nMessage-ID: <")[2].partition(b"@")[0].decode()
        os.write(self._file, f"{recipient} {message_id} {hashlib.sha256(content).hexdigest()}\n".encode())
        self.so_far += 1


class _Server(SmtpSink):
    """The server, in its own process."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(accepted=_Log(folder / "accepted"), port=port)
        self._path = folder / "manners"
        self._changed_at = 0
        self._met: Counter[tuple[str, int]] = Counter()
        self.mind()

    def mind(self) -> None:
        """Behave as the file says."""
        changed_at = self._path.stat().st_mtime_ns
        if changed_at == self._changed_at:
            return
        told = json.loads(self._path.read_text())
        self._rules = [Rule(**rule) for rule in told["rules"]]
        self.delay, self.greeting, self._mute_after = told["delay"], told["greeting"], told["mute_after"]
        self._changed_at = changed_at

    def _order(self, recipient: str, what: str, equals: str = "") -> str:
        if equals == "after_dot" and cast(_Log, self.accepted).so_far > self._mute_after:
            time.sleep(3600)
        number = int("".join(filter(str.isdigit, recipient.partition("@")[0])) or 1)
        for place, rule in enumerate(self._rules):
            asked: str = getattr(rule, what)
            if number % rule.every == 0 and asked and (not equals or asked == equals):
                self._met[recipient, place] += 1
                if self._met[recipient, place] <= rule.times:
                    return asked
        return ""


def serve(folder: Path, port: int) -> None:
    """For as long as whoever started us is there."""
    starter = os.getppid()
    with _Server(folder, port) as server:
        while os.getppid() == starter:
            server.mind()
            time.sleep(0.05)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
