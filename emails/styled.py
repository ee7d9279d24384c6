"""What a style changes of a letter's looks: the rules that stand after those of `look`, by what they are about."""

from emails import colour
from emails.faces import INTERFACE, READING
from emails.style import Cards, Faces, Header, Headings, Quotes, Style

Rules = list[tuple[str, str]]  # selector, declarations


def face(style: Style) -> str:
    return INTERFACE if style.faces is Faces.SANS else READING


def size(style: Style) -> str:
    """Of the text. Faces without serifs look larger than they are."""
    return "17px" if style.faces is Faces.SANS else "18px"


def inlined(style: Style) -> Rules:
    text = [(".text .quote-cell, .text .invitation-cell", f"font-size: {size(style)}")]
    return [*text, *_header(style), *_HEADINGS[style.headings], *_QUOTES[style.quotes], *_CARDS[style.cards]]


def phone(style: Style) -> Rules:
    """Where a window is narrow."""
    highest, second = _SMALLER[style.headings]
    sides = "14px 0" if style.cards is Cards.RULES else "14px 16px"
    rules = [
        (".text h1", f"font-size: {highest}"),
        (".text h2", f"font-size: {second}"),
        (".text .card-cell", f"padding: {sides}"),
    ]
    if style.quotes is Quotes.LARGE:
        rules.append((".text .quote-cell", "font-size: 20px; padding-left: 16px"))
    elif style.quotes is Quotes.LINE:
        rules.append((".text .quote-cell", "padding-left: 16px"))
    return rules


def dark(style: Style, *, has_dark_logo: bool) -> Rules:
    """What differs in a dark scheme. The dark logo stands beside the light one and is not shown unless asked for."""
    rules = []
    if style.header in (Header.CENTRED, Header.RULE):
        rules.append((".text .masthead", f"border-color: {colour.DARK_INK}"))
    if style.headings is Headings.RULED:
        rules.append((".text h2", f"border-color: {colour.DARK_HAIRLINE}"))
    grounds = [
        *([".text .quote-cell"] if style.quotes is Quotes.GROUND else []),
        *([_BOXES] if style.cards is Cards.GROUND else []),
    ]
    if grounds:
        rules.append(
            (", ".join(grounds), f"background-color: {colour.DARK_GROUND}; border-color: {colour.DARK_GROUND}")
        )
    if style.cards is Cards.GROUND:
        rules.append((".text .card-tile", f"background-color: {colour.DARK_PAPER}"))
    if has_dark_logo:
        shown = "block" if style.header is Header.CENTRED else "inline-block"
        rules += [(".text .logo-light", "display: none"), (".text .logo-dark", f"display: {shown}")]
    return rules


def _header(style: Style) -> Rules:
    name = f"font-family: {face(style)}; font-weight: bold"
    match style.header:
        case Header.CENTRED:
            return [
                (
                    ".text .masthead",
                    f"{name}; font-size: 28px; line-height: 1.2; padding: 0 0 16px; text-align: center; "
                    f"border-bottom: 3px double {colour.INK}",
                ),
                (".text .masthead .logo", "display: block; margin: 0 auto 12px"),
            ]
        case Header.RULE:
            return [
                (
                    ".text .masthead",
                    f"{name}; font-size: 20px; line-height: 1.4; padding: 0 0 12px; "
                    f"border-bottom: 2px solid {colour.INK}",
                )
            ]
        case Header.LOGO:
            return [(".text .masthead .logo", "margin: 0")]
    return []


_HEADINGS: dict[Headings, Rules] = {
    Headings.PLAIN: [],
    Headings.RULED: [
        (".text h1", "font-size: 38px; line-height: 1.15; font-weight: normal; letter-spacing: -0.5px"),
        (
            ".text h2",
            f"margin: 44px 0 14px; padding: 18px 0 0; border-top: 1px solid {colour.HAIRLINE}; "
            "font-size: 26px; font-weight: normal",
        ),
        (".text h3", "font-size: 19px"),
    ],
    Headings.SMALL: [
        (".text h1", "font-size: 28px; line-height: 1.25; letter-spacing: -0.3px"),
        (".text h2", "margin: 34px 0 10px; font-size: 20px; line-height: 1.3"),
        (".text h3", "margin: 28px 0 8px; font-size: 17px"),
        (".text h4, .text h5, .text h6", "font-size: 16px"),
        (".text .dek", "font-size: 18px"),
    ],
}

_SMALLER = {  # on a phone: the title, and the headings of sections
    Headings.PLAIN: ("28px", "22px"),
    Headings.RULED: ("30px", "23px"),
    Headings.SMALL: ("25px", "19px"),
}

_QUOTES: dict[Quotes, Rules] = {
    Quotes.LINE: [],
    Quotes.LARGE: [
        (".text .quote-cell", "border-left: 0; padding: 8px 0 8px 28px; font-size: 22px; line-height: 1.45")
    ],
    Quotes.GROUND: [
        (
            ".text .quote-cell",
            f"border-left: 0; padding: 16px 20px; background-color: {colour.GROUND}; border-radius: 10px",
        )
    ],
}

# Everything that stands in a box of its own.
_BOXES = ", ".join(
    f".text .{kind}-cell" for kind in ("card", "sponsor", "product", "poll", "series-nav", "embed", "player")
)

_CARDS: dict[Cards, Rules] = {
    Cards.BOX: [],
    Cards.RULES: [
        (
            _BOXES,
            f"border: 0; border-top: 1px solid {colour.HAIRLINE}; border-bottom: 1px solid {colour.HAIRLINE}; "
            "border-radius: 0; padding: 16px 0",
        )
    ],
    Cards.GROUND: [
        (_BOXES, f"border: 1px solid {colour.GROUND}; background-color: {colour.GROUND}"),
        (".text .card-tile", f"background-color: {colour.PAPER}"),
    ],
}
