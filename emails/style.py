"""What an author chooses of the looks, besides a colour and a logo: the same words for mail, notices and page."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Faces(StrEnum):
    SERIF = "serif"
    SANS = "sans"


class Header(StrEnum):
    LEFT = "left"  # logo and name on one line
    CENTRED = "centred"  # the logo above the name, a double rule below
    LOGO = "logo"  # the logo alone; the name where there is none, or where pictures are off
    RULE = "rule"  # as at the left, larger, with a rule below


class Headings(StrEnum):
    PLAIN = "plain"
    RULED = "ruled"  # large and light, a hairline above each section
    SMALL = "small"


class Quotes(StrEnum):
    LINE = "line"  # a hairline beside them
    LARGE = "large"
    GROUND = "ground"  # on a faint ground


class Cards(StrEnum):
    BOX = "box"
    RULES = "rules"  # hairlines above and below
    GROUND = "ground"


@dataclass(frozen=True, kw_only=True)
class Style:
    faces: Faces = Faces.SERIF
    header: Header = Header.LEFT
    headings: Headings = Headings.PLAIN
    quotes: Quotes = Quotes.LINE
    cards: Cards = Cards.BOX


@dataclass(frozen=True)
class Preset:
    """A whole that was made to go together; each of its values can be changed by itself."""

    name: str
    words: str
    style: Style


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "letter": Preset("Letter", "Quiet, bookish, close to the reader.", Style()),
        "broadsheet": Preset(
            "Broadsheet",
            "A front page: the name in the middle, large light headlines.",
            Style(header=Header.CENTRED, headings=Headings.RULED, quotes=Quotes.LARGE, cards=Cards.RULES),
        ),
        "note": Preset(
            "Note",
            "Brisk and modern, without serifs.",
            Style(
                faces=Faces.SANS,
                header=Header.RULE,
                headings=Headings.SMALL,
                quotes=Quotes.GROUND,
                cards=Cards.GROUND,
            ),
        ),
    }
)


def preset_of(style: Style) -> str:
    """The name of the preset with exactly these values; empty if there is none."""
    return next((name for name, preset in PRESETS.items() if preset.style == style), "")
