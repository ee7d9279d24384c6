"""A PostgreSQL of our own in a folder: no root needed, and root works too (the server then runs as another user)."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from newsletter.up import places, processes, programs
from newsletter.up.processes import CannotStart, RunAs
from newsletter.up.programs import PostgresPrograms

NAME = "newsletter"  # of the database and of the role that owns it
_SHELTERS = Path("/var/lib/newsletter")
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SETTINGS = {
    "listen_addresses": places.LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "48MB",
    "max_connections": "80",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_FOR_TESTS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum_naptime": "1h"}


class EmbeddedPostgres:
    """A running server. Its folder is locked for as long as it runs."""

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        log: Path | None = None,
        at_our_death: signal.Signals | None = signal.SIGINT,
    ) -> None:
        self.folder = folder
        self.durable = durable
        self.at_our_death = at_our_death
        self.log = log or folder / "postgres.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: places.Lock | None = None

    @property
    def url(self) -> str:
        return self._url(NAME, "postgresql+psycopg")

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, port: int = 0) -> None:
        """Start, on this port if it is free, and wait until it answers and the database exists."""
        if self._lock is None:
            self._move_in()
        if _version_of(self._cluster) is None:
            self._initialise()
        self._end_leftover()
        for _attempt in range(5):
            self.port = places.free_port(port)
            self.process = self._launch()
            if self._becomes_ready():
                self._create_database()
                return
        raise CannotStart(f"PostgreSQL does not start. Its last words, from {self.log}:\n{self._last_words()}")

    def stop(self) -> None:
        """A fast, orderly end: sessions are closed, everything is on disk."""
        if self._lock is None:
            return  # another one serves this folder
        self._give_up()
        shelter = self._shelter.resolve()
        if not self.durable and self._shelter.is_symlink() and shelter.parent != _SHELTERS:
            shutil.rmtree(shelter, ignore_errors=True)
            self._shelter.unlink()
        self._lock.release()

    # Where it lives

    def _move_in(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = places.Lock(self.folder / "lock")
        self._password = places.secret(self.folder / "password")
        self._run_as = _run_as(self.folder)
        if self._run_as is None:
            self.folder.chmod(0o700)
        self._cluster = self._place(self.folder / "cluster")
        self._programs = self._reachable(programs.postgres(_version_of(self._cluster)))

    @property
    def _shelter(self) -> Path:
        """A link to the folder outside, for a server that may not enter ours."""
        return self.folder / "shelter"

    def _place(self, cluster: Path) -> Path:
        if self._run_as is None or self._run_as.can(["/bin/sh", "-c", 'cd "$0"', cluster.parent]):
            return cluster
        return self._make_shelter() / "cluster"

    def _reachable(self, found: PostgresPrograms) -> PostgresPrograms:
        if self._run_as is None or self._run_as.can([found.postgres, "--version"]):
            return found
        return found.copied_to(self._make_shelter())

    def _make_shelter(self) -> Path:
        """Root's private folders stay private: what the server must read is kept beside them, not opened up."""
        if not self._shelter.exists():
            parent = _SHELTERS if self.durable else Path(tempfile.gettempdir())
            parent.mkdir(parents=True, exist_ok=True)
            shelter = Path(tempfile.mkdtemp(prefix="newsletter-", dir=parent))
            shelter.chmod(0o711)
            self._shelter.unlink(missing_ok=True)
            self._shelter.symlink_to(shelter)
        return self._shelter.resolve()

    # The first start

    def _initialise(self) -> None:
        """Made beside its place and moved in: a first start that breaks off leaves nothing half-finished."""
        draft = self._cluster.with_name("cluster.new")
        password = self._cluster.with_name("first-password")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        places.write_private(password, self._password)
        try:
            if self._run_as:
                for path in (draft, password):
                    os.chown(path, self._run_as.user, self._run_as.group)
            self._run_initdb(draft, password)
        finally:
            password.unlink()
        draft.replace(self._cluster)

    def _run_initdb(self, draft: Path, password: Path) -> None:
        who = self._run_as
        done = subprocess.run(
            [
                *(self._programs.initdb, "-D", draft, "-U", NAME, f"--pwfile={password}"),
                *("-A", "scram-sha-256", "-E", "UTF8", *_locale(self._programs.major)),
                *([] if self.durable else ["--no-sync"]),
            ],
            user=who.user if who else None,
            group=who.group if who else None,
            extra_groups=[] if who else None,
            env=_ENV,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotStart(f"PostgreSQL cannot make its folder {draft}:\n{done.stderr.strip()}")

    def _create_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone()
            if not known:
                connection.execute(f"CREATE DATABASE {NAME}")

    # Every start

    def _end_leftover(self) -> None:
        """We hold the folder's lock, so a server that still runs in it has lost whoever started it."""
        pid_file = self._cluster / "postmaster.pid"
        pid = _first_number(pid_file)
        if pid is None or processes.started_at(pid) is None:
            return  # PostgreSQL itself clears the file of a process that is gone
        if not _serves(pid, self._cluster):
            pid_file.unlink()  # after a restart of the machine the number may be anybody's
            return
        leftover = processes.Identity.of(pid)
        leftover.end(signal.SIGINT, grace=30)
        if leftover.is_running:
            raise CannotStart(f"An earlier PostgreSQL (pid {pid}) still runs in {self._cluster} and does not stop.")

    def _launch(self) -> subprocess.Popen[bytes]:
        settings = _SETTINGS | {"port": str(self.port)} | ({} if self.durable else _FOR_TESTS)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            return processes.launch(
                [str(self._programs.postgres), "-D", str(self._cluster), *options],
                log=log,
                run_as=self._run_as,
                env=_ENV,
                at_our_death=self.at_our_death,
            )

    def _becomes_ready(self, patience: float = 120) -> bool:
        """False when it ended: most likely somebody took the port in between."""
        until = time.monotonic() + patience  # long: after a power cut it reads its log first
        while self.is_running:
            try:
                psycopg.connect(self._url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    self._give_up()
                    raise CannotStart(
                        f"{self.folder / 'password'} is not the password of this database. Bring the old file back, "
                        f"or remove {self.folder} to start with an empty one."
                    ) from None
                if time.monotonic() > until:
                    self._give_up()
                    raise CannotStart(f"PostgreSQL does not answer. See {self.log}.") from error
                time.sleep(0.05)
            else:
                return True
        return False

    def _give_up(self) -> None:
        if self.process is not None:
            processes.stop(self.process, politely=signal.SIGINT)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])

    def _url(self, database: str, scheme: str = "postgresql") -> str:
        return f"{scheme}://{NAME}:{self._password}@{places.LOOPBACK}:{self.port}/{database}"


