"""What machines read: the feed, the map of the site, and what they are asked to leave alone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from flask import Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from emails import Audience
from newsletter.config import settings
from newsletter.posts import content, queries
from newsletter.posts.models import Post
from newsletter.public import bp, frame, reading
from newsletter.subscribers import private_feed as feeds_of_readers
from newsletter.subscribers import rights

IN_THE_FEED = 20
IN_THE_MAP = 5000

_LINK = re.compile(r'(?<= )(href|src)="([/#])')
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@bp.get("/feed.xml")
def feed() -> AnyResponse:
    """The same for everybody."""
    return _feed(lambda _: Audience.STRANGER, f"{settings().site_url}/feed.xml")


@bp.get("/feed/<token>.xml")
def private_feed(token: str) -> AnyResponse:
    """All that this reader may read now. Its address is a key: no cache keeps it, see public/__init__.py."""
    reader = feeds_of_readers.reader_of(token)
    return _feed(rights.rule_for(reader), feeds_of_readers.url(reader))


def _feed(kind_for: Callable[[Post], Audience], address: str) -> AnyResponse:
    posts = queries.published(IN_THE_FEED)
    entries = [(post, reading.for_feed(post, kind_for(post))) for post in posts]
    changed_at = max((post.updated_at for post in posts), default=frame.publication().created_at)
    xml = render_template(
        "public/feed.xml",
        entries=entries,
        address=address,
        changed_at=changed_at,
        stamp=_stamp,
        absolute=_absolute,
        language=_language(),
    )
    return _machine_readable(xml, "application/rss+xml", changed_at)


@bp.get("/sitemap.xml")
def sitemap() -> AnyResponse:
    posts = queries.published(IN_THE_MAP)
    changed_at = max((post.updated_at for post in posts), default=frame.publication().created_at)
    xml = render_template("public/sitemap.xml", posts=posts, url=content.url)
    return _machine_readable(xml, "application/xml", changed_at)


@bp.get("/robots.txt")
def robots() -> Response:
    private = ("confirm", "refuse", "leave", "undo", "preferences", "address", "embed", "desk")
    lines = ["User-agent: *", *(f"Disallow: /{path}" for path in private)]
    return Response("\n".join([*lines, "", f"Sitemap: {settings().site_url}/sitemap.xml", ""]), mimetype="text/plain")


def _machine_readable(xml: str, mimetype: str, changed_at: datetime) -> AnyResponse:
    response = Response(_NOT_XML.sub("", xml), content_type=f"{mimetype}; charset=utf-8")
    response.add_etag()
    response.last_modified = changed_at
    response.headers["Cache-Control"] = "public, max-age=300"
    return response.make_conditional(request)


def _absolute(html: str, url: str) -> str:
    """A feed is read far from the site: every address in it is a whole one."""
    site = settings().site_url
    return _LINK.sub(lambda match: f'{match[1]}="{url if match[2] == "#" else site}{match[2]}', html)


def _stamp(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _language() -> str:
    return frame.publication().language
