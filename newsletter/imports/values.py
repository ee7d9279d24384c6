"""What travels through an import: a line that asks for a reader, and what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from newsletter.publication.models import Publication


class Result(StrEnum):
    """What became of one line."""

    ADDED = "added"  # a new reader
    EXTENDED = "extended"  # a reader we had, on more newsletters or with more tags now
    UNCHANGED = "unchanged"
    REPEATED = "repeated"  # the address stood in an earlier line; what that one lacked was added
    KEPT_OUT = "kept out"  # left, was suppressed, or has not confirmed
    REFUSED = "refused"  # no reader can be made of this line


@dataclass(frozen=True)
class Remark:
    line: int
    email: str
    result: Result
    sentence: str = ""  # empty: nothing to say


@dataclass(frozen=True)
class Wanted:
    """A line that asks for a reader."""

    line: int
    email: str
    key: str
    name: str
    newsletter_ids: tuple[int, ...]
    tags: tuple[str, ...]

    def together_with(self, other: "Wanted") -> "Wanted":
        return replace(
            self,
            newsletter_ids=tuple(dict.fromkeys(self.newsletter_ids + other.newsletter_ids)),
            tags=tuple(dict.fromkeys(self.tags + other.tags)),
        )


@dataclass(frozen=True)
class Origin:
    """What is the same for all lines."""

    publication: Publication
    consent: str
    file: str
    newsletter_names: dict[int, str]

    def day(self, moment: datetime) -> str:
        local = moment.astimezone(self.publication.zone)
        return f"{local.day} {local:%B %Y}"
