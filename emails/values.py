"""The values that go in and come out: plain, frozen, and complete. Nothing here knows where they are stored."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from emails.document import Document
from emails.style import Style


class Audience(StrEnum):
    """Whom a rendering is for."""

    STRANGER = "stranger"  # a visitor of the web page
    FREE = "free"
    PAYING = "paying"  # in full
    OTHER = "other"  # pays for another tier than those that the post is for


class Rendering(StrEnum):
    """The three that are made of each post."""

    PAGE = "page"
    MAIL = "mail"
    TEXT = "text"


class Access(StrEnum):
    """Who may read all of a post; for others it ends at its paywall line."""

    EVERYONE = "everyone"
    SUBSCRIBERS = "subscribers"
    PAYING = "paying"


@dataclass(frozen=True, kw_only=True)
class Theme:
    publication_name: str
    site_url: str
    newsletter_name: str = ""
    accent: str = "#9a3412"
    language: str = "en"
    direction: str = "ltr"
    logo_url: str | None = None
    logo_width: int = 32
    logo_height: int = 32
    logo_dark_url: str | None = None  # shown instead where the scheme is dark
    logo_dark_width: int = 32
    logo_dark_height: int = 32
    style: Style = field(default_factory=Style)
    footer: str = ""  # the author's own words, as they were typed: Markdown's text and links
    postal_address: str = ""
    subscribe_url: str = ""
    upgrade_url: str = ""

    @property
    def name(self) -> str:
        """What the reader signed up for, by name."""
        return self.newsletter_name or self.publication_name


@dataclass(frozen=True, kw_only=True)
class PostContent:
    title: str
    document: Document
    url: str
    date: datetime.date
    subtitle: str = ""
    subject: str = ""
    preheader: str = ""
    authors: tuple[str, ...] = ()
    share_url: str = ""
    series: str | None = None
    series_number: int | None = None
    previous_in_series: tuple[str, str] | None = None  # title, address
    next_in_series: tuple[str, str] | None = None
    access: Access = Access.EVERYONE
    tiers: tuple[str, ...] = ()  # of those who pay, only who holds one of these; by name
    doors: Mapping[str, str] = field(
        default_factory=dict
    )  # where comment, like, reply and gift lead; those that are open
    fold_over: int | None = None  # bytes; a letter that is larger ends with a way on to its page


def mailed_to(content: PostContent) -> tuple[Audience, ...]:
    """The kinds of readers that a letter is made for: strangers get none."""
    return (Audience.FREE, Audience.PAYING, *((Audience.OTHER,) if content.tiers else ()))


@dataclass(frozen=True)
class Fold:
    """Where a letter ends before its text does."""

    begins: str  # the first words of what is left to the page; empty where that is no text
    whole_size: int  # bytes it would have had


@dataclass(frozen=True)
class Compiled:
    """A message before it has a reader: what differs per reader is still a merge mark (`__UNSUBSCRIBE_URL__`)."""

    subject: str
    html: str
    text: str
    missing: tuple[str, ...] = ()  # what a rendering lacks of what was written, in sentences
    fold: Fold | None = None

    @property
    def size(self) -> int:
        """Bytes of the HTML part, the number mail programs clip by."""
        return len(self.html.encode())


@dataclass(frozen=True)
class Sender:
    name: str
    address: str
    reply_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What every message of one mailing has in common."""

    sender: Sender
    date: datetime.datetime
    message_id_domain: str
    list_id: str | None = None  # "Title <label.lists.domain>"
    feedback_id: str | None = None
    archive_url: str | None = None
    help_url: str | None = None
    one_click: bool = True


class Recipient(NamedTuple):
    """One reader, in the values that fill the slots of a letter.

    `message_id` is what stands before the @ in Message-ID: letters, digits, dot, dash and underscore.
    """

    address: str
    message_id: str
    name: str | None = None
    unsubscribe_url: str = ""
    unsubscribe_mailto: str | None = None  # an address, perhaps with ?subject=…
    preferences_url: str = ""
    view_url: str = ""
    more: Mapping[str, str] = MappingProxyType({})  # values of further marks, by their lower-case names
