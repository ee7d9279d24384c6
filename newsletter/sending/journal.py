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
import stat
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

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
    """The open journal of one claim, begun before it, so that every claim has one. Threads may share it."""

    def __init__(self) -> None:
        self.token = f"{_boot()}-{secrets.token_hex(16)}"
        folder().mkdir(parents=True, exist_ok=True)
        self._path = _path(self.token)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)  # falls off with the process, however it dies
        self._is_torn = False  # ends in the middle of a line: whatever came after could not be read

    def handing_over(self, reader_id: int, variant_id: int | None) -> None:
        self.write(handed_over(reader_id, variant_id))

    def answered(self, answer: Answer | PutOff) -> None:
        self.write(heard(answer))

    @property
    def is_sealed(self) -> bool:
        """Whether somebody has taken the claim over. To be asked after "H reader" is written, and before the dot."""
        return not os.fstat(self._file).st_mode & stat.S_IWUSR

    def close(self, *, forget: bool) -> None:
        """`forget` only once everything in it is in the database."""
        os.close(self._file)
        if forget:
            self._path.unlink(missing_ok=True)

    def write(self, lines: str) -> None:
        """Lines made by `handed_over` and `heard`, in one go."""
        written = lines.encode("ascii")
        # A full disk takes a part, and says so only the next time.
        self._is_torn = self._is_torn or os.write(self._file, written) != len(written)
        if self._is_torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close(forget=kind is None)


def handed_over(reader_id: int, variant_id: int | None) -> str:
    return f'["H", {reader_id}, {variant_id or "null"}]\n'


def kept_back(reader_id: int) -> str:
    """The line that takes `handed_over` back: the message did not leave after all."""
    return f'["K", {reader_id}]\n'


def heard(answer: Answer | PutOff) -> str:
    if isinstance(answer, PutOff):
        return f'["L", {answer.reader_id}, {_quoted(answer.reply)}]\n'
    told = f'{answer.reader_id}, "{answer.outcome.value}", {_quoted(answer.reply)}'
    return f'["A", {told}, {answer.variant_id or "null"}]\n'


_quoted = json.encoder.encode_basestring_ascii  # what json.dumps does to a text, without asking what it is


def seal(token: str) -> None:
    """Before a replay: from now on a writer that is still alive hands nothing over that the replay does not tell of.

    Leases go by the clock of the database, and a clock that is set forward ends them all while everybody is at work.
    """
    with contextlib.suppress(FileNotFoundError):
        _path(token).chmod(stat.S_IRUSR)


def replay(token: str) -> Replay:
    """What is known of a claim whose process is gone."""
    told = Replay(is_complete=token.startswith(f"{_boot()}-") and _path(token).exists())
    in_doubt: dict[int, None] = {}
    heard: dict[int, Answer | PutOff] = {}  # the last word counts
    for line in _lines(token):
        try:
            kind, reader_id, *rest = json.loads(line)
        except (ValueError, TypeError):  # what a power cut made of a file: from here on nothing is known
            told.is_complete = False
            break
        if kind == "H":
            in_doubt[reader_id] = None
            continue
        in_doubt.pop(reader_id, None)
        if kind == "K":
            continue
        heard[reader_id] = (
            PutOff(reader_id, rest[0]) if kind == "L" else Answer(reader_id, Outcome(rest[0]), rest[1], rest[2])
        )
    told.in_doubt = list(in_doubt)
    told.answers = [each for each in heard.values() if isinstance(each, Answer) and each.reader_id not in in_doubt]
    told.put_off = [each for each in heard.values() if isinstance(each, PutOff) and each.reader_id not in in_doubt]
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


def _lines(token: str) -> list[bytes]:
    path = _path(token)
    if not path.exists():
        return []
    return path.read_bytes().split(b"\n")[:-1]  # what follows the last line end was cut off by the crash
