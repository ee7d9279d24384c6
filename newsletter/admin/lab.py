"""The preview lab: one post in every place where it will be read, as any kind of reader, by the code that sends it."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from flask import Response, abort, render_template, request, url_for

import emails
from emails import appearances
from newsletter.admin import bp, manuscript, preview
from newsletter.admin.posts import find
from newsletter.posts import content, history
from newsletter.posts.models import Post, Revision
from newsletter.sending import rehearsal
from newsletter.subscribers import queries as readers
from newsletter.tiers import access
from newsletter.tiers.models import Tier

VIEWS: Final = {
    "mail": "Mail on a desk",
    "phone": "Mail on a phone",
    "no-pictures": "Mail without its pictures",
    "dark": "Mail in the dark",
    "page": "The page",
    "text": "The text part",
}
VERSIONS: Final = 50
_LONGEST_NAME: Final = 60
_KINDS: Final = {
    emails.Audience.STRANGER: "a stranger",
    emails.Audience.FREE: "a free reader",
    emails.Audience.PAYING: "a paying reader",
    emails.Audience.OTHER: "a reader who pays for another tier",
}


@dataclass(frozen=True)
class Reader:
    """Who looks. The sentence says so, or why it is somebody else than was asked for."""

    audience: emails.Audience
    name: str
    sentence: str = ""


@bp.get("/posts/<int:post_id>/lab")
def lab(post_id: int) -> str:
    post = find(post_id)
    asked = {name: request.args[name] for name in ("as", "name", "reader", "revision") if request.args.get(name)}
    reader = _reader(post)
    seen = rehearsal.preview(post, reader.audience, revision=_revision(post), name=reader.name, is_checked=False)
    return render_template(
        "admin/posts/lab.html",
        post=post,
        kinds=_kinds(),
        kind=request.args.get("as", "free"),
        reader=reader,
        words=request.args.get("reader", ""),
        name=request.args.get("name", "Ada"),
        versions=history.versions(post, VERSIONS),
        revision=request.args.get("revision", ""),
        seen=seen,
        frames=[
            (view, title, f"{url_for('.lab_frame', post_id=post.id, view=view)}?{urlencode(asked)}".rstrip("?"))
            for view, title in VIEWS.items()
        ],
    )


@bp.get("/posts/<int:post_id>/lab/<view>")
def lab_frame(post_id: int, view: str) -> Response:
    if view not in VIEWS:
        abort(404)
    post = find(post_id)
    reader = _reader(post)
    if view != "page" and not rehearsal.gets_mail(post, reader.audience):
        return preview.note(
            "A stranger gets no mail."
            if reader.audience is emails.Audience.STRANGER
            else "This post goes to those alone who may read it: others get no mail."
        )
    seen = rehearsal.preview(post, reader.audience, revision=_revision(post), name=reader.name, is_checked=False)
    if not seen.html:
        return preview.note(" ".join(finding.full_sentence for finding in manuscript.problems(post)))
    return preview.framed(_shown(post, seen, view), has_pictures=view != "no-pictures")


def _shown(post: Post, seen: rehearsal.Preview, view: str) -> str:
    match view:
        case "page":
            return render_template("admin/preview/web.html", post=post, html=seen.web_html)
        case "text":
            return render_template("admin/preview/text.html", text=seen.text)
        case "dark":
            return appearances.dark(seen.html)
        case "no-pictures":
            return appearances.without_pictures(appearances.light(seen.html))
    return appearances.light(seen.html)


def _kinds() -> dict[str, str]:
    tiers = {f"tier-{tier.slug}": f"A paying reader ({tier.name})" for tier in Tier.in_order()}
    return {"stranger": "A stranger", "free": "A free reader", **(tiers or {"paying": "A paying reader"})}


def _audience(kind: str, post: Post) -> emails.Audience:
    if kind in {"stranger", "free"}:
        return emails.Audience(kind)
    tier = Tier.by_slug(kind.removeprefix("tier-"))
    return access.kind_of({tier.id} if tier else {0}, post.tier_ids)


def _reader(post: Post) -> Reader:
    """A reader of ours by name or address, else an example of the kind that was chosen."""
    kind = request.args.get("as", "free")
    audience = _audience(kind, post)
    name = request.args.get("name", "Ada").strip()[:_LONGEST_NAME]
    words = request.args.get("reader", "").strip()[:100]
    if not words:
        return Reader(audience, name)
    found = readers.search(words, limit=1).readers
    if not found:
        return Reader(audience, name, f"No reader is called “{words}”. You see it as the kind of reader chosen.")
    who = found[0]
    kind_of_reader = access.audience_of(who.id, post.tier_ids)
    named = who.name or "no name"
    return Reader(kind_of_reader, who.name or "", f"As {who.email} ({named}) sees it: {_KINDS[kind_of_reader]}.")


def _revision(post: Post) -> Revision:
    """Raises NotFound."""
    number = request.args.get("revision", "")
    return history.version(post, int(number)) if number.isdecimal() else content.latest_revision(post)
