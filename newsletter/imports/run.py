"""Readers from a CSV file: looked through as a whole first, then entered a thousand at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from newsletter.errors import NewsletterError
from newsletter.imports import batch, csv_file
from newsletter.imports.columns import BadRow, Columns
from newsletter.imports.csv_file import BadFile, Fault, Record
from newsletter.imports.newsletters import Shelf, UnknownNewsletter
from newsletter.imports.values import Origin, Remark, Result, Wanted
from newsletter.publication.models import Newsletter, Publication
from newsletter.subscribers.addresses import Address, BadAddress

BATCH = 1000
SHORTEST_CONSENT = 8


class NoConsent(NewsletterError):
    pass


@dataclass(frozen=True)
class Order:
    """What is to be imported, for which newsletters, and where these people agreed."""

    file: Path
    consent: str
    newsletters: tuple[str, ...] = ()  # for lines that name none themselves
    encoding: str = ""


@dataclass(frozen=True)
class Survey:
    """What a first look through the whole file found."""

    lines: int
    unused_columns: tuple[str, ...]
    newsletters: tuple[str, ...]  # the names of all that will get readers


def survey(order: Order) -> Survey:
    """Look through the whole file, so that what makes it useless is said before anything happens.

    Raises NoConsent, BadFile and UnknownNewsletter.
    """
    if len(order.consent.strip()) < SHORTEST_CONSENT:
        raise NoConsent("Say where these people agreed to be written to, in a few words. It is kept as the proof.")
    reading = _Reading(order)
    line, chosen = 1, set(reading.chosen)
    for item in reading.items():
        line = item.line
        if isinstance(item, Record):
            chosen.update(reading.newsletters_of(item))
    names = tuple(name for newsletter_id, name in reading.shelf.names.items() if newsletter_id in chosen)
    return Survey(line, reading.columns.unused, names)


def run(order: Order, note: Callable[[Remark], None], progress: Callable[[int], None]) -> Counter[Result]:
    """Enter all readers of the file, in the caller's transaction: all or nothing. A second run changes nothing.

    Nobody who left, refused, bounced, complained or was erased is written to again. `note` hears of every line that
    did not simply go in; `progress` of the last line done.
    """
    survey(order)
    reading = _Reading(order)
    origin = Origin(Publication.current(), order.consent.strip(), order.file.name, reading.shelf.names)
    tally: Counter[Result] = Counter()
    batch.begin()
    for items in _batches(reading.items()):
        read = [reading.wanted(item) for item in items]
        remarks = [remark for remark in read if isinstance(remark, Remark)]
        remarks += batch.enter([wanted for wanted in read if isinstance(wanted, Wanted)], origin)
        for remark in sorted(remarks, key=lambda remark: remark.line):
            tally[remark.result] += 1
            if remark.sentence:
                note(remark)
        progress(items[-1].line)
    return tally


class _Reading:
    """One walk through the file."""

    def __init__(self, order: Order) -> None:
        self.shelf = Shelf(Newsletter.open())
        self.chosen = tuple(dict.fromkeys(found for words in order.newsletters for found in self.shelf.read(words)))
        self._found = csv_file.records(order.file, order.encoding)
        header = next(self._found, None)
        if header is None:
            raise BadFile(f"{order.file.name} is empty.")
        if isinstance(header, Fault):
            raise BadFile(f"The first line cannot be read. {header.sentence} It must name the columns.")
        self.columns = Columns.read(header.cells)
        if not self.chosen and "newsletters" not in self.columns.places:
            raise BadFile("No column is called “newsletters”: say with --newsletter which one these readers are for.")

    def items(self) -> Iterator[Record | Fault]:
        return self._found

    def newsletters_of(self, record: Record) -> tuple[int, ...]:
        try:
            return self.shelf.read(self.columns.newsletters(record.cells))
        except UnknownNewsletter as error:
            raise UnknownNewsletter(f"Line {record.line}: {error} Nothing was imported.") from None

    def wanted(self, item: Record | Fault) -> Wanted | Remark:
        if isinstance(item, Fault):
            return Remark(item.line, item.text, Result.REFUSED, item.sentence)
        try:
            return self._read(item)
        except (BadRow, BadAddress) as error:
            return Remark(item.line, self.columns.email(item.cells), Result.REFUSED, error.sentence)

    def _read(self, record: Record) -> Wanted:
        row = self.columns.row(record.cells)
        newsletter_ids = self.newsletters_of(record) or self.chosen
        if not newsletter_ids:
            raise BadRow("No newsletter is named in this line, and none was given with --newsletter.")
        address = Address.read(row.email)
        return Wanted(record.line, address.email, address.key, row.name, newsletter_ids, row.tags)


def _batches(items: Iterable[Record | Fault]) -> Iterator[list[Record | Fault]]:
    rest = iter(items)
    while some := list(islice(rest, BATCH)):
        yield some
