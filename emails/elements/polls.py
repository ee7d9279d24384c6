"""One question, and a link for each answer. The link opens a page that asks once more: opening a link votes for
nothing, since programs that scan mail open every link."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

from emails.directives import Said, Shape
from emails.document import Block, Element, Listing, Paragraph, plain
from emails.pieces import Piece
from emails.values import PostContent, Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage

MOST_ANSWERS = 20


@dataclass(frozen=True)
class Poll(Element):
    name: ClassVar = "poll"
    shape: ClassVar = Shape.BODY

    question: str
    answers: tuple[str, ...]
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Poll:
        if not said.rest:
            raise said.mistake("A poll asks something: “:::poll How do you read letters?”.")
        match said.blocks:
            case (Listing(items),) if 2 <= len(items) <= MOST_ANSWERS:
                answers = tuple(_words(item.blocks) for item in items)
                if all(answers) and len(set(answers)) == len(answers):
                    return cls(said.rest, answers, said.line)
        raise said.mistake(
            f"Below a poll's question stands a list of 2 to {MOST_ANSWERS} different answers, each “- like this”."
        )

    @property
    def key(self) -> str:
        """Names it within its post. Asking something else is another poll; another order of answers too."""
        return sha256("\n".join([self.question, *self.answers]).encode()).hexdigest()[:12]

    def url(self, content: PostContent, number: int) -> str:
        return f"{content.url}/poll/{self.key}/{number}"

    def page(self, page: WebPage) -> str:
        links = self._links(page.content, page.text, ' rel="nofollow"')
        question = f'<p class="poll-question">{page.text(self.question)}</p>'
        return f'<section class="poll" aria-label="Poll">{question}{links}</section>'

    def mail(self, mail: MailBody) -> str:
        question = f'<p class="poll-question">{mail.text(self.question)}</p>'
        return mail.boxed("poll", question, self._links(mail.content, mail.text))

    def _links(self, content: PostContent, written: Callable[[str], str], rel: str = "") -> str:
        items = "\n".join(
            f'<li><a href="{written(self.url(content, number))}"{rel}>{written(answer)}</a></li>'
            for number, answer in enumerate(self.answers, 1)
        )
        return f'<ul class="poll-answers">\n{items}\n</ul>'

    def text(self, text: TextPart, width: int) -> list[str]:
        lines = text.wrapped(self.question, width - 2)
        for number, answer in enumerate(self.answers, 1):
            lines += text.wrapped(f"{answer}: {self.url(text.content, number)}", width - 2, "- ")
        return text.barred(lines)

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        yield Piece.of("words", self.question)
        for answer in self.answers:
            yield Piece.of("link", answer)


def _words(blocks: tuple[Block, ...]) -> str:
    match blocks:
        case (Paragraph(children),):
            return plain(children).strip()
    return ""
