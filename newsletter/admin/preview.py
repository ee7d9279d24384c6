"""A post as its readers will see it, in a frame where nothing can act."""

from flask import Response, abort, render_template, request

import emails
from newsletter.admin import bp, manuscript
from newsletter.admin.editor import OTHER, READERS, VIEWS
from newsletter.admin.posts import find
from newsletter.config import settings
from newsletter.sending import rehearsal


@bp.get("/posts/<int:post_id>/preview/<view>")
def preview(post_id: int, view: str) -> Response:
    if view not in VIEWS:
        abort(404)
    reader = request.args.get("as", "")
    audience = emails.Audience(reader if reader in {**READERS, **OTHER} else "free")
    if audience is emails.Audience.STRANGER and view != "web":
        return note("A stranger gets no mail. Choose “Web page” to see what they see.")
    post = find(post_id)
    seen = rehearsal.preview(post, audience)
    if not seen.html:
        return note(" ".join(problem.full_sentence for problem in manuscript.problems(post)))
    match view:
        case "text":
            return framed(render_template("admin/preview/text.html", text=seen.text))
        case "web":
            return framed(render_template("admin/preview/web.html", post=post, html=seen.web_html))
    return framed(seen.html)


def note(sentence: str) -> Response:
    return framed(render_template("admin/preview/note.html", sentence=sentence))


def framed(html: str, *, has_pictures: bool = True) -> Response:
    """Sandboxed twice, by the frame and by this header: opened by itself it is just as harmless."""
    site = settings().site_url
    pictures = "http: https: data:" if has_pictures else "'none'"
    policy = (
        f"sandbox; default-src 'none'; img-src {pictures}; "
        f"style-src 'unsafe-inline' {site} {request.host_url}; frame-ancestors 'self'"
    )
    return Response(html, headers={"Content-Security-Policy": policy})
