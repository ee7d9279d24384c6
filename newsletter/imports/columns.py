"""What the columns of a list of readers mean, whatever program wrote it."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from newsletter.errors import NewsletterError
from newsletter.imports.csv_file import BadFile
from newsletter.subscribers.signup import LONGEST_NAME, tidy_name

_NAMES = {
    "email": {"email", "e mail", "email address", "e mail address", "mail", "mail address", "subscriber email"},
    "name": {"name", "full name", "display name", "subscriber name"},
    "first": {"first name", "firstname", "given name", "fname"},
    "last": {"last name", "lastname", "surname", "family name", "lname"},
    "newsletters": {"newsletters", "newsletter", "lists", "list"},
    "tags": {"tags", "tag", "labels", "label"},
    # Other programs export those who left as well. They must not come back through the side door.
    "stays": {"subscribed", "subscribed to emails", "email subscribed", "status", "state", "subscription status"},
    "gone": {"unsubscribed", "unsubscribed at", "unsub time", "unsubscribed on", "left at", "bounced at"},
}
_NO = {"", "no", "false", "0", "n", "off"}
_NOT_WRITTEN_TO = _NO - {""} | {
    "unsubscribed", "left", "cleaned", "bounced", "complained", "suppressed", "erased", "deleted", "disabled",
    "blocklisted", "blacklisted", "inactive", "pending", "unconfirmed", "non subscribed", "nonsubscribed", "spam",
}  # fmt: skip
LONGEST_TAG = 60


class BadRow(NewsletterError):
    """This line cannot be imported; the others can."""


@dataclass(frozen=True)
class Row:
    email: str
    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """Where in a line each thing stands."""

    count: int
    places: dict[str, int]
    unused: tuple[str, ...]

    @classmethod
    def read(cls, header: list[str]) -> Self:
        places: dict[str, int] = {}
        unused = []
        for place, title in enumerate(header):
            meaning = _meaning(title)
            if meaning is None:
                unused.append(title.strip())
            elif meaning in places:
                raise BadFile(f"Two columns mean the same: “{header[places[meaning]]}” and “{title}”. Remove one.")
            else:
                places[meaning] = place
        if "email" not in places:
            found = ", ".join(f"“{title.strip()[:40]}”" for title in header[:10])
            raise BadFile(f"No column is called “email”. The first line must name the columns; it says: {found}.")
        return cls(len(header), places, tuple(filter(None, unused)))

    def row(self, cells: list[str]) -> Row:
        """Raises BadRow for what cannot be a reader, and for who is not to be written to any more."""
        if any(cell.strip() for cell in cells[self.count :]):
            raise BadRow(f"This line has {len(cells)} cells, but the first line names {self.count} columns.")
        if self._has_left(cells):
            raise BadRow("The file itself says that this reader is not to be written to.")
        name = self._cell(cells, "name") or f"{self._cell(cells, 'first')} {self._cell(cells, 'last')}"
        return Row(self.email(cells), _checked_name(name.strip()), _tags(self._cell(cells, "tags")))

    def email(self, cells: list[str]) -> str:
        return self._cell(cells, "email")

    def newsletters(self, cells: list[str]) -> str:
        """As written: names and slugs, which may hold a comma themselves."""
        return self._cell(cells, "newsletters")

    def _cell(self, cells: list[str], meaning: str) -> str:
        place = self.places.get(meaning)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    def _has_left(self, cells: list[str]) -> bool:
        stays, gone = _plain(self._cell(cells, "stays")), _plain(self._cell(cells, "gone"))
        return stays in _NOT_WRITTEN_TO or gone not in _NO


def split(cell: str) -> list[str]:
    """The names in a cell that holds several."""
    return [part for part in (piece.strip() for piece in re.split(r"[,;|]", cell)) if part]


def _meaning(title: str) -> str | None:
    plain = _plain(title)
    return next((meaning for meaning, names in _NAMES.items() if plain in names), None)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.lower()).split())


def _checked_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise BadRow(f"The name has more than {LONGEST_NAME} characters.")
    if _has_control_characters(name):
        raise BadRow("The name has a line break or another control character in it.")
    return tidy_name(unicodedata.normalize("NFC", name))


def _tags(cell: str) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(unicodedata.normalize("NFC", tag) for tag in split(cell)))
    for tag in tags:
        if len(tag) > LONGEST_TAG or _has_control_characters(tag):
            raise BadRow(f"A tag is longer than {LONGEST_TAG} characters or has a line break in it.")
    return tags


def _has_control_characters(text: Iterable[str]) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in text)
