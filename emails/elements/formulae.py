"""A formula on a line of its own: $$ … $$, or :::math."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from emails import formulas
from emails.directives import Said, Shape
from emails.document import Block, Element
from emails.pieces import Piece
from emails.values import Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage


@dataclass(frozen=True)
class Formulae(Element):
    name: ClassVar = "math"
    shape: ClassVar = Shape.RAW

    tex: str
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Formulae:
        try:
            formulas.mathml(said.raw.strip(), is_block=True)
            formulas.in_words(said.raw.strip())
        except formulas.BadFormula as error:
            raise said.mistake(str(error)) from None
        return cls(said.raw.strip(), said.line)

    def page(self, page: WebPage) -> str:
        return f'<div class="math" tabindex="0">{formulas.mathml(self.tex, is_block=True)}</div>'

    def mail(self, mail: MailBody) -> str:
        return f'<p class="math">{mail.formula(self.tex)}</p>'

    def text(self, text: TextPart, width: int) -> list[str]:
        return text.indented(text.wrapped(formulas.in_words(self.tex), width - 4), "    ")

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield Piece.of("formula", self.tex if rendering is Rendering.PAGE else formulas.in_words(self.tex))
