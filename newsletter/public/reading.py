"""What a visitor may see of a post: the one place that makes its words for the site, its feed and its previews."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import emails
from emails.elements import Subscribe, Upgrade
from newsletter.posts import content
from newsletter.posts.models import Post
from newsletter.public import frame
from newsletter.tiers import access

LONGEST_DESCRIPTION = 300


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A post as a visitor gets it. A post that is not for visitors has no body, and nothing made of its body."""

    title: str
    subtitle: str
    authors: tuple[str, ...]
    date: date
    url: str
    description: str
    body: str | None


def for_page(post: Post) -> Reading:
    """With the call to subscribe leading to the form at the end of the page."""
    return _reading(post, replace(frame.theme(), newsletter_name=post.newsletter.name, subscribe_url="#subscribe"))


def for_feed(post: Post) -> Reading:
    """Without any call to subscribe: who reads the feed has done so."""
    return _reading(post, frame.theme(), without_calls=True)


def linked_data(post: Post, reading: Reading, publisher: str) -> dict[str, Any]:
    """What search engines want to know of a post, in the words of schema.org."""
    return {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": reading.title,
        "description": reading.description,
        "datePublished": post.published_at.isoformat() if post.published_at else None,
        "dateModified": post.updated_at.isoformat(),
        "author": [{"@type": "Person", "name": author} for author in reading.authors],
        "publisher": {"@type": "Organization", "name": publisher},
        "mainEntityOfPage": reading.url,
        "isAccessibleForFree": is_open(post),
    }


def is_open(post: Post) -> bool:
    return access.may_read(post.audience, emails.Audience.STRANGER)


def _reading(post: Post, theme: emails.Theme, *, without_calls: bool = False) -> Reading:
    said = content.public_content(post)
    if said and not is_open(post) and not emails.has_preview(said.document):
        said = None
    if said:  # from here on there is nothing of what is not for visitors
        said = emails.visible(said, emails.Rendering.PAGE, emails.Audience.STRANGER)
    if said and without_calls:
        blocks = tuple(block for block in said.document.blocks if not isinstance(block, Subscribe | Upgrade))
        said = replace(said, document=replace(said.document, blocks=blocks))
    return Reading(
        title=post.title,
        subtitle=post.subtitle,
        authors=tuple(post.authors),
        date=frame.day_of(post),
        url=content.url(post),
        description=_description(post, said),
        body=_body(said, theme) if said else None,
    )


def _body(said: emails.PostContent, theme: emails.Theme) -> str:
    return emails.render_web(said, theme=theme, audience=emails.Audience.STRANGER)


def _description(post: Post, said: emails.PostContent | None) -> str:
    words = post.subtitle or (said.preheader or said.document.opening if said else "")
    if len(words) <= LONGEST_DESCRIPTION:
        return words
    return words[:LONGEST_DESCRIPTION].rsplit(" ", 1)[0] + "…"
