"""The tree as a safe HTML fragment for the post's page."""

from html import escape

from emails.document import (
    Card,
    CodeBlock,
    Document,
    Field,
    Figure,
    Heading,
    Image,
    Note,
    NoteReference,
    Paragraph,
)
from emails.invitation import invitation
from emails.markup import Markup, long_date
from emails.values import Audience, Theme


def render_web(
    document: Document,
    *,
    theme: Theme,
    audience: Audience,
    share_url: str = "",
    subscribe_html: str = "",
) -> str:
    """The body of a post and its notes. `subscribe_html` (trusted, the caller's own form) stands where a stranger
    is asked to subscribe; without it, or for others, there is a link."""
    return WebPage(theme, audience, share_url, subscribe_html).page(document)


class WebPage(Markup):
    def __init__(self, theme: Theme, audience: Audience, share_url: str, subscribe_html: str) -> None:
        self._theme = theme
        self._audience = audience
        self._share_url = share_url
        self._subscribe_html = subscribe_html

    def page(self, document: Document) -> str:
        return "\n".join(filter(None, [self.blocks(document.blocks), self._notes(document.notes)]))

    def heading(self, heading: Heading) -> str:
        tag = f"h{heading.level}"
        return f'<{tag} id="{escape(heading.id)}">{self.inline(heading.children)}</{tag}>'

    def code_block(self, block: CodeBlock) -> str:
        language = f' class="language-{escape(block.language)}"' if block.language else ""
        return f'<pre tabindex="0"><code{language}>{self.text(block.text)}</code></pre>'

    def figure(self, figure: Figure) -> str:
        image = self.image(figure.image, named=figure.url or "")
        if figure.url:
            image = f'<a href="{escape(figure.url)}">{image}</a>'
        caption = figure.image.caption
        return f"<figure>{image}{f'<figcaption>{escape(caption)}</figcaption>' if caption else ''}</figure>"

    def image(self, image: Image, named: str = "") -> str:
        size = "".join(
            f' {name}="{value}"' for name, value in (("width", image.width), ("height", image.height)) if value
        )
        return f'<img src="{escape(image.url)}" alt="{escape(image.alt or named)}"{size} loading="lazy" />'

    def button(self, text: str, url: str) -> str:
        return f'<p class="button"><a href="{escape(url)}">{escape(text)}</a></p>'

    def share(self, text: str) -> str:
        return (
            f'<p class="button share"><a href="{escape(self._share_url)}">{escape(text)}</a></p>'
            if self._share_url
            else ""
        )

    def subscribe(self, text: str) -> str:
        call = invitation(text, self._theme, self._audience)
        if not call:
            return ""
        if self._audience is Audience.STRANGER and self._subscribe_html:
            action = self._subscribe_html
        else:
            action = self.button(call.action, call.url) if call.url else ""
        return f'<aside class="invitation" aria-label="Subscribe"><p>{escape(call.words)}</p>{action}</aside>'

    def card(self, card: Card) -> str:
        url = escape(card.url)
        by = " · ".join(filter(None, [card.author, long_date(card.date) if card.date else ""]))
        return "".join(
            [
                '<article class="card">',
                f'<p class="card-publication">{self._tile(card)}<span>{escape(card.publication)}</span></p>'
                if card.publication
                else "",
                f'<p class="card-title"><a href="{url}">{escape(card.title)}</a></p>',
                f'<p class="card-excerpt">{escape(card.telling_excerpt)}</p>' if card.telling_excerpt else "",
                f'<p class="card-meta"><a href="{url}" aria-label="Read more: {escape(card.title)}">Read more</a>'
                f"{f'<span>{escape(by)}</span>' if by else ''}</p>",
                "</article>",
            ]
        )

    def _tile(self, card: Card) -> str:
        if card.logo:
            return f'<img src="{escape(card.logo)}" alt="" width="20" height="20" loading="lazy" />'
        return f'<span class="card-tile" aria-hidden="true">{escape(card.publication[:1])}</span>'

    def field(self, field: Field) -> str:
        return escape(field.fallback)

    def note_reference(self, reference: NoteReference) -> str:
        number, id_ = reference.number, _reference_id(reference.number, reference.occurrence)
        return (
            f'<sup><a id="{id_}" href="#fn-{number}" role="doc-noteref" class="note-reference"'
            f' aria-label="Note {number}">{number}</a></sup>'
        )

    def _notes(self, notes: tuple[Note, ...]) -> str:
        if not notes:
            return ""
        items = "\n".join(f'<li id="fn-{note.number}">{self._note(note)}</li>' for note in notes)
        return f'<section class="notes" role="doc-endnotes" aria-label="Notes">\n<ol>\n{items}\n</ol>\n</section>'

    def _note(self, note: Note) -> str:
        back = "".join(
            f' <a href="#{_reference_id(note.number, occurrence)}" role="doc-backlink" class="note-back"'
            f' aria-label="Back to the text, note {note.number}">↩</a>'
            for occurrence in range(1, note.references + 1)
        )
        if note.blocks and isinstance(last := note.blocks[-1], Paragraph):
            head = self.blocks(note.blocks[:-1])
            return f"{head}<p>{self.inline(last.children)}{back}</p>"
        return f'{self.blocks(note.blocks)}<p class="note-return">{back.strip()}</p>'


def _reference_id(number: int, occurrence: int) -> str:
    return f"fnref-{number}" if occurrence == 1 else f"fnref-{number}-{occurrence}"
