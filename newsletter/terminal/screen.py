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


def brief(text: str) -> Text:
    """Text from outside that gives way when there is no room."""
    made = harmless(text)
    made.no_wrap, made.overflow = True, "ellipsis"
    return made


def table(*columns: str, numbers: tuple[str, ...] = (), long: tuple[str, ...] = ()) -> Table:
    """Without lines. `numbers` names the columns set right, `long` those that may be folded or cut."""
    made = Table(
        box=None, pad_edge=False, show_header=any(map(str.strip, columns)), header_style="dim", padding=(0, 2, 0, 0)
    )
    for column in columns:
        made.add_column(
            column, justify="right" if column in numbers else "left", no_wrap=column not in long, overflow="fold"
        )
    return made


def count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""
