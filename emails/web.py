"""The tree as a safe HTML fragment for the post's page."""

import re
from html import escape

from emails import formulas, pictures
from emails.document import (
    CodeBlock,
    Element,
    Field,
    Figure,
    Heading,
    Image,
    Note,
    NoteReference,
    Paragraph,
    Table,
)
from emails.invitation import Invitation
from emails.markup import Markup
from emails.values import Audience, PostContent, Rendering, Theme
from emails.visible import visible

_LINK = re.compile(r"<a((?:\s+[\w:-]+(?:=\"[^\"]*\")?)*)\s*>")
_REL = re.compile(r"<a(?:\s+[\w:-]+(?:=\"[^\"]*\")?)*?\s+rel=")  # the attribute, and not a word in the value of another


def render_web(content: PostContent, *, theme: Theme, audience: Audience, subscribe_html: str = "") -> str:
    """The body of a post and its notes, as far as these readers may see it. `subscribe_html` (trusted, the caller's own
    form) stands where a stranger is asked to subscribe; without it, or for others, there is a link."""
    return WebPage(visible(content, Rendering.PAGE, audience), theme, audience, subscribe_html).page()


class WebPage(Markup):
    def __init__(self, content: PostContent, theme: Theme, audience: Audience, subscribe_html: str = "") -> None:
        super().__init__(content, theme, audience)
        self._subscribe_html = subscribe_html

    def page(self) -> str:
        document = self.content.document
        return "\n".join(filter(None, [self.blocks(document.blocks), self._notes(document.notes)]))

    def heading(self, heading: Heading) -> str:
        tag = f"h{heading.level}"
        turn = self.turn(heading.children)
        return f'<{tag} id="{escape(heading.id)}"{turn}>{self.inline(heading.children)}</{tag}>'

    def code_block(self, block: CodeBlock) -> str:
        language = f' class="language-{escape(block.language)}"' if block.language else ""
        lines = "\n".join(self.highlighted(block.text, block.language))
        code = f'<pre tabindex="0"><code{language}>{lines}</code></pre>'
        if not block.title:
            return code
        return f'<figure class="listing"><figcaption>{escape(block.title)}</figcaption>{code}</figure>'

    def table(self, table: Table) -> str:
        # A wide table scrolls by itself, with the keys as well, and not the page.
        return f'<div class="scroll" tabindex="0" role="group" aria-label="Table">{super().table(table)}</div>'

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
        img = f'<img src="{escape(image.url)}" alt="{escape(image.alt or named)}"{size} loading="lazy" />'
        return pictures.choice(image, img)

    def picture(self, url: str, alt: str, width: int, height: int) -> str:
        """A picture of a known place, where only its frame is known."""
        size = f'width="{width}" height="{height}"'
        return f'<img src="{escape(url)}" alt="{escape(alt)}" {size} loading="lazy" />'

    def button(self, text: str, url: str, kind: str = "", *, rel: str = "", label: str = "") -> str:
        said = f' rel="{rel}"' if rel else ""
        said += f' aria-label="{escape(label)}"' if label else ""
        return f'<p class="{f"button {kind}".strip()}"><a href="{escape(url)}"{said}>{escape(text)}</a></p>'

    def element(self, element: Element) -> str:
        return element.page(self)

    def invitation(self, call: Invitation | None) -> str:
        if not call:
            return ""
        if self.audience is Audience.STRANGER and self._subscribe_html and call.url == self.theme.subscribe_url:
            action = self._subscribe_html
        else:
            action = self.button(call.action, call.url) if call.url else ""
        return f'<div class="invitation"><p>{escape(call.words)}</p>{action}</div>'

    def sponsored(self, html: str) -> str:
        """Its links say to search engines that they are paid for."""
        return _LINK.sub(lambda link: link[0] if _REL.search(link[0]) else f'<a rel="sponsored"{link[1]}>', html)

    def formula(self, tex: str) -> str:
        return formulas.mathml(tex)

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
        items = "\n".join(f'<li id="fn-{note.number}" value="{note.number}">{self._note(note)}</li>' for note in notes)
        return f'<section class="notes" role="doc-endnotes" aria-label="Notes">\n<ol>\n{items}\n</ol>\n</section>'

    def _note(self, note: Note) -> str:
        back = "".join(
            f' <a href="#{_reference_id(note.number, occurrence)}" role="doc-backlink" class="note-back"'
            f' aria-label="Back to the text, note {note.number}">↩</a>'
            for occurrence in note.occurrences
        )
        if note.blocks and isinstance(last := note.blocks[-1], Paragraph):
            head = self.blocks(note.blocks[:-1])
            return f"{head}<p{self.turn(last.children)}>{self.inline(last.children)}{back}</p>"
        return f'{self.blocks(note.blocks)}<p class="note-return">{back.strip()}</p>'


def _reference_id(number: int, occurrence: int) -> str:
    return f"fnref-{number}" if occurrence == 1 else f"fnref-{number}-{occurrence}"
