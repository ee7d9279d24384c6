"""The Procfile: which processes make up the product, the same in production and here."""

import re
from dataclasses import dataclass
from pathlib import Path

from newsletter.up.processes import CannotStart

_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")
RELEASE = "release"


@dataclass(frozen=True)
class Procfile:
    """What runs once before the others, and what then runs for good."""

    folder: Path
    release: str
    processes: dict[str, str]


def read(path: Path) -> Procfile:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        raise CannotStart(f"There is no {path}: it says which processes to start.") from None
    commands: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise CannotStart(f"{path}, line {number}: write “name: command”, not “{line.strip()}”.")
        if found[1] in commands:
            raise CannotStart(f"{path}, line {number}: there are two processes with the name “{found[1]}”.")
        commands[found[1]] = found[2]
    return Procfile(path.parent.resolve(), commands.pop(RELEASE, ""), commands)


def shell(line: str) -> list[str]:
    """The command as the shell reads it. `exec` makes it the process itself, so that signals reach it."""
    return ["/bin/sh", "-c", f"exec {line}"]
