"""Something that can be bought, with its price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from emails.directives import Said, Shape
from emails.document import Block, Element
from emails.pieces import Piece
from emails.values import Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage

WIDTH = 160  # pixels of its picture


@dataclass(frozen=True)
class Product(Element):
    name: ClassVar = "product"
    shape: ClassVar = Shape.BODY
    keys: ClassVar = ("url", "price", "picture", "alt", "action")
    stands_without_words: ClassVar = True

    title: str
    url: str
    price: str = ""
    picture: str = ""
    alt: str = ""
    action: str = "Buy"
    blocks: tuple[Block, ...] = ()
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Product:
        if not said.rest:
            raise said.mistake("A product has a name: “:::product A box of letter paper”.")
        said.needed("url")
        said.web_addresses("url", "picture")
        return cls(
            said.rest,
            said.fields["url"],
            said.get("price"),
            said.get("picture"),
            said.get("alt"),
            said.get("action") or "Buy",
            said.blocks,
            said.line,
        )

    def page(self, page: WebPage) -> str:
        picture = page.picture(self.picture, self.alt, WIDTH, WIDTH) if self.picture else ""
        price = f'<p class="product-price">{page.text(self.price)}</p>' if self.price else ""
        buy = page.button(self.action, self.url, label=f"{self.action}: {self.title}")
        return (
            f'<section class="product" aria-label="{page.text(self.title)}">{picture}<div>'
            f'<p class="product-title"><a href="{page.text(self.url)}">{page.text(self.title)}</a></p>'
            f"{price}{page.blocks(self.blocks)}{buy}</div></section>"
        )

    def mail(self, mail: MailBody) -> str:
        picture = (
            f'<div class="image">{mail.picture(self.picture, self.alt, WIDTH, WIDTH)}</div>' if self.picture else ""
        )
        return mail.boxed(
            "product",
            picture,
            f'<p class="product-title"><a href="{mail.text(self.url)}">{mail.text(self.title)}</a></p>',
            f'<p class="product-price">{mail.text(self.price)}</p>' if self.price else "",
            mail.blocks(self.blocks),
            mail.button(self.action, self.url),
        )

    def text(self, text: TextPart, width: int) -> list[str]:
        lines = text.wrapped(f"{self.title}, {self.price}" if self.price else self.title, width - 2)
        if self.blocks:
            lines += ["", *text.blocks(self.blocks, width - 2), ""]
        return text.barred([*lines, *text.wrapped(f"{self.action}: {self.url}", width - 2)])

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        if rendering is Rendering.TEXT:
            yield Piece.of("words", self.title)
        else:
            if self.picture:
                yield Piece.of("image", self.alt, self.picture)
            yield Piece.of("link", self.title, self.url)
        if self.price and rendering is not Rendering.TEXT:
            yield Piece.of("words", self.price)
        yield from within(self.blocks)
        yield Piece.of("link", self.action, self.url)
