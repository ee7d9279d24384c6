"""Asking to subscribe, or to support; what is said depends on who reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from emails.directives import Said, Shape
from emails.document import Block, Element
from emails.invitation import Invitation, invitation, upgrade
from emails.pieces import Piece
from emails.values import Audience, Rendering, Theme

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage


@dataclass(frozen=True)
class Subscribe(Element):
    name: ClassVar = "subscribe"
    shape: ClassVar = Shape.LINE

    words: str
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Self:
        return cls(said.rest, said.line)

    def call(self, theme: Theme, audience: Audience) -> Invitation | None:
        return invitation(self.words, theme, audience)

    def page(self, page: WebPage) -> str:
        return page.invitation(self.call(page.theme, page.audience))

    def mail(self, mail: MailBody) -> str:
        return mail.invitation(self.call(mail.theme, mail.audience))

    def text(self, text: TextPart, width: int) -> list[str]:
        return text.invitation(self.call(text.theme, text.audience), width)

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield from ()  # for some readers there is none


class Upgrade(Subscribe):
    """Asks for money, where money can be given: strangers and free readers, not those who pay."""

    name: ClassVar = "upgrade"

    def call(self, theme: Theme, audience: Audience) -> Invitation | None:
        return upgrade(self.words, theme, audience)
