"""What the author decides about looks: on the site, in letters and in notices alike."""

from enum import StrEnum
from typing import TypeVar

import emails
from emails import footer as footers
from newsletter.publication.models import LongMail, Publication
from newsletter.publication.settings import BadSetting, is_colour

Choice = TypeVar("Choice", bound=StrEnum)


def change(
    publication: Publication,
    *,
    accent: str,
    faces: str,
    header: str,
    headings: str,
    quotes: str,
    cards: str,
    footer: str,
    long_mail: str,
) -> None:
    """Raises BadSetting, and then changes nothing."""
    if not is_colour(accent):
        raise BadSetting("accent", f"“{accent}” is not a colour. Write it like #8a4b2d.")
    chosen = {
        "faces": _chosen(emails.Faces, "faces", faces),
        "header": _chosen(emails.Header, "header", header),
        "headings": _chosen(emails.Headings, "headings", headings),
        "quotes": _chosen(emails.Quotes, "quotes", quotes),
        "cards": _chosen(emails.Cards, "cards", cards),
        "long_mail": _chosen(LongMail, "long_mail", long_mail),
    }
    footer = footer.replace("\r\n", "\n").strip()
    try:
        footers.check(footer)
    except emails.SourceError as error:
        raise BadSetting("footer", error.sentence) from None
    for name, value in chosen.items():
        setattr(publication, name, value)
    publication.accent = accent.lower()
    publication.footer = footer


def set_logo(publication: Publication, key: str | None) -> None:
    """Show a picture that was kept before (posts.pictures), or none. The one for the dark goes with it."""
    publication.logo_key = key
    if key is None:
        publication.logo_dark_key = None


def set_dark_logo(publication: Publication, key: str | None) -> None:
    """Where the scheme is dark, show this one instead. Raises BadSetting while there is none to stand in for."""
    if key is not None and publication.logo_key is None:
        raise BadSetting("logo", "Upload the logo itself first: most inboxes never show another one.")
    publication.logo_dark_key = key


def _chosen(kind: type[Choice], field: str, value: str) -> Choice:
    try:
        return kind(value)
    except ValueError:
        raise BadSetting(field, "Choose one of these.") from None
