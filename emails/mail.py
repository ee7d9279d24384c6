"""The tree as the HTML of a letter: nested tables where Outlook needs them, no anchors, sizes in whole pixels."""

import re
from html import escape

from emails import colour, formulas
from emails.document import CodeBlock, Element, Field, Figure, Image, Note, NoteReference, Paragraph, Quote
from emails.invitation import Invitation
from emails.markup import Markup
from emails.personalise import guard, name_mark
from emails.targets import host_of
from emails.values import Audience, PostContent, Theme

MEASURE = 552  # pixels: 600 without the margins

TABLE = '<table role="presentation" border="0" cellpadding="0" cellspacing="0"'


class MailBody(Markup):
    """Of a post that holds only what these readers may see."""

    measure = MEASURE
    ground = colour.GROUND

    def __init__(self, content: PostContent, theme: Theme, audience: Audience) -> None:
        super().__init__(content, theme, audience)
        self._accent = colour.accent_for(theme.accent, colour.GROUND)

    def body(self) -> str:
        return self.blocks(self.content.document.blocks)

    def notes(self) -> str:
        notes = self.content.document.notes
        if not notes:
            return ""
        items = "\n".join(f'<li value="{note.number}">{self._note(note)}</li>' for note in notes)
        return f'<p class="label">Notes</p>\n<ol class="notes">\n{items}\n</ol>'

    def text(self, text: str) -> str:
        return escape(guard(text))

    def guarded(self, html: str) -> str:
        """HTML that is clean already, with its underscores kept from looking like marks."""
        return guard(html)

    def boxed(self, name: str, *inner: str, hidden: bool = False) -> str:
        """A box as wide as the text: a table, since nothing else keeps its padding everywhere."""
        aria = ' aria-hidden="true"' if hidden else ""
        return (
            f'{TABLE} width="100%" class="{name}"{aria}><tr><td class="{name}-cell">{"".join(inner)}</td></tr></table>'
        )

    def rows(self, name: str, rows: str) -> str:
        return f'{TABLE} width="100%" class="{name}">{rows}</table>'

    def row(self, name: str, cells: str) -> str:
        return f'{TABLE} class="{name}"><tr>{cells}</tr></table>'

    def quote(self, quote: Quote) -> str:
        words = super().quote(quote)
        return self.boxed("quote", words) if words else ""

    def code_block(self, block: CodeBlock) -> str:
        code = self.highlighted(block.text.expandtabs(4), block.language)
        lines = "<br />".join(map(_unbroken, code))
        title = f'<p class="code-title">{self.text(block.title)}</p>' if block.title else ""
        return title + self.boxed("code", lines)

    def figure(self, figure: Figure) -> str:
        named = f"Image: {host_of(figure.url)}" if figure.url else ""
        image = self.image(figure.image, named)
        if figure.url:
            image = f'<a href="{self.text(figure.url)}">{image}</a>'
        caption = figure.image.caption
        caption = f'<p class="caption">{self.text(caption)}</p>' if caption else ""
        return f'<div class="image">{image}{caption}</div>'

    def image(self, image: Image, named: str = "") -> str:
        width, height = _fitted(image)
        size = "".join(f' {name}="{value}"' for name, value in (("width", width), ("height", height)) if value)
        # A percentage lets the table around it shrink on a phone; max-width alone would hold it open.
        fluid = f' style="width:100%;max-width:{width}px"' if width else ""
        return f'<img src="{self.text(image.url)}" alt="{self.text(image.alt or named)}"{size}{fluid} />'

    def picture(self, url: str, alt: str, width: int, height: int) -> str:
        """A picture of a known place, where only its frame is known."""
        return self.image(Image(url, alt, width, height))

    def button(self, text: str, url: str) -> str:
        return (
            f'{TABLE} class="button"><tr><td class="button-cell" align="center" bgcolor="{self._accent}"'
            f' style="mso-padding-alt:12px 24px"><a href="{self.text(url)}">{self.text(text)}</a></td></tr></table>'
        )

    def element(self, element: Element) -> str:
        return element.mail(self)

    def invitation(self, call: Invitation | None) -> str:
        if not call:
            return ""
        action = self.button(call.action, call.url) if call.url else ""
        return self.boxed("invitation", f"<p>{self.text(call.words)}</p>", action)

    def formula(self, tex: str) -> str:
        return f'<span class="formula">{self.text(formulas.in_words(tex))}</span>'

    def field(self, field: Field) -> str:
        return name_mark(field.fallback)

    def note_reference(self, reference: NoteReference) -> str:
        # Anchors inside a mail fail in Gmail's and Outlook's apps: the number leads to the note on the web page.
        return f'<sup><a href="{self.text(self.content.url)}#fn-{reference.number}">{reference.number}</a></sup>'

    def _note(self, note: Note) -> str:
        return self.blocks(note.blocks) if note.blocks else self.block(Paragraph(()))


def _unbroken(line: str) -> str:
    """Outlook knows no white-space: every blank that would collapse is made of something else. `line` may hold tags."""
    shown = re.sub(r"<[^>]+>", "", line)
    indent = len(shown) - len(shown.lstrip(" "))
    if indent:
        line = _without_blanks(line, indent)
    return "&#160;" * indent + re.sub(r"  (?![^<]*>)", " &#160;", line) or "&#160;"


def _without_blanks(line: str, count: int) -> str:
    """`line` without its first `count` blanks, which may stand within a tag's content."""
    kept, left, is_tag = [], count, False
    for letter in line:
        is_tag = (is_tag or letter == "<") and not (is_tag and letter == ">")
        if letter == " " and not is_tag and left:
            left -= 1
        else:
            kept.append(letter)
    return "".join(kept)


def _fitted(image: Image) -> tuple[int | None, int | None]:
    if not image.width or image.width <= MEASURE:
        return image.width, image.height
    return MEASURE, round(image.height * MEASURE / image.width) if image.height else None
