"""What every public page shows around its content, and the colours it wears."""

from datetime import date, datetime
from typing import Any

from flask import Response, g, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

import emails
from emails import footer
from emails.dates import long_date
from newsletter.config import settings
from newsletter.posts import content
from newsletter.posts.models import Post
from newsletter.public import bp
from newsletter.public.forms import SignUpForm
from newsletter.publication.models import Newsletter, Publication

LIGHT_GROUND, DARK_GROUND = "#f4f1eb", "#1e1d1a"  # the grounds of tokens.css on which an accent is hardest to read


@bp.before_request
def must_have_a_publication() -> None:
    if request.endpoint != f"{bp.name}.robots":
        publication()


@bp.context_processor
def surroundings() -> dict[str, Any]:
    if "publication" not in g:  # the page that says so has nothing around it
        return {}
    return {
        "publication": publication(),
        "newsletters": newsletters(),
        "theme": theme(),
        "footer": Markup(footer.page_html(publication().footer)),  # noqa: S704  # made and escaped by emails
        "site_url": settings().site_url,
        "day": day,
        "form": SignUpForm.blank(newsletters()),
    }


def publication() -> Publication:
    if "publication" not in g:
        g.publication = Publication.current()
    found: Publication = g.publication
    return found


def newsletters() -> list[Newsletter]:
    if "newsletters" not in g:
        g.newsletters = Newsletter.open()
    found: list[Newsletter] = g.newsletters
    return found


def theme() -> emails.Theme:
    """The publication's looks, in the name of its first newsletter."""
    if "theme" not in g:
        g.theme = content.theme(newsletters()[0]) if newsletters() else content.publication_theme(publication())
    made: emails.Theme = g.theme
    return made


def day(moment: datetime | date) -> str:
    """A day in words, as it is where the publication lives."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(publication().zone).date()
    return long_date(moment)


def day_of(post: Post) -> date:
    """The date shown for a post: the author's, or that of its publication."""
    if post.dated or not post.published_at:
        return post.dated or post.created_at.date()
    return post.published_at.astimezone(publication().zone).date()


@bp.get("/theme.css")
def theme_css() -> AnyResponse:
    """The author's one colour, as far as it can be read on our grounds in both schemes."""
    accent = publication().accent
    css = (
        f":root {{ --accent: {emails.accent_for(accent, LIGHT_GROUND)}; }}\n"
        "@media (prefers-color-scheme: dark) {\n"
        f"  :root {{ --accent: {emails.accent_for(accent, DARK_GROUND)}; }}\n"
        "}\n"
    )
    response = Response(css, mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=86400"  # its address names the colour
    response.add_etag()
    return response.make_conditional(request)
