"""The lines of an import that need a look, as a CSV file that is safe to open in a spreadsheet."""

import csv
import os
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from newsletter.errors import NewsletterError
from newsletter.imports.values import Remark

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class NoReport(NewsletterError):
    pass


class Report:
    """Made with the first remark, readable for its owner alone; a report of an earlier run is replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._stream: TextIO | None = None

    @classmethod
    def beside(cls, file: Path) -> Self:
        return cls(file.with_name(f"{file.stem}.report.csv"))

    def note(self, remark: Remark) -> None:
        if self._stream is None:
            self._stream = self._open()
            self._writer = csv.writer(self._stream)
            self._writer.writerow(["line", "email", "result", "reason"])
        self.count += 1
        self._writer.writerow([remark.line, as_text(remark.email), remark.result.value, as_text(remark.sentence)])

    def _open(self) -> TextIO:
        try:
            self.path.unlink(missing_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise NoReport(
                f"The report {self.path} cannot be written ({error.strerror}). Choose another place with --report."
            ) from None
        return os.fdopen(handle, "w", encoding="utf-8-sig", newline="")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream:
            self._stream.close()


def as_text(cell: str) -> str:
    """A cell that a spreadsheet shows and never computes."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
