"""The supervisor with stand-ins for web, worker and beat, and the real servers and inbox."""

import json
import os
import signal
import smtplib
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from newsletter.up import places, processes
from newsletter.up.processes import CannotStart, Identity
from newsletter.up.run_file import RunFile
from newsletter.up.supervisor import Stack

pytestmark = pytest.mark.journey

TOY = Path(__file__).with_name("toy.py")
PARTS = {"postgres", "valkey", "inbox", "web", "worker", "beat"}


class Lines(list[str]):
    """What was said on the terminal."""

    def __call__(self, name: str, line: str, /) -> None:
        self.append(f"{name}: {line}")

    @property
    def text(self) -> str:
        return "\n".join(self)


class Place:
    """A folder with a Procfile of stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.var = folder / "var"
        self.notes = folder / "notes"
        self.procfile = folder / "Procfile"
        self.ups: list[subprocess.Popen[str]] = []
        self.write()

    def write(self, **lines: str) -> None:
        """Replace lines of the Procfile; an empty one leaves it out."""
        commands = {
            "release": f"echo migrated > {self.folder}/release",
            "web": self.toy("web web"),
            "worker": self.toy("worker"),
            "beat": self.toy("beat"),
        } | lines
        self.procfile.write_text("".join(f"{name}: {line}\n" for name, line in commands.items() if line))

    def toy(self, name_and_traits: str) -> str:
        name, _, traits = name_and_traits.partition(" ")
        return f"{sys.executable} -I -S {TOY} {name} {self.notes} {traits}"

    def stack(self, say: Lines | None = None, **environment: str) -> Stack:
        return Stack(
            self.var,
            0,
            0,
            Lines() if say is None else say,
            environment={"PATH": os.environ["PATH"], **environment},
            procfile_at=self.procfile,
            durable=False,
            grace=2,
        )

    def noted(self) -> list[str]:
        return [line.split(" ", 1)[1] for line in self.notes.read_text().splitlines()]

    def in_another_process(self) -> subprocess.Popen[str]:
        """A supervisor that can be killed. Returns when everything runs."""
        code = (
            "import sys, pathlib\n"
            "from newsletter.up.supervisor import Stack\n"
            "place, procfile = map(pathlib.Path, sys.argv[1:])\n"
            "stack = Stack(place, 0, 0, procfile_at=procfile, durable=False, grace=2)\n"
            "with stack:\n"
            "    print('up', flush=True)\n"
            "    stack.wait()\n"
        )
        up = subprocess.Popen(
            [sys.executable, "-c", code, self.var, self.procfile],
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ups.append(up)
        assert up.stdout is not None
        with up.stdout:
            assert up.stdout.readline() == "up\n"
        return up

    def running(self) -> dict[str, Identity]:
        return RunFile(self.var / "run.json").read()[1]

    def child_of(self, name: str) -> int:
        log = self.var / "log" / f"{name}.log"
        words = f"{name}-child runs as "
        assert processes.wait_until(lambda: words in log.read_text(), 30)
        return int(log.read_text().rpartition(words)[2].split()[0])

    def wait_for_toys(self, *names: str) -> None:
        """A stand-in that was only just started would end without a word."""
        for name in names:
            log = self.var / "log" / f"{name}.log"
            assert processes.wait_until(lambda log=log: " runs as " in log.read_text(), 30)  # type: ignore[misc]

    def last_watch_of(self, pid: int) -> int:
        for found in Path("/proc").glob("[0-9]*"):
            if f"newsletter.up.last_watch {self.var}" in processes.command_of(int(found.name)):
                return int(found.name)
        raise AssertionError(f"{pid} has no last watch")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    for up in place.ups:
        up.terminate()  # one that a failed test has left
        up.wait()


def get(url: str) -> int:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return int(answer.status)


def test_everything_runs_and_afterwards_nothing_does(place: Place) -> None:
    with place.stack() as stack:
        assert set(stack.running) == PARTS
        assert (place.folder / "release").read_text() == "migrated\n"
        assert get(stack.site_url) == 200
        psycopg.connect(stack.env["DATABASE_URL"].replace("+psycopg", "")).close()
        with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
            assert client.ping()
        with smtplib.SMTP("127.0.0.1", stack.mail_port) as mail:
            mail.sendmail("ken@example.org", ["ada@example.org"], b"Subject: Hello\r\n\r\nAda\r\n")
        assert len(list(stack.inbox.glob("*.eml"))) == 1
        pids = stack.running

    assert all(processes.started_at(pid) is None for pid in pids.values())
    assert not (place.var / "run.json").exists()


def test_it_stops_in_an_order_in_which_nobody_loses_what_they_need(place: Place) -> None:
    with place.stack():
        place.wait_for_toys("beat", "web", "worker")

    noted = place.noted()
    assert noted[:2] == ["beat asked", "beat ended"]
    assert set(noted[2:4]) == {"web asked", "worker asked"}  # together: neither waits for the other
    assert set(noted[4:]) == {"web ended", "worker ended"}
    assert "shut down" in (place.var / "log" / "postgres.log").read_text()


def test_the_children_of_a_worker_are_not_asked_beside_it(place: Place) -> None:
    place.write(worker=place.toy("worker with-child"))

    with place.stack():
        child = place.child_of("worker")

    assert "worker-child asked" not in place.noted()  # its worker decides; what it leaves is ended at the very end
    assert processes.wait_until(lambda: processes.started_at(child) is None, 5)


def test_who_does_not_end_in_time_is_ended(place: Place) -> None:
    place.write(worker=place.toy("worker stubborn"))

    with place.stack() as stack:
        place.wait_for_toys("worker")
        worker = stack.running["worker"]

    assert "worker asked" in place.noted()
    assert processes.started_at(worker) is None


def test_what_dies_is_started_again(place: Place) -> None:
    said = Lines()
    with place.stack(said) as stack:
        before = stack.running
        for name in ("worker", "postgres", "valkey"):
            os.kill(before[name], signal.SIGKILL)

        def is_back() -> bool:
            return set(stack.running) == PARTS and stack.running["worker"] != before["worker"]

        assert processes.wait_until(is_back, 20)
        psycopg.connect(stack.env["DATABASE_URL"].replace("+psycopg", "")).close()
        with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
            assert client.ping()
    assert "up: worker ended (signal 9); starting it again in 0.5 s" in said.text


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_supervisor_leaves_nothing_running(place: Place) -> None:
    place.write(worker=place.toy("worker stubborn with-child"), beat=place.toy("beat with-child"))
    up = place.in_another_process()
    left = place.running()
    children = [place.child_of("worker"), place.child_of("beat")]
    watch = place.last_watch_of(up.pid)
    assert set(left) == PARTS

    up.kill()
    up.wait()

    assert processes.wait_until(lambda: not any(who.is_running for who in left.values()), 20)
    assert processes.wait_until(lambda: processes.started_at(watch) is None, 5)
    assert [processes.started_at(child) for child in children] == [None, None]
    assert "shut down" in (place.var / "log" / "postgres.log").read_text()
    _remove_shelter(place)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_new_run_ends_what_a_killed_one_has_left(place: Place) -> None:
    up = place.in_another_process()
    left = place.running()
    os.kill(place.last_watch_of(up.pid), signal.SIGKILL)
    up.kill()
    up.wait()
    assert left["postgres"].is_running
    said = Lines()

    with place.stack(said) as stack:
        assert set(stack.running) == PARTS
        assert not any(who.is_running for who in left.values())
    assert "up: stopped postgres, left by an earlier run that was killed" in said.text


def test_a_process_that_only_has_the_same_number_is_left_alone(place: Place) -> None:
    place.var.mkdir()
    entry = {"up": [1, "long ago"], "running": {"worker": [os.getpid(), "long ago"]}}
    (place.var / "run.json").write_text(json.dumps(entry))

    with place.stack():
        pass  # and we are still here


def test_a_second_one_on_the_same_folder_is_refused_by_name(place: Place) -> None:
    with place.stack() as stack:
        with pytest.raises(CannotStart, match=rf"{place.var} is in use by another process \(pid {os.getpid()}\)"):
            place.stack().start()
        assert get(stack.site_url) == 200


def test_a_port_in_use_is_replaced_and_said(place: Place) -> None:
    said = Lines()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = place.stack(said)
        stack.web_port = port
        with stack:
            assert stack.web_port != port
            assert stack.env["SITE_URL"] == stack.site_url
            assert get(stack.site_url) == 200
    assert f"up: port {port} is in use, so the site is on port {stack.web_port}" in said.text


def test_a_failed_migration_stops_the_start(place: Place) -> None:
    place.write(release="sh -c 'echo the table is gone; exit 3'")
    stack = place.stack()

    with pytest.raises(CannotStart, match="did not succeed:\nthe table is gone"):
        stack.start()

    assert stack.running == {}
    assert not place.notes.exists()


def test_a_web_process_that_does_not_start_is_told_with_its_last_words(place: Place) -> None:
    place.write(web="sh -c 'echo no such module; exit 1'")

    with pytest.raises(CannotStart, match=r"“web” does not start\. Its last words:\nno such module"):
        place.stack().start()


def test_servers_that_are_given_are_used(place: Place) -> None:
    with place.stack(
        DATABASE_URL="postgresql://ken@db.example.org/letters",
        REDIS_URL="redis://redis.example.org/0",
        MAIL_URL="smtp://mail.example.org",
    ) as stack:
        assert set(stack.running) == {"web", "worker", "beat"}
        assert stack.env["MAIL_URL"] == "smtp://mail.example.org"
        assert "INBOX_DIR" not in stack.env


def test_the_secret_key_is_made_once_and_kept_private(place: Place) -> None:
    with place.stack(REDIS_URL="redis://r/0", DATABASE_URL="postgresql://d/x") as stack:
        key = stack.env["SECRET_KEY"]
    with place.stack(REDIS_URL="redis://r/0", DATABASE_URL="postgresql://d/x") as again:
        assert again.env["SECRET_KEY"] == key

    assert len(key) >= 32
    assert stat.S_IMODE((place.var / "secret_key").stat().st_mode) == 0o600


def test_a_free_port_is_the_preferred_one_when_it_can_be_had() -> None:
    port = places.free_port()

    assert places.free_port(port) == port


def _remove_shelter(place: Place) -> None:
    """The killed supervisor could not."""
    shelter = place.var / "postgres" / "shelter"
    if shelter.is_symlink():
        subprocess.run(["rm", "-rf", shelter.resolve()], check=True)
