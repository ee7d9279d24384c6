"""The settings of a stack that runs here, for commands typed beside it: a file of ours alone, while it runs."""

import os
from collections.abc import Mapping
from pathlib import Path

NAMES = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "MAIL_URL", "SITE_URL", "DATA_DIR", "INBOX_DIR")


def lend(var: Path, env: Mapping[str, str]) -> None:
    file = os.open(_path(var), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as lines:
        lines.writelines(f"{name}={env[name]}\n" for name in NAMES if name in env)


def take_back(var: Path) -> None:
    _path(var).unlink(missing_ok=True)


def borrow(var: Path) -> dict[str, str]:
    """The settings of the stack in this folder; empty if none runs, or if the file is not ours alone."""
    path = _path(var)
    try:
        status = path.stat()
    except OSError:
        return {}
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        return {}
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _path(var: Path) -> Path:
    return var / "env"
