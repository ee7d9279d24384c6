"""Somebody's post, recommended: where it is from, its title and its first words."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from emails.dates import long_date
from emails.directives import Said, Shape
from emails.document import Block, Element
from emails.pieces import Piece
from emails.values import Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage

SHORTEST_EXCERPT = 15  # "Introduction…" says nothing; hide what is shorter than this
READ_MORE = "Read more"
FRAME = (1200, 630)  # what most pages make their pictures for cards in
MOST_PIXELS = 9999
MARGIN = 21  # pixels of padding and line at each side of a card in a letter


@dataclass(frozen=True)
class Card(Element):
    name: ClassVar = "card"
    shape: ClassVar = Shape.FIELDS
    keys: ClassVar = (
        *("title", "publication", "url", "excerpt", "author", "date", "logo"),
        *("image", "width", "height"),
    )

    title: str
    url: str
    publication: str = ""
    excerpt: str = ""
    author: str = ""
    date: datetime.date | None = None
    logo: str | None = None
    image: str | None = None
    width: int = 0  # of the image, in pixels; without both, the frame of pictures for cards
    height: int = 0
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Card:
        said.needed("title", "url")
        said.web_addresses("url", "logo", "image")
        return cls(
            title=said.fields["title"],
            url=said.fields["url"],
            publication=said.get("publication"),
            excerpt=said.get("excerpt"),
            author=said.get("author"),
            date=read_date(said),
            logo=said.get("logo") or None,
            image=said.get("image") or None,
            width=read_pixels(said, "width"),
            height=read_pixels(said, "height"),
            line=said.line,
        )

    @property
    def telling_excerpt(self) -> str:
        return self.excerpt if len(self.excerpt) >= SHORTEST_EXCERPT else ""

    @property
    def by(self) -> str:
        return " · ".join(filter(None, [self.author, long_date(self.date) if self.date else ""]))

    @property
    def size(self) -> tuple[int, int]:
        return (self.width, self.height) if self.width and self.height else FRAME

    def page(self, page: WebPage) -> str:
        url, title = page.text(self.url), page.text(self.title)
        name = f"<span>{page.text(self.publication)}</span>"
        by = f"<span>{page.text(self.by)}</span>" if self.by else ""
        return "".join(
            [
                '<article class="card">',
                f'<div class="card-image">{page.picture(self.image, "", *self.size)}</div>' if self.image else "",
                f'<p class="card-publication">{self._page_tile(page)}{name}</p>' if self.publication else "",
                f'<p class="card-title"><a href="{url}">{title}</a></p>',
                f'<p class="card-excerpt">{page.text(self.telling_excerpt)}</p>' if self.telling_excerpt else "",
                f'<p class="card-meta"><a href="{url}" aria-label="{READ_MORE}: {title}">{READ_MORE}</a>{by}</p>',
                "</article>",
            ]
        )

    def _page_tile(self, page: WebPage) -> str:
        if self.logo:
            return f'<img src="{page.text(self.logo)}" alt="" width="20" height="20" loading="lazy" />'
        return f'<span class="card-tile" aria-hidden="true">{page.text(self.publication[:1])}</span>'

    def mail(self, mail: MailBody) -> str:
        url = mail.text(self.url)
        by = f" · {mail.text(self.by)}" if self.by else ""
        return mail.boxed(
            "card",
            self._mail_image(mail),
            self._mail_source(mail),
            f'<p class="card-title"><a href="{url}">{mail.text(self.title)}</a></p>',
            f'<p class="card-excerpt">{mail.text(self.telling_excerpt)}</p>' if self.telling_excerpt else "",
            f'<p class="card-meta"><a href="{url}">{READ_MORE}</a>{by}</p>',
        )

    def _mail_image(self, mail: MailBody) -> str:
        """No link: the title below is one. As wide as the box, in whole pixels for Outlook, fluid for the others."""
        if not self.image:
            return ""
        width, height = self.size
        shown = min(width, mail.measure - 2 * MARGIN)
        image = mail.picture(self.image, "", shown, max(1, round(height * shown / width)))
        return f'<div class="card-image">{image}</div>'

    def _mail_source(self, mail: MailBody) -> str:
        if not self.publication:
            return ""
        if self.logo:
            image = f'<img src="{mail.text(self.logo)}" alt="" width="20" height="20" />'
            tile = f'<td class="card-logo" width="20">{image}</td>'
        else:
            letter = mail.text(self.publication[:1])
            tile = f'<td class="card-tile" width="20" height="20" bgcolor="{mail.ground}" align="center">{letter}</td>'
        name = f'<td class="card-publication">{mail.text(self.publication)}</td>'
        return mail.row("card-source", tile + name)

    def text(self, text: TextPart, width: int) -> list[str]:
        source = f"{self.publication}: " if self.publication else ""
        by = f", by {self.author}" if self.author else ""
        day = f" ({long_date(self.date)})" if self.date else ""
        lines = text.wrapped(f"{source}{self.title}{by}{day}", width - 2)
        lines += text.wrapped(self.telling_excerpt, width - 2) if self.telling_excerpt else []
        return text.barred([*lines, *text.wrapped(f"{READ_MORE}: {self.url}", width - 2)])

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        if self.image and rendering is not Rendering.TEXT:
            yield Piece.of("image", "", self.image)
        if self.publication:
            yield Piece.of("card", self.publication)
        yield Piece.of("link", self.title, self.url)
        if self.telling_excerpt:
            yield Piece.of("words", self.telling_excerpt)
        yield Piece.of("link", READ_MORE, self.url)


def read_pixels(said: Said, key: str) -> int:
    value = said.get(key) or "0"
    if not value.isascii() or not value.isdigit() or int(value) > MOST_PIXELS:
        raise said.mistake(f"The {key} of a {said.name} is a number of pixels, like 1200; this one is “{value}”.")
    return int(value)


def read_date(said: Said) -> datetime.date | None:
    value = said.get("date")
    if not value:
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise said.mistake(f"The date of a {said.name} is written 2026-05-31; this one is “{value}”.") from None
