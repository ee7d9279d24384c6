"""The publication on the web: its front page, its archive, its posts."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from urllib.parse import urlencode

from flask import g, make_response, render_template, request
from werkzeug.wrappers import Response

from emails.elements.players import FRAME_HOSTS
from newsletter import guards
from newsletter.errors import NotFound
from newsletter.posts import content, queries
from newsletter.posts.models import Post
from newsletter.public import bp, frame, reading, viewer
from newsletter.public.forms import SignUpForm
from newsletter.subscribers import rights
from newsletter.tiers.models import Tier

LATEST = 7
ON_A_PAGE = 50


class NoSuchPost(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no post at this address.")


@bp.get("/")
def home() -> str:
    found = queries.published(LATEST + 1)
    return render_template(
        "public/home.html", posts=_listed(found[:LATEST]), has_more=len(found) > LATEST, is_open=_opener()
    )


@bp.get("/archive")
def archive() -> str:
    before = _moment(request.args.get("before", ""))
    found = queries.published(ON_A_PAGE + 1, before)
    shown = found[:ON_A_PAGE]
    months = [(month, list(posts)) for month, posts in groupby(_listed(shown), lambda each: f"{each[1]:%Y-%m}")]
    is_last = len(found) <= ON_A_PAGE
    return render_template(
        "public/archive.html",
        months=months,
        is_first=before is None,
        older=None if is_last else urlencode({"before": _stamp(shown[-1])}),
        is_open=_opener(),
    )


@bp.get("/p/<slug>")
def post_page(slug: str) -> Response:
    post = published(slug)
    earlier, later = queries.neighbours(post)
    form = SignUpForm.blank(frame.newsletters(), chosen=post.newsletter)
    kind = rights.kind_of(viewer.reader(), post.tier_ids)
    read = reading.for_page(post, kind)
    page = render_template(
        "public/post.html",
        post=post,
        reading=read,
        kind=kind.value,
        tiers=[tier.name for tier in Tier.named(post.tier_ids)],
        is_signed_in=viewer.reader() is not None,
        linked_data=reading.linked_data(post, read, frame.publication().name),
        series=queries.in_series(post.series) if post.series else [],
        earlier=earlier,
        later=later,
        form=form,
    )
    return _revalidated(page, form.token, post)


@bp.get("/p/<slug>/share")
def share_page(slug: str) -> str:
    post = published(slug)
    return render_template("public/share.html", post=post, url=content.url(post))


def _opener() -> Callable[[Post], bool]:
    """Whether a post is open to whoever is looking."""
    kind_for = rights.rule_for(viewer.reader())
    return lambda post: reading.is_open(post, kind_for(post))


def published(slug: str) -> Post:
    """The post at this address. Raises NoSuchPost."""
    post = queries.published_by_slug(slug)
    if post is None:
        raise NoSuchPost
    return post


def _listed(posts: list[Post]) -> list[tuple[Post, datetime]]:
    """With the local moment of publication, which the months of the archive go by."""
    zone = frame.publication().zone
    return [(post, (post.published_at or post.created_at).astimezone(zone)) for post in posts]


def _revalidated(page: str, token: str, post: Post) -> Response:
    """The same page gets the same tag, although its form carries the second it was made in.

    The date is part of the tag, so that no cache keeps a form for longer than it is good.
    """
    response = make_response(page)
    stable = page.replace(token, "") + f"{datetime.now(frame.publication().zone):%Y-%m-%d}"
    response.set_etag(hashlib.blake2b(stable.encode(), digest_size=16).hexdigest())
    response.last_modified = post.updated_at
    response.headers["Cache-Control"] = "public, max-age=0, must-revalidate"  # private for a reader: see viewer.py
    response.headers["Content-Security-Policy"] = guards.content_security_policy(g.csp_nonce, players=FRAME_HOSTS)
    return response.make_conditional(request)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _stamp(post: Post) -> str:
    return (post.published_at or post.created_at).isoformat()
