"""What a sending process was about to do and what it heard, on its own disk.

One small file for each claim: "H reader" before the final dot, "A reader outcome reply" after the answer. Plain writes,
no fsync: the file survives the death of the process, which is what it is for. Whoever takes the claim over replays it:
answered is known, handed over without an answer is in doubt, the rest was never sent. A machine that was started anew
may have lost the last lines, or the file: then the rest is not known.
"""

import contextlib
import errno
import fcntl
import json
import os
import secrets
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

from newsletter.config import settings
from newsletter.sending.models import Outcome


@dataclass(frozen=True)
class Answer:
    """What became of one reader's message."""

    reader_id: int
    outcome: Outcome
    reply: str = ""
    variant_id: int | None = None


@dataclass(frozen=True)
class PutOff:
    """A temporary refusal: to be tried again later."""

    reader_id: int
    reply: str


@dataclass
class Replay:
    """What a journal tells about its claim. What a complete one does not tell has not happened."""

    is_complete: bool
    answers: list[Answer] = field(default_factory=list)
    put_off: list[PutOff] = field(default_factory=list)
    in_doubt: list[int] = field(default_factory=list)


class Journal:
    """The open journal of one claim, begun before it: so every claim has one. Not safe to share between threads."""

    def __init__(self) -> None:
        self.token = f"{_boot()}-{secrets.token_hex(16)}"
        folder().mkdir(parents=True, exist_ok=True)
        self._path = _path(self.token)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)  # falls off with the process, however it dies

    def handing_over(self, reader_id: int, variant_id: int | None) -> None:
        self._write(["H", reader_id, variant_id])

    def answered(self, answer: Answer | PutOff) -> None:
        if isinstance(answer, PutOff):
            self._write(["L", answer.reader_id, answer.reply])
        else:
            self._write(["A", answer.reader_id, answer.outcome.value, answer.reply, answer.variant_id])

    def close(self, *, forget: bool) -> None:
        """`forget` only once everything in it is in the database."""
        os.close(self._file)
        if forget:
            self._path.unlink(missing_ok=True)

    def _write(self, line: list[object]) -> None:
        written = json.dumps(line).encode() + b"\n"
        if os.write(self._file, written) != len(written):  # a full disk takes a part, and says so only the next time
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close(forget=kind is None)


def replay(token: str) -> Replay:
    """What is known of a claim whose process is gone."""
    told = Replay(is_complete=token.startswith(f"{_boot()}-") and _path(token).exists())
    handed_over: dict[int, int | None] = {}
    for kind, reader_id, *rest in _lines(token):
        if kind == "H":
            handed_over[reader_id] = rest[0]
            continue
        handed_over.pop(reader_id, None)
        if kind == "L":
            told.put_off.append(PutOff(reader_id, rest[0]))
        else:
            told.answers.append(Answer(reader_id, Outcome(rest[0]), rest[1], rest[2]))
    told.in_doubt = list(handed_over)
    return told


def is_abandoned(token: str) -> bool:
    """True if the process that wrote this journal is surely dead. False if it lives, or if there is no such journal."""
    try:
        file = os.open(_path(token), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def forget(token: str) -> None:
    _path(token).unlink(missing_ok=True)


@cache
def host() -> str:
    """The name of the disk that our journals are on: it, not the machine's name, tells whose claims we can replay."""
    path = settings().data_dir / "host"
    path.parent.mkdir(parents=True, exist_ok=True)
    name = secrets.token_hex(8)
    ours = path.with_name(f"host.{name}")
    ours.write_text(name)
    with contextlib.suppress(FileExistsError):
        os.link(ours, path)  # whole or not at all: several processes start at once
    ours.unlink()
    return path.read_text().strip()


@cache
def _boot() -> str:
    """The start of this machine that we live in. Where the system does not tell, all are taken for one."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text()[:8] if path.exists() else ""


def folder() -> Path:
    return settings().data_dir / "journal"


def _path(token: str) -> Path:
    return folder() / f"{token}.log"


def _lines(token: str) -> list[list[Any]]:  # as JSON gave it: what, reader, and what belongs to it
    path = _path(token)
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[:-1]]  # what follows the last line end was cut off by the crash
