"""The folder of received mail: one .eml file per message, as it came, and its envelope beside it."""

import itertools
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path
from urllib.parse import quote, unquote

from newsletter.errors import NotFound

_NAME = re.compile(r"(\d{8}T\d{6}\.\d{6})Z-(\d{6,})-([^/]+)\.eml")
_TIME = "%Y%m%dT%H%M%S.%f"
_HEADERS = BytesHeaderParser(policy=policy.default)
_MESSAGES = BytesParser(policy=policy.default)
_counter = itertools.count(1)


@dataclass(frozen=True)
class Letter:
    """A received message, known by its file name: listing thousands opens none of them."""

    path: Path
    arrived_at: datetime
    address: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def source(self) -> bytes:
        return self.path.read_bytes()

    def headers(self) -> EmailMessage:
        """The headers alone, without reading the rest."""
        with self.path.open("rb") as file:
            lines: list[bytes] = list(itertools.takewhile(bytes.strip, file))
        return _HEADERS.parsebytes(b"".join(lines))

    def message(self) -> EmailMessage:
        return _MESSAGES.parsebytes(self.source())

    def envelope(self) -> dict[str, object]:
        """Who sent it to whom, as told to the mail server, not as written in the message."""
        try:
            return dict(json.loads(self.path.with_suffix(".json").read_text()))
        except (FileNotFoundError, ValueError):
            return {"sender": "", "recipients": [self.address]}


def keep(folder: Path, content: bytes, sender: str, recipients: Sequence[str], *, now: datetime | None = None) -> Path:
    """Store a message. When this returns it is on disk as a whole; before, there is nothing to see of it."""
    moment = (now or datetime.now(UTC)).strftime(_TIME)
    address = quote(recipients[0], safe="@+=,")[:150]
    path = folder / f"{moment}Z-{next(_counter):06}-{address}.eml"
    envelope = json.dumps({"sender": sender, "recipients": list(recipients)}, ensure_ascii=False)
    path.with_suffix(".json").write_text(envelope)
    draft = path.with_name(f".{path.name}.part")
    with draft.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path


def letters(folder: Path, words: str = "") -> list[Letter]:
    """What has arrived, newest first; with words, what came for addresses that contain them."""
    words = words.strip().casefold()
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(".eml")]
    except FileNotFoundError:
        return []
    found = (_read_name(folder / name) for name in sorted(names, reverse=True))
    return [letter for letter in found if letter and words in letter.address.casefold()]


def letter(folder: Path, name: str) -> Letter:
    found = _read_name(folder / name)
    if found is None or not found.path.is_file():
        raise NotFound("This message is not in the inbox.")
    return found


def _read_name(path: Path) -> Letter | None:
    parts = _NAME.fullmatch(path.name)
    if parts is None:
        return None
    arrived_at = datetime.strptime(parts[1], _TIME).replace(tzinfo=UTC)
    return Letter(path, arrived_at, unquote(parts[3]))
