"""What a page says about itself, for a card: from bytes to values, without a network.

A page can say it in four ways. The most exact is asked first: JSON-LD, then OpenGraph and the Twitter card, then plain
title and description. oEmbed is a page of its own, and fills what is still missing. Everything a page says is a
stranger's word: no markup, no characters that turn or break a line, nothing longer than a card, no address but http(s).
"""

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final
from urllib.parse import quote, urlsplit

from newsletter.posts.markup_of_pages import Head, read_head
from newsletter.posts.strangers_words import day, of_one_line, web_address

LONGEST_TITLE: Final = 200
LONGEST_NAME: Final = 80
LONGEST_EXCERPT: Final = 240
MOST_AUTHORS: Final = 3
DEEPEST: Final = 6  # levels of JSON-LD that are looked into
MOST_THINGS: Final = 500
_WRITINGS: Final = {
    *("Article", "NewsArticle", "BlogPosting", "ReportageNewsArticle", "AnalysisNewsArticle", "OpinionNewsArticle"),
    *("SocialMediaPosting", "TechArticle", "ScholarlyArticle", "VideoObject", "PodcastEpisode", "AudioObject"),
}
# Houses whose pages show a question about cookies in place of what they are.
_OEMBED_OF: Final = {
    "www.youtube.com": "https://www.youtube.com/oembed",
    "m.youtube.com": "https://www.youtube.com/oembed",
    "youtube.com": "https://www.youtube.com/oembed",
    "youtu.be": "https://www.youtube.com/oembed",
    "vimeo.com": "https://vimeo.com/api/oembed.json",
}


@dataclass(frozen=True)
class Found:
    title: str = ""
    publication: str = ""
    excerpt: str = ""
    author: str = ""
    date: datetime.date | None = None
    image: str = ""  # addresses of pictures elsewhere: to be fetched, never to be shown
    logo: str = ""
    oembed: str = field(default="", compare=False)  # the address of a page that says more

    def filled(self, other: "Found") -> "Found":
        """With what the other one knows where this one knows nothing."""
        return replace(
            self, **{part.name: getattr(self, part.name) or getattr(other, part.name) for part in fields(self)}
        )


def read(content: bytes, url: str, charset: str = "") -> Found:
    """What an HTML page, found at this address, says. Never raises: a page that says nothing has its host as title."""
    head = read_head(content, charset)
    known = _json_ld(head, url).filled(_open_graph(head, url)).filled(_plain(head, url))
    return replace(
        known,
        title=known.title or _host(url),
        publication=known.publication or _host(url),
        author="" if known.author == known.publication else known.author,
        oembed=web_address(head.oembed, url) or oembed_of(url),
    )


def read_oembed(content: bytes, url: str) -> Found:
    """What the JSON of an oEmbed endpoint says."""
    said = _loaded(content)
    if not isinstance(said, dict):
        return Found()
    image = said.get("thumbnail_url") or (said.get("url") if said.get("type") == "photo" else "")
    return Found(
        title=of_one_line(said.get("title"), LONGEST_TITLE),
        publication=of_one_line(said.get("provider_name"), LONGEST_NAME),
        author=of_one_line(said.get("author_name"), LONGEST_NAME),
        image=web_address(image, url),
    )


def oembed_of(url: str) -> str:
    """The oEmbed page about an address at a house that we know. Else empty."""
    known = _OEMBED_OF.get((urlsplit(url).hostname or "").lower())
    return f"{known}?format=json&url={quote(url, safe='')}" if known else ""


def _json_ld(head: Head, url: str) -> Found:
    things = [thing for text in head.json_ld for thing in _things(_loaded(text.encode(errors="replace")))]
    named = {str(thing["@id"]): thing for thing in things if "@id" in thing and len(thing) > 1}
    writing = next((thing for thing in things if _kinds(thing) & _WRITINGS), None)
    if writing is None:
        return Found()

    def one(value: Any) -> Any:
        """The thing itself, where only its name stands; the first of several."""
        value = value[0] if isinstance(value, list) and value else value
        return named.get(str(value.get("@id")), value) if isinstance(value, dict) else value

    house = one(writing.get("publisher")) or one(writing.get("isPartOf")) or ""
    return Found(
        title=of_one_line(writing.get("headline") or writing.get("name"), LONGEST_TITLE),
        publication=_name(house),
        excerpt=of_one_line(writing.get("description"), LONGEST_EXCERPT),
        author=_authors(writing.get("author") or writing.get("creator"), one),
        date=day(writing.get("datePublished") or writing.get("uploadDate") or writing.get("dateCreated")),
        image=_picture(one(writing.get("image") or writing.get("thumbnailUrl")), one, url),
        logo=_picture(one(house.get("logo")), one, url) if isinstance(house, dict) else "",
    )


def _open_graph(head: Head, url: str) -> Found:
    def said(*names: str) -> str:
        return next((head.said[name] for name in names if head.said.get(name, "").strip()), "")

    author = said("article:author", "og:article:author", "author", "twitter:creator", "parsely-author", "dc.creator")
    return Found(
        title=of_one_line(said("og:title", "twitter:title"), LONGEST_TITLE),
        publication=of_one_line(said("og:site_name", "application-name"), LONGEST_NAME),
        excerpt=of_one_line(said("og:description", "twitter:description"), LONGEST_EXCERPT),
        author="" if "://" in author else of_one_line(author, LONGEST_NAME),  # some give the address of a profile
        date=day(said("article:published_time", "og:article:published_time", "dc.date", "date", "parsely-pub-date")),
        image=web_address(said("og:image:secure_url", "og:image", "og:image:url", "twitter:image"), url),
    )


def _plain(head: Head, url: str) -> Found:
    icons = (address for icon in head.icons if (address := web_address(icon, url)))
    return Found(
        title=of_one_line(head.title or head.heading, LONGEST_TITLE),
        excerpt=of_one_line(head.said.get("description"), LONGEST_EXCERPT),
        date=day(head.time),
        logo=next(icons, ""),
    )


def _loaded(text: bytes) -> Any:  # whatever a stranger calls JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _things(said: Any) -> list[dict[str, Any]]:
    """Everything with a type in a piece of JSON-LD, outermost first."""
    found: list[dict[str, Any]] = []

    def look(value: Any, depth: int) -> None:
        if depth > DEEPEST or len(found) >= MOST_THINGS:
            return
        if isinstance(value, dict):
            found.append(value)
        for inner in _inner(value):
            look(inner, depth + 1)

    look(said, 0)
    return found


def _inner(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield from value.values() if isinstance(value, dict) else value


def _kinds(thing: dict[str, Any]) -> set[str]:
    kinds = thing.get("@type")
    return {str(kind).rpartition("/")[2] for kind in (kinds if isinstance(kinds, list) else [kinds])}


def _name(thing: Any) -> str:
    return of_one_line(thing.get("name") if isinstance(thing, dict) else thing, LONGEST_NAME)


def _authors(said: Any, one: Any) -> str:
    names = [_name(one(each)) for each in (said if isinstance(said, list) else [said])]
    names = [name for name in dict.fromkeys(names) if name and "://" not in name]
    return of_one_line(", ".join(names[:MOST_AUTHORS]), LONGEST_NAME)


def _picture(thing: Any, one: Any, url: str) -> str:
    if isinstance(thing, dict):
        thing = one(thing.get("url") or thing.get("contentUrl"))
    return web_address(thing, url)


def _host(url: str) -> str:
    return of_one_line((urlsplit(url).hostname or "").removeprefix("www."), LONGEST_NAME)
