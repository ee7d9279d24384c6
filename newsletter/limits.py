"""How fast mail may leave, as people write it: `20/s 5000/h`. Raises ValueError with a sentence for the operator."""

import re
from dataclasses import dataclass
from typing import Final

GROUPS: Final = ("google", "microsoft", "yahoo", "apple")

_UNITS: Final = {"s": "per_second", "h": "per_hour", "d": "per_day"}
_LIMIT = re.compile(r"(?P<number>\d+(\.\d+)?)/(?P<unit>[a-z]+)")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z0-9]")


@dataclass(frozen=True)
class Limits:
    """Messages that may leave at most. None: no limit. Hours and days are those of the calendar."""

    per_second: float | None = None
    per_hour: int | None = None
    per_day: int | None = None

    @property
    def is_set(self) -> bool:
        return self != UNLIMITED

    @property
    def is_counted(self) -> bool:
        """Whether what has left must be remembered for longer than a moment."""
        return self.per_hour is not None or self.per_day is not None


UNLIMITED: Final = Limits()


def of_destinations(text: str) -> dict[str, Limits]:
    """Read `google: 20/s 5000/h; microsoft: 5/s 10000/d` into limits by group, or by domain."""
    found: dict[str, Limits] = {}
    for entry in filter(None, (part.strip() for part in re.split(r"[;\n]", text.lower()))):
        name, colon, limits = (part.strip() for part in entry.partition(":"))
        if not colon or not limits:
            raise ValueError(f"“{entry}” is not a group with its limits, like “google: 20/s 5000/h”")
        if name not in GROUPS and not _DOMAIN.fullmatch(name):
            raise ValueError(f"“{name}” is no group: write {', '.join(GROUPS)}, or a domain like example.org")
        if name in found:
            raise ValueError(f"“{name}” is there twice")
        found[name] = _limits(name, limits)
    return found


def number(text: str, what: str) -> float:
    """A rate: any number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1_000_000_000:
        raise ValueError(f"{what} must be a number above zero, not “{text}”")
    return value


def whole(text: str, what: str, least: int = 1, most: int = 1_000_000_000) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        bounds = f"of {least} or more" if most == 1_000_000_000 else f"from {least} to {most}"
        raise ValueError(f"{what} must be a whole number {bounds}, not “{text}”")
    return int(text)


def _limits(name: str, text: str) -> Limits:
    given: dict[str, float | int] = {}
    for part in re.split(r"[\s,]+", text):
        match = _LIMIT.fullmatch(part)
        if not match or match["unit"] not in _UNITS:
            raise ValueError(f"“{part}” of {name} is no limit: write 20/s, 5000/h or 10000/d")
        unit = _UNITS[match["unit"]]
        if unit in given:
            raise ValueError(f"{name} has two limits for the same time: “{text}”")
        what = f"“{part}” of {name}: the limit"
        given[unit] = number(match["number"], what) if unit == "per_second" else whole(match["number"], what)
    return Limits(**given)  # type: ignore[arg-type]  # whole numbers where they belong: see above
