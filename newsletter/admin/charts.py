"""Charts as plain drawings: bars that need no program, with their numbers in a table beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 160
_GAP = 0.45  # of the room of a bar


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    words: str  # what it stands for, and how much


@dataclass(frozen=True)
class Chart:
    title: str
    bars: list[Bar]
    first: str  # under the first bar
    last: str
    most: str  # at the top


def bars(title: str, values: Sequence[tuple[str, float, str]]) -> Chart:
    """`values`: what each stands for, how high it is, and that in words. Nothing is below zero."""
    highest = max((value for _, value, _ in values), default=0) or 1
    room = WIDTH / max(len(values), 1)
    drawn = [
        Bar(
            x=round(number * room + room * _GAP / 2, 1),
            y=round(HEIGHT - HEIGHT * max(value, 0) / highest, 1),
            width=round(room * (1 - _GAP), 1),
            height=round(HEIGHT * max(value, 0) / highest, 1),
            words=f"{label}: {words}",
        )
        for number, (label, value, words) in enumerate(values)
    ]
    tallest = max(values, key=lambda each: each[1], default=("", 0, ""))
    return Chart(title, drawn, values[0][0] if values else "", values[-1][0] if values else "", tallest[2])
