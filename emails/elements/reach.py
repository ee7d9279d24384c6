"""Who sees what: parts for the letter or the page alone, for readers of one kind, and the line where a preview ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from emails.directives import Said, Shape, nearest
from emails.document import Block, Element
from emails.invitation import Invitation, end_for_subscribers, end_of_preview
from emails.pieces import Piece
from emails.values import Access, Audience, Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.values import PostContent, Theme
    from emails.web import WebPage

_PLACES = {"mail": (Rendering.MAIL, Rendering.TEXT), "web": (Rendering.PAGE,)}
_READERS = {"strangers": Audience.STRANGER, "free": Audience.FREE, "paying": Audience.PAYING}


@dataclass(frozen=True)
class Only(Element):
    """:::only mail, :::only web, :::only free, :::only mail paying …"""

    name: ClassVar = "only"
    shape: ClassVar = Shape.BODY

    renderings: tuple[Rendering, ...]
    audiences: tuple[Audience, ...]
    blocks: tuple[Block, ...]
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Only:
        words = said.rest.lower().replace(",", " ").split()
        for word in words:
            if word not in _PLACES and word not in _READERS:
                raise said.mistake(
                    f"“{word}” is neither a place nor a kind of reader.{nearest(word, [*_PLACES, *_READERS])}"
                )
        if not words:
            raise said.mistake("Say for whom or where: “:::only mail”, “:::only web”, “:::only free paying” …")
        places = tuple(place for word in words for place in _PLACES.get(word, ()))
        readers = tuple(_READERS[word] for word in words if word in _READERS)
        return cls(places or tuple(Rendering), readers or tuple(Audience), said.blocks, said.line)

    def is_for(self, rendering: Rendering, audience: Audience) -> bool:
        # Who pays for another tier sees what free readers see: better too little than too much.
        audience = Audience.FREE if audience is Audience.OTHER else audience
        return rendering in self.renderings and audience in self.audiences

    # What is visible has been settled before anything is rendered: `emails/visible.py`. Whatever reaches a renderer
    # all the same is shown to nobody.

    def page(self, page: WebPage) -> str:
        return ""

    def mail(self, mail: MailBody) -> str:
        return ""

    def text(self, text: TextPart, width: int) -> list[str]:
        return []

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield from within(self.blocks)


@dataclass(frozen=True)
class Paywall(Element):
    """The line at which a post ends for readers who may not read all of it. For the others it is not there."""

    name: ClassVar = "paywall"
    shape: ClassVar = Shape.LINE

    words: str
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Paywall:
        return cls(said.rest, said.line)

    def page(self, page: WebPage) -> str:
        return f'<div class="paywall">{page.invitation(self._call(page.content, page.theme, page.audience))}</div>'

    def mail(self, mail: MailBody) -> str:
        return mail.invitation(self._call(mail.content, mail.theme, mail.audience))

    def text(self, text: TextPart, width: int) -> list[str]:
        return text.invitation(self._call(text.content, text.theme, text.audience), width)

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        if self.words:
            yield Piece.of("words", self.words)

    def _call(self, content: PostContent, theme: Theme, audience: Audience) -> Invitation:
        if content.access is Access.SUBSCRIBERS:
            return end_for_subscribers(self.words, theme, audience)
        return end_of_preview(self.words, theme, audience, content.tiers)
