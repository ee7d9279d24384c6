"""Programs that are not ours: installed for the tests, never shipped."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from playwright._impl._driver import compute_driver_executable

_WANTED = Path(__file__).with_name("npm")
_CACHE = Path(__file__).parents[2] / "var" / "judges"


@cache
def node_modules() -> Path:
    """What package.json wants, in exactly the locked versions. Installed once per lock file."""
    lock = (_WANTED / "package-lock.json").read_bytes()
    home = _CACHE / hashlib.sha256(lock).hexdigest()[:16]
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as turn:  # test processes run side by side
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (home / "installed").exists():
            for file in (*_WANTED.glob("*.json"), *_WANTED.glob("*.mjs")):
                shutil.copy(file, home)
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=home)
            (home / "installed").touch()
    return home / "node_modules"


def axe() -> str:
    return (node_modules() / "axe-core" / "axe.min.js").read_text()


def ask_node(script: str, question: object) -> Any:
    """One of our scripts beside package.json: JSON in, JSON out."""
    shutil.copy(_WANTED / script, node_modules().parent)
    node, _ = compute_driver_executable()  # new enough for every judge, whatever the machine has
    return json.loads(run([node, node_modules().parent / script], stdin=json.dumps(question).encode()))


def run(
    command: list[str | Path], *, stdin: bytes = b"", cwd: Path | None = None, accept: tuple[int, ...] = (0,)
) -> bytes:
    """What a program says. Fails with its words when its exit status is another."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, input=stdin, cwd=cwd, env=environment, capture_output=True, check=False, timeout=300)
    said = f"{done.stdout.decode(errors='replace')}\n{done.stderr.decode(errors='replace')}"[-4000:]
    assert done.returncode in accept, f"{command[0]} ended with {done.returncode}:\n{said}"
    return done.stdout
