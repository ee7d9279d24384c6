"""The records of a CSV file from anywhere, one at a time: no file is too large, and no line can hurt.

Bounded in memory: a line, and a record over several lines, may be as long as LONGEST_LINE; what is longer is skipped
and named.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TextIO

from newsletter.errors import NewsletterError

LONGEST_LINE = 64 * 1024
LONGEST_CELL = 1000
MOST_LINES = 20  # of one record: a quotation mark that never closes must not swallow the file
DELIMITERS = ",;\t|"


class BadFile(NewsletterError):
    """The file as a whole cannot be read."""


@dataclass(frozen=True)
class Record:
    line: int  # where it begins, counted from 1
    cells: list[str]


@dataclass(frozen=True)
class Fault:
    """A line that is no record, and why."""

    line: int
    text: str
    sentence: str


def records(path: Path, encoding: str = "") -> Iterator[Record | Fault]:
    """Every record and every fault in the order of the file, blank lines left out.

    Raises BadFile for what is no CSV file, and at the first line in another encoding.
    """
    with _open(path, encoding) as stream:
        lines = _Lines(stream, encoding)
        delimiter = _delimiter_of(lines)
        while True:
            # A new one after each fault: the old one remembers half a record.
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            try:
                for cells in reader:
                    line = lines.start()
                    if any(cells):
                        yield _checked(line, cells)
                return
            except _Faulty as faulty:
                yield faulty.fault
                lines.start()
            except (_TooManyLines, csv.Error):
                yield lines.give_up("A quotation mark in this line does not close, or stands in the middle of a cell.")


def _open(path: Path, encoding: str) -> TextIO:
    if not path.is_file():
        raise BadFile(f"{path} is not a file.")
    try:
        with path.open("rb") as raw:
            beginning = raw.read(4)
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from None
    if beginning.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")):
        raise BadFile(f"{path.name} is a spreadsheet or an archive, not CSV. Save it as “CSV UTF-8” and import that.")
    if not encoding and beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile(f"{path.name} is UTF-16. Add --encoding utf-16, or save it as “CSV UTF-8”.")
    try:
        # What cannot be decoded becomes a lone surrogate, so that the line it is in can be named.
        return path.open(encoding=encoding or "utf-8-sig", errors="surrogateescape")
    except LookupError:
        raise BadFile(f"“{encoding}” is no encoding we know. Common ones: utf-8, windows-1252, utf-16.") from None


class _Lines:
    """Feeds csv.reader. Remembers the lines of the record in work, so that it can take them back."""

    def __init__(self, stream: TextIO, encoding: str) -> None:
        self.stream = stream
        self.encoding = encoding
        self.number = 0
        self.in_work: list[str] = []
        self.taken_back: deque[str | Fault] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if len(self.in_work) >= MOST_LINES or sum(map(len, self.in_work)) > LONGEST_LINE:
            raise _TooManyLines
        line = self.taken_back.popleft() if self.taken_back else self._read(self.number + 1)
        if isinstance(line, Fault):
            if self.in_work:
                self.taken_back.appendleft(line)
                raise _TooManyLines
            self.number += 1
            raise _Faulty(line)
        if not line:
            raise StopIteration
        self.number += 1
        self.in_work.append(line)
        return line

    def peek(self) -> str:
        line = self.taken_back[0] if self.taken_back else self._read(1)
        if not self.taken_back:
            self.taken_back.append(line)
        return "" if isinstance(line, Fault) else line

    def start(self) -> int:
        """Begin a new record. Returns where the last one began."""
        began = self.number - len(self.in_work) + 1
        self.in_work.clear()
        return began

    def give_up(self, sentence: str) -> Fault:
        """Refuse the first line of the record in work and read the others again, each for itself."""
        first, *others = self.in_work
        self.taken_back.extendleft(reversed(others))
        self.number -= len(others)
        self.in_work.clear()
        return Fault(self.number, first.rstrip("\n"), sentence)

    def _read(self, number: int) -> str | Fault:
        try:
            line = self.stream.readline(LONGEST_LINE)
        except UnicodeError:
            raise self._wrong_encoding(number) from None
        if not line.isascii():
            self._check_encoding(line, number)
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            self._skip_the_rest()
            return Fault(number, line[:100], f"This line is longer than {LONGEST_LINE // 1024} kB.")
        if "\0" in line:
            return Fault(number, line.rstrip("\n").replace("\0", "␀"), "This line has a NUL byte in it.")
        return line

    def _skip_the_rest(self) -> None:
        while (piece := self.stream.readline(LONGEST_LINE)) and not piece.endswith("\n"):
            pass

    def _check_encoding(self, line: str, number: int) -> None:
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise self._wrong_encoding(number, f" (byte 0x{ord(line[error.start]) - 0xDC00:X})") from None

    def _wrong_encoding(self, number: int, byte: str = "") -> BadFile:
        if self.encoding:
            return BadFile(f"Line {number} is not {self.encoding}{byte}. Try without --encoding, or with another one.")
        return BadFile(
            f"Line {number} is not UTF-8{byte}. Save the file as “CSV UTF-8”, or name its encoding, for example "
            "--encoding windows-1252."
        )


class _TooManyLines(Exception):
    """The record in work goes on for too long."""


class _Faulty(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


def _delimiter_of(lines: _Lines) -> str:
    """What separates the names in the first line, or what “sep=” there says."""
    first = lines.peek()
    if first.lower().startswith("sep=") and first[4:5] in tuple(DELIMITERS):
        next(lines)
        lines.start()
        return first[4]
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter), [])))


def _checked(line: int, cells: list[str]) -> Record | Fault:
    if max(map(len, cells)) > LONGEST_CELL:
        return Fault(line, cells[0][:100], f"A cell of this line has more than {LONGEST_CELL:,} characters.")
    return Record(line, cells)
