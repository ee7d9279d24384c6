"""What a sending process was about to do and what it heard, on its own disk.

One small file for each claim: "H reader" before the final dot, "A reader outcome reply" after the answer. It is memory
that the system writes to the disk when it pleases: it survives the death of the process, which is what it is for, and
a line costs no call to the system. Whoever takes the claim over replays it: answered is known, handed over without an
answer is in doubt, the rest was never sent. A machine that was started anew may have lost the last lines, or the file:
then the rest is not known.

The file is a head (whose it is, whether it is sealed, how many bytes of lines count), the lines, and room for more.
"""

import contextlib
import fcntl
import json
import mmap
import os
import secrets
import struct
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

from newsletter.config import settings
from newsletter.sending.models import Outcome


class Answer(NamedTuple):
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


_HEAD = struct.Struct("@4sB3xQ")
_LENGTH = 1  # of the head's words of eight bytes: the second
_SEAL_AT = 4
_MAGIC = b"NLJ1"
_OPEN, _SEALED = 0, 1
FIRST_ROOM = 8 * 1024  # bytes; doubled when they are full
SETTLED = 0.01  # seconds after which every processor has seen what another one wrote: it takes some nanoseconds


class Journal:
    """The open journal of one claim, begun before it, so that every claim has one. Threads may share it."""

    def __init__(self) -> None:
        self.token = f"{_boot()}-{secrets.token_hex(16)}"
        folder().mkdir(parents=True, exist_ok=True)
        self._path = _path(self.token)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        self._memory = self._words = memoryview(b"")
        self._end = _HEAD.size
        self._room = 0
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)  # falls off with the process, however it dies
            self._make_room(FIRST_ROOM)
            _HEAD.pack_into(self._memory, 0, _MAGIC, _OPEN, 0)
        except BaseException:
            self.close(forget=True)
            raise

    def handing_over(self, reader_id: int, variant_id: int | None) -> None:
        self.write(handed_over(reader_id, variant_id))

    def answered(self, answer: Answer | PutOff) -> None:
        self.write(heard(answer))

    @property
    def is_sealed(self) -> bool:
        """Whether somebody has taken the claim over. To be asked after "H reader" is written, and before the dot."""
        return self._memory[_SEAL_AT] != _OPEN

    def close(self, *, forget: bool) -> None:
        """`forget` only once everything in it is in the database."""
        self._let_go()
        os.close(self._file)
        if forget:
            self._path.unlink(missing_ok=True)

    def write(self, lines: str) -> None:
        """Lines made by `handed_over` and `heard`: all of them, or, on a full disk (OSError), none."""
        written = lines.encode("ascii")
        with self._lock:
            end = self._end + len(written)
            if end > self._room:
                self._make_room(end)
            self._memory[self._end : end] = written
            self._end = end
            # One store of the processor: a process dies before it or after it. (`pack_into` writes zeros first.)
            self._words[_LENGTH] = end - _HEAD.size

    def _make_room(self, least: int) -> None:
        """Really there, and not only promised: a disk that is full is met here, where it can still be said."""
        room = max(self._room, FIRST_ROOM)
        while room < least:
            room *= 2
        _allocate(self._file, self._room, room)
        mapped = memoryview(mmap.mmap(self._file, room))
        # The outgrown memory goes with the last who looks at it: `is_sealed` is asked by other threads meanwhile.
        self._memory, self._words, self._room = mapped, mapped.cast("Q"), room

    def _let_go(self) -> None:
        """Of the memory: it holds the file open as well, and with it the lock."""
        mapped = self._memory.obj
        self._words.release()
        self._memory.release()
        if isinstance(mapped, mmap.mmap):
            mapped.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close(forget=kind is None)


def _allocate(file: int, begin: int, end: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, begin, end - begin)
    else:
        os.pwrite(file, bytes(end - begin), begin)


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
        if _head_of(token):
            with _path(token).open("r+b", buffering=0) as file:
                file.seek(_SEAL_AT)
                file.write(bytes([_SEALED]))
            time.sleep(SETTLED)


def replay(token: str) -> Replay:
    """What is known of a claim whose process is gone."""
    lines = _lines(token)
    told = Replay(is_complete=token.startswith(f"{_boot()}-") and lines is not None)
    in_doubt: dict[int, None] = {}
    heard: dict[int, Answer | PutOff] = {}  # the last word counts
    for line in lines or ():
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


def _head_of(token: str) -> tuple[int, int] | None:
    """Its seal, and how many bytes of lines count. None for what is no journal."""
    with contextlib.suppress(FileNotFoundError), _path(token).open("rb") as file:
        head = file.read(_HEAD.size)
        if len(head) == _HEAD.size and head.startswith(_MAGIC):
            _, seal, length = _HEAD.unpack(head)
            return seal, length
    return None


def _lines(token: str) -> list[bytes] | None:
    head = _head_of(token)
    if head is None:
        return None
    return _path(token).read_bytes()[_HEAD.size : _HEAD.size + head[1]].split(b"\n")[:-1]
