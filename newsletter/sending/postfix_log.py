"""What Postfix's own log tells about our messages: read once, in slices, however long it is.

A message is accepted when its queue id becomes active: `cleanup … message-id=` alone only says that its header came.
The log is believed only with long queue ids (`enable_long_queue_ids`): short ones are used again.
"""

import contextlib
import gzip
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, cast

GAP = timedelta(minutes=10)  # of silence between two files of the log, at most: else one of them may be missing
EARLIER = timedelta(hours=2)  # where reading begins: local time may have been set back by an hour
CLOCK = timedelta(seconds=90)  # between what the newest line says and when it was written
MOST_PENDING = 100_000  # messages on their way into the queue that are kept in mind

_MESSAGE_ID = re.compile(rb" postfix\S*/cleanup\[\d+\]: ([0-9A-Za-z]+): message-id=<?([^@>\s]+)")
_ACTIVE = re.compile(rb" postfix\S*/qmgr\[\d+\]: ([0-9A-Za-z]+): from=<.*\(queue active\)$")
_REFUSED = re.compile(rb" postfix\S*/cleanup\[\d+\]: ([0-9A-Za-z]+): (?:milter-)?(?:reject|discard): ")
_HELD = re.compile(rb" postfix\S*/(?:cleanup|smtpd|postsuper)\[\d+\]: \w+: (?:milter-)?hold: ")
_OURS = re.compile(rb"m(\d+)\.[0-9a-f]{32}$|notice-[0-9a-f]{24}$")
# Time in base 52, “z”, then the inode: postconf(5), enable_long_queue_ids.
_LONG_ID = re.compile(rb"[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]+$")
_MONTHS = {
    name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)
}


class Unreadable(Exception):
    """The log is not there, or not for us to read; in words for the one who set it."""


@dataclass
class Reading:
    """The log from a moment on. `read` goes on where it stopped; then the rest tells what was found."""

    path: Path
    since: datetime
    wanted: Collection[str]  # Message-IDs, up to the @

    accepted: dict[str, str] = field(default_factory=dict, init=False)  # of the wanted ones: the queue id
    headers_seen: set[str] = field(default_factory=set, init=False)  # of the wanted ones: begun at least
    mailings_seen: set[int] = field(default_factory=set, init=False)  # root ids of which messages of ours were here
    has_notices: bool = field(default=False, init=False)
    has_short_ids: bool = field(default=False, init=False)
    has_held: bool = field(default=False, init=False)  # something was accepted without ever becoming active
    is_congested: bool = field(default=False, init=False)  # too much waits to become active to say what does not
    begins_at: datetime | None = field(default=None, init=False)  # whole from then …
    ends_at: datetime | None = field(default=None, init=False)  # … to here

    def __post_init__(self) -> None:
        self._wanted = {each.encode() for each in self.wanted}
        self._ids: dict[bytes, bytes] = {}  # queue id → Message-ID, of ours that are not active yet
        self._queued: dict[bytes, set[bytes]] = {}  # and back
        self._begun: set[int] = set()  # inodes
        self._file: IO[bytes] | None = None
        self._files = self._chain()

    def read(self, most: int) -> bool:
        """Read about so many bytes more. True at the end, as far as there is one. Raises Unreadable."""
        try:
            while most > 0:
                if self._file is None and not self._open_next():
                    return True
                length = self._read_slice(most)
                most -= length
                if length == 0:
                    if not self._has_next():
                        return True
                    self._close_file()
            return False
        except (OSError, EOFError) as error:
            raise Unreadable(f"{self.path} cannot be read: {_why(error)}") from None

    def close(self) -> None:
        self._close_file()

    def left_behind(self, known: Collection[str]) -> int:
        """Messages of ours whose header came and that never became active, but for those known to be in doubt."""
        return len(self._queued.keys() - {each.encode() for each in known})

    def is_written_to(self, now: datetime) -> bool:
        """Whether the newest line is as old as it says: else its clock, or its time zone, is not ours."""
        newest = _last_moment(self.path)
        return newest is not None and abs(_modified(self.path) - newest) < CLOCK and newest < now + CLOCK

    def _chain(self) -> list[Path]:
        """The files to read, oldest first; and from when on nothing of the log is missing."""
        try:
            self.begins_at = _first_moment(self.path)
            beside = [each for each in self.path.parent.glob(f"{self.path.name}*") if each.is_file()]
            older = sorted((each for each in beside if each != self.path), key=_modified)
        except OSError as error:
            raise Unreadable(f"{self.path} cannot be read: {_why(error)}") from None
        for former in reversed(older):
            if self.begins_at and (self.begins_at <= self.since - EARLIER or self.begins_at - _modified(former) > GAP):
                break
            try:
                self.begins_at = _first_moment(former)
            except (OSError, EOFError):
                break
        return [*(each for each in older if _modified(each) >= self.since - EARLIER), self.path]

    def _has_next(self) -> bool:
        """The log may have been rotated while we read it: then the new file comes next."""
        if not self._files:
            with contextlib.suppress(FileNotFoundError):
                if self.path.stat().st_ino not in self._begun:
                    self._files.append(self.path)
        return bool(self._files)

    def _open_next(self) -> bool:
        if not self._has_next():
            return False
        path = self._files.pop(0)
        self._begun.add(path.stat().st_ino)
        if path.suffix == ".gz":
            self._file = cast(IO[bytes], gzip.open(path, "rb"))  # noqa: SIM115  # closed by _close_file
        else:
            self._file = path.open("rb")
            _seek(self._file, self.since - EARLIER, _modified(path))
        return True

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read_slice(self, most: int) -> int:
        """Whole lines only: what is still being written is left for the next time."""
        assert self._file is not None
        start = self._file.tell()
        last = b""
        while self._file.tell() - start < most:
            lines = self._file.readlines(1 << 20)
            if not lines:
                break
            if not lines[-1].endswith(b"\n"):
                self._file.seek(-len(lines[-1]), 1)
                lines.pop()
                if not lines:
                    break
            for line in lines:
                self._take(line.rstrip())
            last = lines[-1]
        if last:
            self.ends_at = moment(last, datetime.now(UTC), latest=False) or self.ends_at
        return self._file.tell() - start

    def _take(self, line: bytes) -> None:
        if b": message-id=" in line:
            if found := _MESSAGE_ID.search(line):
                self._header_came(found[1], found[2])
        elif line.endswith(b"(queue active)"):
            if found := _ACTIVE.search(line):
                self._became_active(found[1])
        elif b"reject: " in line or b"discard: " in line:
            if found := _REFUSED.search(line):
                self._forget(self._ids.get(found[1], b""))
        elif b"hold: " in line and _HELD.search(line):
            self.has_held = True

    def _header_came(self, queue_id: bytes, message_id: bytes) -> None:
        ours = _OURS.match(message_id)
        if ours is None:
            return
        if not _LONG_ID.match(queue_id):
            self.has_short_ids = True
            return
        if ours[1]:
            self.mailings_seen.add(int(ours[1]))
        else:
            self.has_notices = True
        if message_id in self._wanted:
            self.headers_seen.add(message_id.decode())
        if len(self._ids) >= MOST_PENDING and message_id not in self._wanted:
            self.is_congested = True
            return
        self._ids[queue_id] = message_id
        self._queued.setdefault(message_id, set()).add(queue_id)

    def _became_active(self, queue_id: bytes) -> None:
        message_id = self._ids.get(queue_id, b"")
        if message_id in self._wanted:
            self.accepted.setdefault(message_id.decode(), queue_id.decode())
        self._forget(message_id)

    def _forget(self, message_id: bytes) -> None:
        for queue_id in self._queued.pop(message_id, ()):
            self._ids.pop(queue_id, None)


