"""The form for other people's pages: as a snippet to copy, and as a page that may stand in a frame."""

from flask import Response, g, make_response, render_template, url_for

from newsletter import guards
from newsletter.public import bp, frame
from newsletter.public.signup import Page, limited, take
from newsletter.subscribers import consent


@bp.get("/embed")
def embed_page() -> str:
    names = [newsletter.name for newsletter in frame.newsletters()]
    return render_template("public/embed.html", wording=consent.wording(frame.publication().name, names))


@bp.get("/embed/form")
def embedded_form() -> Response:
    return _framed(render_template("public/embedded_form.html"))


@bp.post("/embed/form")
@limited
def subscribe_embedded() -> Response:
    return _framed(take("public/embedded_form.html", url_for(".embedded_thanks")))


@bp.get("/embed/inbox")
def embedded_thanks() -> Response:
    return _framed(render_template("public/embedded_thanks.html"))


def _framed(page: Page) -> Response:
    """Any site may show this page in a frame, and only this one."""
    response = make_response(page)
    response.headers["Content-Security-Policy"] = guards.content_security_policy(g.csp_nonce, frame_ancestors="*")
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response