def start(data_dir: Path, *, durable: bool = True, port: int = 0) -> EmbeddedPostgres:
    """A running server with an empty database, or with what the folder holds from earlier.

    `durable=False` is for tests: quick, and a power cut may cost everything.
    """
    server = EmbeddedPostgres(data_dir.resolve(), durable=durable)
    try:
        server.start(port)
    except BaseException:
        server.stop()
        raise
    return server


def _run_as(folder: Path) -> RunAs | None:
    """PostgreSQL refuses to run as root: it then runs as the owner of its files, at first as nobody."""
    if os.geteuid() != 0:
        return None
    for cluster in (folder / "cluster", folder / "shelter" / "cluster"):
        if cluster.exists() and cluster.stat().st_uid != 0:
            return RunAs(cluster.stat().st_uid, cluster.stat().st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStart(
            "PostgreSQL does not run as root, and this machine has no user “nobody” to run it as."
        ) from None
    return RunAs(nobody.pw_uid, nobody.pw_gid)


def _version_of(cluster: Path) -> int | None:
    return _first_number(cluster / "PG_VERSION")


def _first_number(file: Path) -> int | None:
    try:
        return int(file.read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _locale(major: int) -> list[str]:
    """Text in code point order, everywhere the same; lower() knows every letter."""
    if major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C.UTF-8" if os.uname().sysname == "Linux" else "--locale=en_US.UTF-8"]


def _serves(pid: int, cluster: Path) -> bool:
    """Is this process a PostgreSQL with this very folder?"""
    command = processes.command_of(pid)
    return "postgres" in command and str(cluster) in command