def moment(line: bytes, before: datetime, *, latest: bool = True) -> datetime | None:
    """When a line was written: `2026-11-25T09:00:00.1+00:00`, or `Nov 25 09:00:00` in local time, in the last year.

    `latest`: what the hour that comes twice in autumn is taken for.
    """
    if line[4:5] == b"-":
        with contextlib.suppress(ValueError):
            read = datetime.fromisoformat(line.split(b" ", 1)[0].decode("ascii", "replace"))
            return read.astimezone(UTC)
        return None
    try:
        month, (hour, minute, second) = _MONTHS[line[:3]], (int(part) for part in line[7:15].split(b":"))
        day, local = int(line[4:6]), before.astimezone()
        for year in (local.year, local.year - 1):
            with contextlib.suppress(ValueError):  # 29 February
                read = datetime(year, month, day, hour, minute, second, fold=int(latest)).astimezone(UTC)
                if read <= before + timedelta(days=1):
                    return read
    except (KeyError, ValueError):
        pass
    return None


def _seek(file: IO[bytes], wanted: datetime, written: datetime) -> None:
    """To a line that is older than this moment, or to the start: a long file is not read from there for a late part."""
    low, high = 0, file.seek(0, 2)
    while high - low > 1 << 16:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        at = moment(file.readline(), written)
        if at is None or at >= wanted:
            high = middle
        else:
            low = middle
    file.seek(low)
    if low:
        file.readline()


def _first_moment(path: Path) -> datetime | None:
    with _opened(path) as file:
        return moment(file.readline(1000), _modified(path))


def _last_moment(path: Path) -> datetime | None:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8192))
        lines = file.read().split(b"\n")[:-1]
    return moment(lines[-1], _modified(path), latest=False) if lines else None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        yield cast(IO[bytes], file)


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _why(error: Exception) -> str:
    return (error.strerror or type(error).__name__).lower() if isinstance(error, OSError) else "it is not whole"
