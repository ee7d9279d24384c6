"""All processes on one machine: started in order, kept running, stopped in order, and never left behind."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from newsletter.up import borrowed, console, places, processes, procfile
from newsletter.up.postgres import EmbeddedPostgres
from newsletter.up.processes import CannotStart, Identity
from newsletter.up.run_file import RunFile, farewell, rank
from newsletter.up.surroundings import Given, surroundings
from newsletter.up.valkey import EmbeddedValkey

_HOUSE = Path(__file__).parents[2]  # the source tree; a wheel carries the file inside the package
_IN_A_WHEEL = _HOUSE / "newsletter" / "Procfile"
PROCFILE = _IN_A_WHEEL if _IN_A_WHEEL.exists() else _HOUSE / "Procfile"
_LARGEST_LOG = 10 * 1024 * 1024


class _Ending(Exception):
    """Asked to stop while still starting."""


@dataclass
class Child:
    """One process to keep running, and how to start it again."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    deaths: int = 0
    retry_at: float = 0.0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def launch(self) -> None:
        self.process = self.start()
        self.since = time.monotonic()

    def note_death(self) -> float:
        """How long to wait before the next try: twice as long each time, short again after a good minute."""
        self.deaths = 1 if time.monotonic() - self.since > 60 else self.deaths + 1
        pause = min(30.0, 0.5 * 2.0 ** min(self.deaths - 1, 6))
        self.retry_at = time.monotonic() + pause
        return pause


