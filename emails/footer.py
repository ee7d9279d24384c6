"""The author's own words at the foot of every letter and page: paragraphs of text and links, and nothing else."""

from collections.abc import Iterable
from functools import lru_cache
from html import escape

from emails.document import Break, Code, Emphasis, Inline, Link, Paragraph, Strong, Text, plain
from emails.errors import SourceError
from emails.markdown import parse
from emails.personalise import guard, unguard

LONGEST = 1000  # characters


class NotAFooter(SourceError):
    """What cannot stand at the foot of a letter."""


def check(source: str) -> None:
    """Raises SourceError for what is more than a few lines of text with links."""
    if len(source) > LONGEST:
        raise NotAFooter(1, f"The footer has {len(source):,} characters; it can have {LONGEST:,}.")
    for block in parse(source).blocks:
        if not isinstance(block, Paragraph):
            raise NotAFooter(block.line or 1, "A footer is text and links: no headings, lists or pictures.")


def letter_paragraphs(source: str, link_style: str) -> list[str]:
    """As HTML for mail, each without its <p>. Links carry their style: what is filled in late is not inlined."""
    return [_html(children, f' style="{link_style}"') for children in _paragraphs(source)]


def page_html(source: str) -> str:
    return unguard("".join(f"<p>{_html(children, '')}</p>" for children in _paragraphs(source)))


def text(source: str) -> str:
    """Guarded, a blank line between paragraphs, not wrapped."""
    return "\n\n".join(_plain(children) for children in _paragraphs(source))


@lru_cache(maxsize=32)
def _paragraphs(source: str) -> tuple[tuple[Inline, ...], ...]:
    """Never raises: a footer that was good once must not stop the mail of tomorrow's version."""
    try:
        blocks = parse(source).blocks
    except SourceError:
        return ((Text(source),),)
    return tuple(block.children for block in blocks if isinstance(block, Paragraph))


def _html(children: Iterable[Inline], link_style: str) -> str:
    return "".join(_html_of(child, link_style) for child in children)


def _html_of(child: Inline, link_style: str) -> str:
    match child:
        case Break():
            return "<br />"
        case Emphasis(inner):
            return f"<em>{_html(inner, link_style)}</em>"
        case Strong(inner):
            return f"<strong>{_html(inner, link_style)}</strong>"
        case Link(url, inner):
            return f'<a href="{escape(guard(url))}"{link_style}>{_html(inner, link_style)}</a>'
    return escape(guard(plain((child,))))


def _plain(children: Iterable[Inline]) -> str:
    return "".join(map(_plain_of, children))


def _plain_of(child: Inline) -> str:
    match child:
        case Text(words) | Code(words):
            return guard(words)
        case Break():
            return "\n"
        case Emphasis(inner) | Strong(inner):
            return _plain(inner)
        case Link(url, inner):
            words = _plain(inner)
            return words if child.is_bare else f"{words} ({guard(url.removeprefix('mailto:'))})"
    return guard(plain((child,)))
