"""Ports, locks and secrets in a folder of ours."""

import contextlib
import fcntl
import os
import secrets
import socket
from pathlib import Path

from newsletter.up.processes import CannotStart

LOOPBACK = "127.0.0.1"


def free_port(preferred: int = 0) -> int:
    """The preferred port when it can be had, else another one. Someone may still take it before you do."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, port))
                return int(probe.getsockname()[1])
    raise CannotStart("No port is free on this machine.")


def is_open(port: int) -> bool:
    """Does someone listen there?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def secret(path: Path) -> str:
    """A random secret, made at the first call and kept in a file that only we can read."""
    with contextlib.suppress(FileNotFoundError):
        if known := path.read_text().strip():
            return known
    write_private(path, secrets.token_urlsafe(36))
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Replace a file of ours as a whole, readable by nobody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class Lock:
    """A folder belongs to one of us at a time; the system gives it back when we die, however we die."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
        except PermissionError:
            raise CannotStart(f"{path.parent} belongs to another user of this machine.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise CannotStart(
                f"{path.parent} is in use by another process (pid {holder}). Stop that one first."
            ) from None
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        self._file.close()
