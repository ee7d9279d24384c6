"""A Valkey of our own in a folder: it carries the bell of the background work, nothing that may not be lost."""

import signal
import subprocess
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from newsletter.up import places, processes, programs
from newsletter.up.processes import CannotStart

_CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
daemonize no
pidfile ""
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
databases 4
loglevel notice
logfile ""
"""


class EmbeddedValkey:
    """A running server. Its folder is locked for as long as it runs: the server itself keeps no lock."""

    def __init__(
        self, folder: Path, *, log: Path | None = None, at_our_death: signal.Signals | None = signal.SIGTERM
    ) -> None:
        self.folder = folder
        self.at_our_death = at_our_death
        self.log = log or folder / "valkey.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: places.Lock | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{places.LOOPBACK}:{self.port}/0"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, port: int = 0) -> None:
        """Start, on this port if it is free, and wait until it answers."""
        if self._lock is None:
            self._move_in()
        self._end_leftover()
        for _attempt in range(5):
            self.port = places.free_port(port)
            self.process = self._launch()
            if self._becomes_ready():
                return
        raise CannotStart(f"Valkey does not start. Its last words, from {self.log}:\n{self._last_words()}")

    def stop(self) -> None:
        if self.process is not None:
            processes.stop(self.process)
        if self._lock is not None:
            self._lock.release()

    def _move_in(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = places.Lock(self.folder / "lock")
        self._password = places.secret(self.folder / "password")
        self._program = programs.valkey()

    def _launch(self) -> subprocess.Popen[bytes]:
        # The password stands in a private file: on the command line everyone on the machine could read it.
        configuration = self.folder / "valkey.conf"
        places.write_private(
            configuration,
            _CONFIGURATION.format(
                host=places.LOOPBACK, port=self.port, password=self._password, folder=self.folder / "data"
            ),
        )
        (self.folder / "data").mkdir(exist_ok=True, mode=0o700)
        with self.log.open("ab") as log:
            process = processes.launch(
                [str(self._program), str(configuration)],
                log=log,
                cwd=self.folder,
                at_our_death=self.at_our_death,
            )
        identity = processes.Identity.of(process.pid)
        places.write_private(self._note, f"{identity.pid} {identity.started}")
        return process

    @property
    def _note(self) -> Path:
        """Which process serves this folder: two of them would spoil it."""
        return self.folder / "valkey.pid"

    def _end_leftover(self) -> None:
        """We hold the folder's lock, so a server that still runs in it has lost whoever started it."""
        try:
            pid, started = self._note.read_text().strip().split(" ", 1)
        except (FileNotFoundError, ValueError):
            return
        leftover = processes.Identity(int(pid), started)
        leftover.end(signal.SIGTERM, grace=30)
        if leftover.is_running:
            raise CannotStart(f"An earlier Valkey (pid {pid}) still runs in {self.folder} and does not stop.")

    def _becomes_ready(self, patience: float = 60) -> bool:
        """False when it ended: most likely somebody took the port in between."""
        until = time.monotonic() + patience
        with redis.Redis.from_url(self.url, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
            while self.is_running:
                try:
                    client.ping()
                except redis.AuthenticationError:
                    return False  # a server of somebody else answers on our port
                except (redis.ConnectionError, redis.TimeoutError):
                    if time.monotonic() > until:
                        raise CannotStart(f"Valkey does not answer. See {self.log}.") from None
                    time.sleep(0.02)
                else:
                    return self.is_running
        return False

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


def start(data_dir: Path, *, port: int = 0) -> EmbeddedValkey:
    """A running server with what the folder holds from earlier."""
    server = EmbeddedValkey(data_dir.resolve())
    try:
        server.start(port)
    except BaseException:
        server.stop()
        raise
    return server
