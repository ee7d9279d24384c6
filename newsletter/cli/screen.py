"""What commands show: tables and counts, and text of strangers that cannot steer a terminal."""

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)


def say(sentence: str) -> None:
    """One line, however narrow the terminal: it is the terminal that folds it."""
    out.print(harmless(sentence), soft_wrap=True)


def harmless(text: str) -> Text:
    """Text from outside, without markup and without control characters."""
    return Text("".join("�" if unicodedata.category(character) == "Cc" else character for character in text))


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """Hairlines only. `numbers` names the columns to be set right."""
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return made


def count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""
