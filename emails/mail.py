"""The tree as the HTML of a letter: nested tables where Outlook needs them, no anchors, sizes in whole pixels."""

from html import escape
from urllib.parse import urlsplit

from emails import colour
from emails.document import Card, CodeBlock, Field, Figure, Image, Note, NoteReference, Paragraph, Quote
from emails.invitation import invitation
from emails.markup import Markup, long_date
from emails.personalise import guard, name_mark
from emails.values import Audience, PostContent, Theme

MEASURE = 552  # pixels: 600 without the margins

TABLE = '<table role="presentation" border="0" cellpadding="0" cellspacing="0"'


class MailBody(Markup):
    def __init__(self, content: PostContent, theme: Theme, audience: Audience) -> None:
        self._content = content
        self._theme = theme
        self._audience = audience
        self._accent = colour.accent_for(theme.accent, colour.GROUND)

    def body(self) -> str:
        return self.blocks(self._content.document.blocks)

    def notes(self) -> str:
        notes = self._content.document.notes
        if not notes:
            return ""
        items = "\n".join(f"<li>{self._note(note)}</li>" for note in notes)
        return f'<p class="label">Notes</p>\n<ol class="notes">\n{items}\n</ol>'

    def text(self, text: str) -> str:
        return escape(guard(text))

    def quote(self, quote: Quote) -> str:
        return (
            f'{TABLE} width="100%" class="quote"><tr><td class="quote-cell">'
            f"<blockquote>{self.closing(quote.blocks)}</blockquote></td></tr></table>"
        )

    def code_block(self, block: CodeBlock) -> str:
        lines = "<br />".join(_unbroken(self.text(line)) for line in block.text.expandtabs(4).split("\n"))
        return f'{TABLE} width="100%" class="code"><tr><td class="code-cell">{lines}</td></tr></table>'

    def figure(self, figure: Figure) -> str:
        named = f"Image: {urlsplit(figure.url).netloc}" if figure.url else ""
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

    def button(self, text: str, url: str) -> str:
        return (
            f'{TABLE} class="button"><tr><td class="button-cell" align="center" bgcolor="{self._accent}"'
            f' style="mso-padding-alt:12px 24px"><a href="{self.text(url)}">{self.text(text)}</a></td></tr></table>'
        )

    def share(self, text: str) -> str:
        return self.button(text, self._content.share_url or self._content.url)

    def subscribe(self, text: str) -> str:
        call = invitation(text, self._theme, self._audience)
        if not call:
            return ""
        action = self.button(call.action, call.url) if call.url else ""
        return (
            f'{TABLE} width="100%" class="invitation"><tr><td class="invitation-cell">'
            f"<p>{self.text(call.words)}</p>{action}</td></tr></table>"
        )

    def card(self, card: Card) -> str:
        url = self.text(card.url)
        by = " · ".join(filter(None, [card.author, long_date(card.date) if card.date else ""]))
        return "".join(
            [
                f'{TABLE} width="100%" class="card"><tr><td class="card-cell">',
                self._source(card),
                f'<p class="card-title"><a href="{url}">{self.text(card.title)}</a></p>',
                f'<p class="card-excerpt">{self.text(card.telling_excerpt)}</p>' if card.telling_excerpt else "",
                f'<p class="card-meta"><a href="{url}">Read more</a>{f" · {self.text(by)}" if by else ""}</p>',
                "</td></tr></table>",
            ]
        )

    def _source(self, card: Card) -> str:
        if not card.publication:
            return ""
        if card.logo:
            image = f'<img src="{self.text(card.logo)}" alt="" width="20" height="20" />'
            tile = f'<td class="card-logo" width="20">{image}</td>'
        else:
            letter = self.text(card.publication[:1])
            tile = (
                f'<td class="card-tile" width="20" height="20" bgcolor="{colour.GROUND}" align="center">{letter}</td>'
            )
        name = f'<td class="card-publication">{self.text(card.publication)}</td>'
        return f'{TABLE} class="card-source"><tr>{tile}{name}</tr></table>'

    def field(self, field: Field) -> str:
        return name_mark(field.fallback)

    def note_reference(self, reference: NoteReference) -> str:
        # Anchors inside a mail fail in Gmail's and Outlook's apps: the number leads to the note on the web page.
        return f'<sup><a href="{self.text(self._content.url)}#fn-{reference.number}">{reference.number}</a></sup>'

    def _note(self, note: Note) -> str:
        return self.blocks(note.blocks) if note.blocks else self.block(Paragraph(()))


def _unbroken(line: str) -> str:
    """Outlook knows no white-space: every blank that would collapse is made of something else."""
    indent = len(line) - len(line.lstrip(" "))
    return "&#160;" * indent + line[indent:].replace("  ", " &#160;") or "&#160;"


def _fitted(image: Image) -> tuple[int | None, int | None]:
    if not image.width or image.width <= MEASURE:
        return image.width, image.height
    return MEASURE, round(image.height * MEASURE / image.width) if image.height else None
