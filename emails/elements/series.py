"""The way to the posts before and after this one in its series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from emails.directives import Said, Shape
from emails.document import Block, Element
from emails.pieces import Piece
from emails.values import PostContent, Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage


@dataclass(frozen=True)
class Series(Element):
    name: ClassVar = "series"
    shape: ClassVar = Shape.LINE

    words: str
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Series:
        return cls(said.rest, said.line)

    def page(self, page: WebPage) -> str:
        steps = self._steps(page.content)
        if not steps:
            return ""
        items = "".join(
            f'<li>{where}: <a href="{page.text(url)}">{page.text(title)}</a></li>' for where, title, url in steps
        )
        title = page.text(self._title(page.content))
        return f'<nav class="series-nav" aria-label="{title}"><p>{title}</p><ul>{items}</ul></nav>'

    def mail(self, mail: MailBody) -> str:
        steps = self._steps(mail.content)
        if not steps:
            return ""
        lines = [
            f'<p class="series-step">{where}: <a href="{mail.text(url)}">{mail.text(title)}</a></p>'
            for where, title, url in steps
        ]
        return mail.boxed("series-nav", f'<p class="label">{mail.text(self._title(mail.content))}</p>', *lines)

    def text(self, text: TextPart, width: int) -> list[str]:
        steps = self._steps(text.content)
        if not steps:
            return []
        lines = text.wrapped(self._title(text.content), width - 2)
        for where, title, url in steps:
            lines += [*text.wrapped(f"{where}: {title}", width - 2), text.address(url)]
        return text.barred(lines)

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield from ()  # what is before and after changes as posts are published

    def _title(self, content: PostContent) -> str:
        return self.words or f"Part of {content.series}" if content.series else self.words or "In this series"

    def _steps(self, content: PostContent) -> list[tuple[str, str, str]]:
        around = (("Before this", content.previous_in_series), ("After this", content.next_in_series))
        return [(where, *step) for where, step in around if step]