@dataclass
class Stack:
    """`with Stack(var) as stack:` runs everything; afterwards nothing is left running.

    Servers that the environment names (DATABASE_URL, REDIS_URL, MAIL_URL) are used instead of our own.
    """

    var: Path
    web_port: int = 8000
    mail_port: int = 8025
    say: console.Voice = console.silent
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    procfile_at: Path = PROCFILE
    durable: bool = True  # False is for tests: a power cut may cost everything
    grace: float = 30.0
    env: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.var = self.var.resolve()
        self._run_file = RunFile(self.var / "run.json")
        self._children: dict[str, Child] = {}
        self._servers: list[EmbeddedPostgres | EmbeddedValkey] = []
        self._tail = console.Tail(self.say)
        self._lock: places.Lock | None = None
        self._last_watch: subprocess.Popen[bytes] | None = None
        self._failure: BaseException | None = None
        self._started, self._ending, self._ended = threading.Event(), threading.Event(), threading.Event()
        # One thread starts all children, and lives as long as they do: the system ends them when it ends.
        self._thread = threading.Thread(target=self._live, name="supervisor", daemon=True)

    @property
    def site_url(self) -> str:
        return f"http://{places.LOOPBACK}:{self.web_port}"

    @property
    def inbox(self) -> Path:
        return self.var / "inbox"

    @property
    def running(self) -> dict[str, int]:
        """The main process of each part."""
        return {name: child.process.pid for name, child in self._children.items() if child.process and child.is_running}

    def start(self) -> "Stack":
        """Returns when everything answers; otherwise raises CannotStart, and nothing is left running."""
        self._thread.start()
        try:
            self._started.wait()
        except BaseException:
            self.stop()
            raise
        if self._failure is not None:
            raise self._failure
        return self

    def wait(self) -> None:
        """Until somebody stops it."""
        self._ended.wait()
        if self._failure is not None:
            raise self._failure

    def ask_to_stop(self) -> None:
        """For signal handlers: returns at once."""
        self._ending.set()

    def stop(self) -> None:
        """Beat, then worker and web, inbox, PostgreSQL, Valkey. Each has 30 seconds to end by itself."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> "Stack":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # The life of the thread

    def _live(self) -> None:
        try:
            self._bring_up()
            self._started.set()
            while not self._ending.wait(0.2):
                self._look_after()
        except _Ending:
            pass
        except BaseException as error:  # told to whoever waits for us
            self._failure = error
        finally:
            borrowed.take_back(self.var)
            self._bring_down()
            self._started.set()
            self._ended.set()

    def _bring_up(self) -> None:
        self._lock = places.Lock(self.var / "lock")
        for name in self._run_file.end_leftovers():
            self.say("up", f"stopped {name}, left by an earlier run that was killed")
        commands = procfile.read(self.procfile_at)
        self._start_last_watch()
        self._tail.start()
        self._start_servers()
        self._release(commands)
        for name, line in commands.processes.items():
            self._keep(name, lambda name=name, line=line: self._launch(name, procfile.shell(line)))  # type: ignore[misc]
        self._wait_for_web()
        borrowed.lend(self.var, self.env)

    def _start_servers(self) -> None:
        given = Given.by(self.environment)
        database = given.database or self._own_postgres()
        redis = given.redis or self._own_valkey()
        self.web_port = self._free_port(self.web_port, "the site")
        if not given.mail:
            self.mail_port = self._free_port(self.mail_port, "the inbox")
        self.env = surroundings(
            self.environment,
            self.var,
            database=database,
            redis=redis,
            mail=given.mail or f"smtp://{places.LOOPBACK}:{self.mail_port}",
            port=self.web_port,
            has_inbox=not given.mail,
        )
        if self.env.get("BILLING") == "test" and not self.env.get("TILL_URL"):
            self._keep_till()
        if not given.mail:
            self._keep("inbox", self._launch_inbox)
            self._wait("inbox", lambda: places.is_open(self.mail_port))

    def _keep_till(self) -> None:
        """The practice till: a payment provider on this machine. What it holds outlives it."""
        from newsletter.billing import PRACTICE_KEY  # whoever takes no money needs none of it

        port = places.free_port()
        self.env["TILL_URL"] = f"http://{places.LOOPBACK}:{port}"
        command = [sys.executable, "-m", "newsletter.up.till.serve", "--port", str(port)]
        held = ["--key", PRACTICE_KEY, "--held", str(self.var / "till.json")]
        self._keep("till", lambda: self._launch("till", command + held))
        self._wait("till", lambda: places.is_open(port))

    # No signal to the servers at our death: the last watch ends them when those who need them have ended.

    def _own_postgres(self) -> str:
        log = self._log("postgres")
        server = EmbeddedPostgres(self.var / "postgres", durable=self.durable, log=log, at_our_death=None)
        return self._keep_server("postgres", server)

    def _own_valkey(self) -> str:
        server = EmbeddedValkey(self.var / "valkey", log=self._log("valkey"), at_our_death=None)
        return self._keep_server("valkey", server)

    def _keep_server(self, name: str, server: EmbeddedPostgres | EmbeddedValkey) -> str:
        self._servers.append(server)

        def start() -> subprocess.Popen[bytes]:
            before = server.port
            server.start(before)
            if before and server.port != before:
                raise CannotStart(f"Port {before} of {name} was taken by another program. Start again.")
            assert server.process is not None
            return server.process

        self._keep(name, start)
        return server.url

    def _free_port(self, preferred: int, what: str) -> int:
        port = places.free_port(preferred)
        if port != preferred and preferred:
            self.say("up", f"port {preferred} is in use, so {what} is on port {port}")
        return port

    def _launch_inbox(self) -> subprocess.Popen[bytes]:
        take = f"{Path(sys.executable).with_name('newsletter')} inbound take"
        where = ["--port", str(self.mail_port), "--folder", str(self.inbox)]
        command = [sys.executable, "-m", "newsletter.up.inbox", *where, "--deliver-command", take]
        return self._launch("inbox", command)

    def _release(self, commands: procfile.Procfile) -> None:
        """Migrations, once, before anything may see the database."""
        if not commands.release:
            return
        done = self._launch(procfile.RELEASE, procfile.shell(commands.release))
        while done.poll() is None:
            self._look_out()
            time.sleep(0.05)
        if done.returncode:
            raise CannotStart(f"“{commands.release}” did not succeed:\n{self._last_words(procfile.RELEASE)}")

    def _wait_for_web(self) -> None:
        if "web" in self._children:
            self._wait("web", lambda: _answers(self.web_port))

    def _wait(self, name: str, is_ready: Callable[[], bool], patience: float = 60) -> None:
        until = time.monotonic() + patience
        while not is_ready():
            self._look_out()
            if not self._children[name].is_running or time.monotonic() > until:
                raise CannotStart(f"“{name}” does not start. Its last words:\n{self._last_words(name)}")
            time.sleep(0.1)

    def _look_out(self) -> None:
        if self._ending.is_set():
            raise _Ending

    # Children

    def _keep(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._look_out()
        child = self._children[name] = Child(name, start)
        self._run(child)

    def _run(self, child: Child) -> None:
        child.launch()
        running = {name: Identity.of(pid) for name, pid in self.running.items()}
        self._run_file.write(Identity.of(os.getpid()), running)

    def _look_after(self) -> None:
        for child in self._children.values():
            if child.is_running:
                continue
            if child.process is not None:
                self._bury(child, child.process)
            elif time.monotonic() >= child.retry_at:
                self._run(child)

    def _bury(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        processes.end_group(process.pid)  # what is left of it would work beside its successor
        child.process = None
        pause = child.note_death()
        self.say("up", f"{child.name} ended ({_how(process.returncode)}); starting it again in {pause:g} s")

    def _launch(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        path = self._log(name)
        self._tail.follow(name, path)
        with path.open("ab") as log:
            return processes.launch(command, log=log, env=self.env, cwd=self._folder)

    @property
    def _folder(self) -> Path:
        """Where our processes are started. Python takes modules from there first: from within our package, which is
        where the Procfile is in a wheel, newsletter/limits.py would pass for the package of that name."""
        return self.var if self.procfile_at == _IN_A_WHEEL else self.procfile_at.parent.resolve()

    def _log(self, name: str) -> Path:
        """Where a process writes what it has to say; put aside when it has grown large."""
        path = self.var / "log" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        return path

    def _last_words(self, name: str) -> str:
        return "\n".join(self._log(name).read_text(errors="replace").splitlines()[-12:])

    def _start_last_watch(self) -> None:
        me = Identity.of(os.getpid())
        about = [str(self._run_file.path), str(min(self.grace, 10)), str(me.pid), me.started]
        self._last_watch = subprocess.Popen(
            [sys.executable, "-m", "newsletter.up.last_watch", *about],
            stdin=subprocess.PIPE,
            cwd=self._folder,
            start_new_session=True,
        )

    # The end

    def _bring_down(self) -> None:
        for place in sorted({rank(name) for name in self._children}):
            together = [child for name, child in self._children.items() if rank(name) == place and child.process]
            for child in together:
                assert child.process is not None
                processes.ask(child.process, farewell(child.name))
            for child in together:
                assert child.process is not None
                processes.finish(child.process, self.grace)
        for server in self._servers:
            server.stop()
        self._tail.stop()
        if self._last_watch is not None:
            self._run_file.clear()
            self._last_watch.communicate(b"done")
        if self._lock is not None:
            self._lock.release()


def up(var: Path, *, web_port: int = 8000, mail_port: int = 8025) -> None:
    """Run everything in the foreground until Ctrl-C or SIGTERM."""
    say = console.printed()
    stack = Stack(var, web_port, mail_port, say)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stack.ask_to_stop())
    with stack:
        if stack.running:
            say("up", f"the site is at {stack.site_url}" + _inbox_words(stack))
            say("up", "stop everything with Ctrl-C")
        stack.wait()


def _inbox_words(stack: Stack) -> str:
    return f", mail is at {stack.site_url}/inbox/" if "INBOX_DIR" in stack.env else ""


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(places.LOOPBACK, port, timeout=2)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"
