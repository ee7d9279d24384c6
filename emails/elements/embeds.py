"""Somebody's short post from another site, as a quote: no script of theirs, nothing that can vanish."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from emails.dates import long_date
from emails.directives import Said, Shape
from emails.document import Block, Element
from emails.elements.cards import read_date
from emails.pieces import Piece
from emails.targets import readable_host
from emails.values import Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage


@dataclass(frozen=True)
class Embed(Element):
    name: ClassVar = "embed"
    shape: ClassVar = Shape.BODY
    keys: ClassVar = ("url", "author", "handle", "date")

    url: str
    author: str
    blocks: tuple[Block, ...]
    handle: str = ""
    date: datetime.date | None = None
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Embed:
        said.needed("url", "author")
        said.web_addresses("url")
        if not said.blocks:
            raise said.mistake("This embed has no words: quote what the post says, below its lines.")
        return cls(
            said.fields["url"], said.fields["author"], said.blocks, said.get("handle"), read_date(said), said.line
        )

    @property
    def who(self) -> str:
        return f"{self.author} ({self.handle})" if self.handle else self.author

    @property
    def where(self) -> str:
        site = readable_host(self.url)
        return f"{long_date(self.date)} on {site}" if self.date else f"On {site}"

    def page(self, page: WebPage) -> str:
        return (
            f'<figure class="embed"><figcaption class="embed-author">{page.text(self.who)}</figcaption>'
            f'<blockquote cite="{page.text(self.url)}">{page.closing(self.blocks)}</blockquote>'
            f'<p class="embed-source"><a href="{page.text(self.url)}">{page.text(self.where)}</a></p></figure>'
        )

    def mail(self, mail: MailBody) -> str:
        return mail.boxed(
            "embed",
            f'<p class="embed-author">{mail.text(self.who)}</p>',
            f"<blockquote>{mail.closing(self.blocks)}</blockquote>",
            f'<p class="embed-source"><a href="{mail.text(self.url)}">{mail.text(self.where)}</a></p>',
        )

    def text(self, text: TextPart, width: int) -> list[str]:
        quoted = [f"> {line}".rstrip() for line in text.blocks(self.blocks, width - 2)]
        return [*text.wrapped(f"{self.who}:", width), *quoted, *text.wrapped(f"{self.where}: {self.url}", width)]

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield Piece.of("words", self.who)
        yield Piece("quote", "")
        yield from within(self.blocks)
        yield Piece.of("link", self.where, self.url)
