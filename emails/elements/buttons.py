"""A button that leads somewhere: to an address of the author's, or to what belongs to the post (its share page …)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from emails.directives import Said, Shape, is_link
from emails.document import Block, Element
from emails.pieces import Piece
from emails.targets import normal
from emails.values import Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.values import PostContent
    from emails.web import WebPage

_BUTTON = re.compile(r"\[(?P<text>.*)\]\((?P<url>\S+)\)$")


@dataclass(frozen=True)
class Button(Element):
    name: ClassVar = "button"
    shape: ClassVar = Shape.LINE

    words: str
    url: str
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Button:
        match = _BUTTON.match(said.rest)
        if not match or not match["text"].strip():
            raise said.mistake("A button is written “:::button [What happens](https://…)”.")
        if not is_link(match["url"]):
            raise said.mistake(f"A button leads to https://, http:// or mailto:, not to “{match['url']}”.")
        return cls(match["text"].strip(), normal(match["url"]), said.line)

    def page(self, page: WebPage) -> str:
        return page.button(self.words, self.url)

    def mail(self, mail: MailBody) -> str:
        return mail.button(self.words, self.url)

    def text(self, text: TextPart, width: int) -> list[str]:
        return text.wrapped(f"{self.words}: {self.url.removeprefix('mailto:')}", width)

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        url = self.url.removeprefix("mailto:") if rendering is Rendering.TEXT else self.url
        yield Piece.of("link", self.words, url)


@dataclass(frozen=True)
class _Door(Element):
    """A button to something that belongs to this post. Where it is not open, there is no button."""

    shape: ClassVar = Shape.LINE
    usual: ClassVar[str]

    words: str
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Self:
        return cls(said.rest or cls.usual, said.line)

    def url(self, content: PostContent) -> str:
        return content.doors.get(self.name, "")

    def page(self, page: WebPage) -> str:
        url = self.url(page.content)
        # An address in a page is found by those who collect them: in the letter alone it is safe.
        return page.button(self.words, url, self.name) if url and not url.startswith("mailto:") else ""

    def mail(self, mail: MailBody) -> str:
        url = self.url(mail.content)
        return mail.button(self.words, url) if url else ""

    def text(self, text: TextPart, width: int) -> list[str]:
        url = self.url(text.content)
        return text.wrapped(f"{self.words}: {url.removeprefix('mailto:')}", width) if url else []

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield from ()  # whether there is one depends on what is open


class Share(_Door):
    name: ClassVar = "share"
    usual: ClassVar = "Share"

    def url(self, content: PostContent) -> str:
        return content.share_url

    def mail(self, mail: MailBody) -> str:
        return mail.button(self.words, mail.content.share_url or mail.content.url)

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield Piece.of("link", self.words)


class Comment(_Door):
    name: ClassVar = "comment"
    usual: ClassVar = "Leave a comment"


class Like(_Door):
    name: ClassVar = "like"
    usual: ClassVar = "Like"


class Reply(_Door):
    name: ClassVar = "reply"
    usual: ClassVar = "Reply to this letter"


class Gift(_Door):
    name: ClassVar = "gift"
    usual: ClassVar = "Give a subscription"
