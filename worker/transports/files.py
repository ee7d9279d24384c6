"""A folder in the form of Maildir (https://cr.yp.to/proto/maildir.html): for tests, for archives, for a pick-up.

A message is written in tmp/, is safe on the disk, and only then appears in new/. What was not renamed does not count.
"""

import contextlib
import errno
import itertools
import os
import secrets
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from worker.transports import address
from worker.transports.answers import Accepted, Deferred, NoAnswer, Outgoing, Unavailable
from worker.transports.words import plainly

if TYPE_CHECKING:
    from worker.transports import Load

ABANDONED = 36 * 3600.0  # seconds after which a file in tmp/ has no writer any more, as the specification has it

_FOR_ALL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.EMFILE, errno.ENFILE}
_count = itertools.count()


def connect(url: str, timeout: float) -> "FilesSession":  # noqa: ARG001  # as all of them are called
    """`files:/folder`, made where it is missing. Raises Unavailable."""
    folder = Path(address.read(url).path)
    if not folder.is_absolute() or folder == Path("/"):
        raise Unavailable("MAIL_URL: files: needs a folder from the root, files:/var/mail/newsletter.")
    try:
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        _tidy(folder / "tmp")
        for name in ("tmp", "new"):
            if not os.access(folder / name, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "we may not write there")
    except OSError as error:
        raise Unavailable(f"{folder} cannot be used: {plainly(error)}") from None
    return FilesSession(folder)


class Stumbled(Unavailable):
    """At one message, which has been answered."""


class FilesSession:
    """A session (worker.transports.Session) with a folder. Any number of processes may share one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.is_open = True

    def carry(self, load: "Load") -> None:
        try:
            while message := load.next():
                self._hand_over(load, message)
        except BaseException:
            self.is_open = False
            raise

    def close(self) -> None:
        self.is_open = False

    def _hand_over(self, load: "Load", message: Outgoing) -> None:
        name = _name()
        written, kept = self._folder / "tmp" / name, self._folder / "new" / name
        try:
            self._write(load, message, written)
            load.handing_over(message)
        except Stumbled:
            raise
        except BaseException:
            _discard(written)
            load.returned(message)
            raise
        try:
            written.rename(kept)
            _make_safe(self._folder / "new")
        except OSError as error:
            words = f"{self._folder}: {plainly(error)}"
            if kept.exists():  # renamed; but would it be there after a power cut?
                load.answered(message, NoAnswer(words))
            else:
                _discard(written)
                load.returned(message)
            raise Unavailable(words) from None
        load.answered(message, Accepted(f"kept as {name}"))

    def _write(self, load: "Load", message: Outgoing, path: Path) -> None:
        """Raises Unavailable when the disk takes nothing, Stumbled when it may be this message alone."""
        try:
            _write(path, _envelope(message) + message.content)
        except OSError as error:
            words = f"{self._folder} takes nothing: {plainly(error)}"
            if error.errno in _FOR_ALL:
                raise Unavailable(words) from None
            _discard(path)
            load.answered(message, Deferred(words))
            raise Stumbled(words) from None


def _envelope(message: Outgoing) -> bytes:
    """As mail servers write it on top at final delivery (RFC 5321 §4.4), for whoever passes it on."""
    lines = (
        f"Return-Path: <{message.sender}>",
        f"Delivered-To: {message.recipient}",
        f"X-Original-To: {message.recipient}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _name() -> str:
    """Unique among all hosts, processes, threads and moments."""
    host = socket.gethostname().replace("/", r"\057").replace(":", r"\072")
    now = time.time_ns() // 1000
    return f"{now // 10**6}.M{now % 10**6}P{os.getpid()}Q{next(_count)}R{secrets.token_hex(4)}.{host}"


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _make_safe(folder: Path) -> None:
    """The name too: fsync of a file does not promise that its folder knows it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _tidy(folder: Path) -> None:
    long_ago = time.time() - ABANDONED
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < long_ago:
                path.unlink()
