"""A table as plain text: columns side by side where they fit, else each row as a list."""

from collections.abc import Callable, Sequence

from emails.document import Inline, Table
from emails.wrapping import columns, wrap

GAP = "  "
NARROWEST = 6  # columns of text, before a table becomes a list


def laid_out(table: Table, written: Callable[[Sequence[Inline]], str], width: int) -> list[str]:
    rows = [[_one_line(written(cell.children)) for cell in row.cells] for row in (table.head, *table.rows)]
    widths = _widths(rows, width)
    return _columns(rows, table.sides, widths) if widths else _list(rows, width)


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def _widths(rows: list[list[str]], width: int) -> list[int] | None:
    """How wide each column may be; None: they do not fit side by side. The widest give way first."""
    widest = [max(map(columns, column)) or 1 for column in zip(*rows, strict=True)]
    longest_words = [
        max((columns(word) for cell in column for word in cell.split()), default=1)
        for column in zip(*rows, strict=True)
    ]
    room = width - len(GAP) * (len(widest) - 1)
    if sum(widest) <= room:
        return widest
    least = [max(min(NARROWEST, wide), word) for wide, word in zip(widest, longest_words, strict=True)]
    if sum(least) > room:
        return None
    while sum(widest) > room:
        at = max(range(len(widest)), key=lambda column: widest[column] - least[column])
        widest[at] -= 1
    return widest


def _columns(rows: list[list[str]], sides: Sequence[str], widths: list[int]) -> list[str]:
    lines = _row(rows[0], sides, widths)
    lines.append(GAP.join("-" * width for width in widths))
    is_tall = any(len(_row(row, sides, widths)) > 1 for row in rows[1:])
    for number, row in enumerate(rows[1:]):
        lines += [""] if is_tall and number else []
        lines += _row(row, sides, widths)
    return lines


def _row(cells: list[str], sides: Sequence[str], widths: list[int]) -> list[str]:
    wrapped = [wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, wrapped))
    lines = []
    for at in range(height):
        parts = [
            _set(cell[at] if at < len(cell) else "", side, width)
            for cell, side, width in zip(wrapped, sides, widths, strict=True)
        ]
        lines.append(GAP.join(parts).rstrip())
    return lines


def _set(text: str, side: str, width: int) -> str:
    space = max(width - columns(text), 0)
    before = space if side == "right" else space // 2 if side == "center" else 0
    return " " * before + text + " " * (space - before)


def _list(rows: list[list[str]], width: int) -> list[str]:
    lines: list[str] = []
    for row in rows[1:]:
        for number, (head, cell) in enumerate(zip(rows[0], row, strict=True)):
            lines += wrap(f"{head}: {cell}" if head else cell, width, "  " if number else "- ", "    ")
    return lines
