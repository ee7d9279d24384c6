"""Several pictures side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from emails.directives import Said, Shape
from emails.document import Block, Element, Figure, Image, Link, Paragraph, Text
from emails.pieces import Piece
from emails.values import Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage

GAP = 12  # pixels between two of them in a letter


@dataclass(frozen=True)
class Gallery(Element):
    name: ClassVar = "gallery"
    shape: ClassVar = Shape.BODY

    caption: str
    figures: tuple[Figure, ...]
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Gallery:
        figures = tuple(figure for block in said.blocks for figure in _figures(block, said))
        if len(figures) < 2:
            raise said.mistake("A gallery has two pictures or more, each written ![What it shows](https://…).")
        return cls(said.rest, figures, said.line)

    def page(self, page: WebPage) -> str:
        figures = "".join(map(page.figure, self.figures))
        caption = f"<figcaption>{page.text(self.caption)}</figcaption>" if self.caption else ""
        columns = 3 if len(self.figures) % 3 == 0 else 2
        return f'<figure class="gallery gallery-{columns}"><div>{figures}</div>{caption}</figure>'

    def mail(self, mail: MailBody) -> str:
        """Two in a row: a table, since no other way to stand side by side works everywhere."""
        width = (mail.measure - GAP) // 2
        rows = []
        for at in range(0, len(self.figures), 2):
            pair = self.figures[at : at + 2]
            cells = [
                f'<td class="gallery-cell {place}" width="50%" valign="top">{self._small(mail, figure, width)}</td>'
                for place, figure in zip(("gallery-first", "gallery-second"), pair, strict=False)
            ]
            if len(pair) == 1:
                wide = self._small(mail, pair[0], mail.measure)
                cells = [f'<td class="gallery-cell" colspan="2" align="center">{wide}</td>']
            rows.append(f"<tr>{''.join(cells)}</tr>")
        caption = f'<p class="caption">{mail.text(self.caption)}</p>' if self.caption else ""
        return mail.rows("gallery", "".join(rows)) + caption

    def _small(self, mail: MailBody, figure: Figure, width: int) -> str:
        image = figure.image
        height = round(image.height * width / image.width) if image.width and image.height else None
        return mail.figure(replace(figure, image=replace(image, width=width, height=height)))

    def text(self, text: TextPart, width: int) -> list[str]:
        lines = [line for figure in self.figures for line in text.figure(figure, width)]
        return lines + (text.wrapped(self.caption, width) if self.caption else [])

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield from within(self.figures)
        if self.caption:
            yield Piece.of("words", self.caption)


def _figures(block: Block, said: Said) -> Iterator[Figure]:
    """Pictures by themselves, one to a line or one to a paragraph."""
    match block:
        case Figure():
            yield block
        case Paragraph(children):
            for child in children:
                match child:
                    case Image():
                        yield Figure(child, line=block.line)
                    case Link(url, (Image() as image,)):
                        yield Figure(image, url, block.line)
                    case Text(text) if not text.strip():
                        continue
                    case _:
                        raise said.mistake("In a gallery stand pictures alone; words about all of them go on its line.")
        case _:
            raise said.mistake("In a gallery stand pictures alone; words about all of them go on its line.")
