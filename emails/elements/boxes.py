"""Words set apart: a callout, something that opens, a sponsor's words, a sentence worth repeating."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from emails.directives import Said, Shape
from emails.document import Block, Element
from emails.pieces import Piece
from emails.values import Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage


@dataclass(frozen=True)
class _Box(Element):
    shape: ClassVar = Shape.BODY

    title: str
    blocks: tuple[Block, ...]
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Self:
        if not said.blocks:
            raise said.mistake(f"This {said.name} is empty. Write something between its line and the closing :::.")
        return cls(said.rest, said.blocks, said.line)

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        if self.title:
            yield Piece.of("words", self.title)
        yield from within(self.blocks)


class Callout(_Box):
    """:::note A title, if it has one."""

    name: ClassVar = "note"

    def page(self, page: WebPage) -> str:
        title = f'<p class="callout-title">{page.text(self.title)}</p>' if self.title else ""
        return f'<div class="callout" role="note">{title}{page.closing(self.blocks)}</div>'

    def mail(self, mail: MailBody) -> str:
        title = f'<p class="callout-title">{mail.text(self.title)}</p>' if self.title else ""
        return mail.boxed("callout", title, mail.closing(self.blocks))

    def text(self, text: TextPart, width: int) -> list[str]:
        title = [*text.wrapped(self.title, width - 2), ""] if self.title else []
        return text.barred([*title, *text.blocks(self.blocks, width - 2)])


class Toggle(_Box):
    """Closed on the page until somebody wants it. A letter cannot open anything: there it is open."""

    name: ClassVar = "toggle"

    @classmethod
    def read(cls, said: Said) -> Self:
        if not said.rest:
            raise said.mistake("A toggle needs the words that open it: “:::toggle What this is about”.")
        return super().read(said)

    def page(self, page: WebPage) -> str:
        return (
            f'<details class="toggle"><summary>{page.text(self.title)}</summary>'
            f'<div class="toggle-inner">{page.closing(self.blocks)}</div></details>'
        )

    def mail(self, mail: MailBody) -> str:
        title = f'<p class="toggle-title">{mail.text(self.title)}</p>'
        return mail.boxed("toggle", title, mail.closing(self.blocks))

    def text(self, text: TextPart, width: int) -> list[str]:
        inner = text.blocks(self.blocks, width - 2)
        return [*text.wrapped(self.title, width, "+ "), "", *text.indented(inner, "  ")]


@dataclass(frozen=True)
class Sponsor(_Box):
    """Paid-for words. They say so, and so do their links (on the page, to search engines)."""

    name: ClassVar = "sponsor"
    keys: ClassVar = ("url", "logo", "action")

    url: str = ""
    logo: str = ""
    action: str = ""

    @classmethod
    def read(cls, said: Said) -> Self:
        if not said.rest:
            raise said.mistake("A sponsor has a name: “:::sponsor The Nib Company”.")
        if not said.blocks:
            raise said.mistake("This sponsor says nothing. Write something between its line and the closing :::.")
        said.web_addresses("url", "logo")
        return cls(said.rest, said.blocks, said.line, said.get("url"), said.get("logo"), said.get("action"))

    @property
    def label(self) -> str:
        return f"Sponsored by {self.title}"

    @property
    def invites(self) -> str:
        return self.action or f"Visit {self.title}"

    def page(self, page: WebPage) -> str:
        logo = page.picture(self.logo, "", 40, 40) if self.logo else ""
        action = page.button(self.invites, self.url, rel="sponsored noopener") if self.url else ""
        inner = page.sponsored(page.blocks(self.blocks))
        return (
            f'<aside class="sponsor" aria-label="{page.text(self.label)}">'
            f'<p class="sponsor-label">{logo}{page.text(self.label)}</p>{inner}{action}</aside>'
        )

    def mail(self, mail: MailBody) -> str:
        logo = mail.picture(self.logo, "", 40, 40) if self.logo else ""
        action = mail.button(self.invites, self.url) if self.url else ""
        label = f'<p class="sponsor-label">{logo}{mail.text(self.label)}</p>'
        return mail.boxed("sponsor", label, mail.blocks(self.blocks) if action else mail.closing(self.blocks), action)

    def text(self, text: TextPart, width: int) -> list[str]:
        lines = [*text.wrapped(self.label, width - 2), "", *text.blocks(self.blocks, width - 2)]
        lines += ["", *text.wrapped(f"{self.invites}: {self.url}", width - 2)] if self.url else []
        return text.barred(lines)

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield Piece.of("words", self.label)
        yield from within(self.blocks)
        if self.url:
            yield Piece.of("link", self.invites, self.url)


class PullQuote(_Box):
    """A sentence of this post in large letters. Screen readers hear it once, where it belongs."""

    name: ClassVar = "pullquote"

    def page(self, page: WebPage) -> str:
        return f'<aside class="pullquote" aria-hidden="true">{page.closing(self.blocks)}</aside>'

    def mail(self, mail: MailBody) -> str:
        return mail.boxed("pullquote", mail.closing(self.blocks), hidden=True)

    def text(self, text: TextPart, width: int) -> list[str]:
        return text.indented(text.blocks(self.blocks, width - 8), "        ")

    @classmethod
    def read(cls, said: Said) -> Self:
        if said.rest:
            raise said.mistake("A pull quote has its words below its line, and then a closing :::.")
        return super().read(said)
