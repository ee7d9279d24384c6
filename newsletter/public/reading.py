"""What somebody may see of a post: the one place that makes its words for the site, its feeds and its previews."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import emails
from emails import Audience
from emails.elements import Subscribe, Upgrade
from newsletter.posts import content
from newsletter.posts.models import Post
from newsletter.public import frame
from newsletter.tiers import access

LONGEST_DESCRIPTION = 300


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A post as one kind of reader gets it. One that is not for them has no body, and nothing made of its body.

    The description is made for strangers, whoever reads: it is what other sites show.
    """

    title: str
    subtitle: str
    authors: tuple[str, ...]
    date: date
    url: str
    description: str
    body: str | None


def for_page(post: Post, kind: Audience = Audience.STRANGER) -> Reading:
    """With the call to subscribe leading to the form at the end of the page."""
    theme = replace(
        content.from_post(frame.theme(), post), newsletter_name=post.newsletter.name, subscribe_url="#subscribe"
    )
    return _reading(post, theme, kind)


def for_feed(post: Post, kind: Audience = Audience.STRANGER) -> Reading:
    """Without any call to subscribe: who reads the feed has done so."""
    return _reading(post, content.from_post(frame.theme(), post), kind, without_calls=True)


def linked_data(post: Post, reading: Reading, publisher: str) -> dict[str, Any]:
    """What search engines want to know of a post, in the words of schema.org."""
    data: dict[str, Any] = {
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
    if not is_open(post):  # where a search engine must not expect what is said of the post
        data["hasPart"] = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".paywall, .wall"}
    return data


def is_open(post: Post, kind: Audience = Audience.STRANGER) -> bool:
    return access.may_read(post.audience, kind)


def _reading(post: Post, theme: emails.Theme, kind: Audience, *, without_calls: bool = False) -> Reading:
    whole = content.public_content(post)
    said = _seen_by(kind, post, whole)
    if said and without_calls:
        blocks = tuple(block for block in said.document.blocks if not isinstance(block, Subscribe | Upgrade))
        said = replace(said, document=replace(said.document, blocks=blocks))
    return Reading(
        title=post.title,
        subtitle=post.subtitle,
        authors=tuple(post.authors),
        date=frame.day_of(post),
        url=content.url(post),
        description=_description(post, _seen_by(Audience.STRANGER, post, whole)),
        body=emails.render_web(said, theme=theme, audience=kind) if said else None,
    )


def _seen_by(kind: Audience, post: Post, said: emails.PostContent | None) -> emails.PostContent | None:
    """From here on there is nothing of what is not for them."""
    if said is None or not (is_open(post, kind) or emails.has_preview(said.document)):
        return None
    return emails.visible(said, emails.Rendering.PAGE, kind)


def _description(post: Post, said: emails.PostContent | None) -> str:
    words = post.subtitle or (said.preheader or said.document.opening if said else "")
    if len(words) <= LONGEST_DESCRIPTION:
        return words
    return words[:LONGEST_DESCRIPTION].rsplit(" ", 1)[0] + "…"
