"""Content in the layout of a letter: Jinja2 with autoescape writes MJML, and MJML becomes HTML."""

from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup as Safe
from markupsafe import escape
from mjml import mjml2html

from emails import colour, look
from emails.mail import MailBody
from emails.markup import long_date
from emails.personalise import guard
from emails.values import Audience, PostContent, Theme

# MJML writes the title into an attribute without escaping its quotes, so it gets there after MJML.
TITLE_MARK = "nl-title-of-this-letter"

environment = Environment(  # noqa: S701  # the text of a mail must not be escaped, its markup is
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=lambda name: name is not None and name.endswith(".mjml"),
    undefined=StrictUndefined,
    finalize=lambda value: guard(value) if type(value) is str else value,
    trim_blocks=True,
    lstrip_blocks=True,
)


def post_html(content: PostContent, theme: Theme, audience: Audience, subject: str, preheader: str) -> str:
    body = MailBody(content, theme, audience)
    values = {
        "content": content,
        "preheader": preheader,
        "series": series_line(content),
        "byline": byline(content),
        "day": long_date(content.date),
        "body": Safe(body.body()),  # noqa: S704  # made by MailBody, which escapes
        "notes": Safe(body.notes()),  # noqa: S704
    }
    return render("post.mjml", theme, subject, values)


def render(template: str, theme: Theme, subject: str, values: dict[str, object]) -> str:
    """HTML as MJML makes it, the author's rules still to be inlined."""
    extra = {"title_mark": TITLE_MARK, "preheader": ""}
    source = environment.get_template(template).render(frame(theme) | extra | values)
    html: str = mjml2html(source, fonts={})
    return html.replace(TITLE_MARK, str(escape(guard(subject))))


def frame(theme: Theme) -> dict[str, object]:
    """What every template can use."""
    return {
        "theme": theme,
        "site": site_name(theme),
        "address_line": address_line(theme),
        "accent": colour.accent_for(theme.accent, colour.GROUND),
        "newsletters": [theme.name],
        "reading": look.READING,
        "ink": colour.INK,
        "paper": colour.PAPER,
        "phone": Safe(look.PHONE),  # noqa: S704
        "dark": Safe(look.dark(theme.accent)),  # noqa: S704  # the colour in it has been checked
        "outlook_dark": Safe(look.outlook_dark(theme.accent)),  # noqa: S704
    }


def byline(content: PostContent) -> str:
    *others, last = content.authors or ("",)
    names = f"{', '.join(others)} and {last}" if others else last
    return f"By {names}" if names else ""


def series_line(content: PostContent) -> str:
    if not content.series:
        return ""
    return f"{content.series}, no. {content.series_number}" if content.series_number else content.series


def site_name(theme: Theme) -> str:
    return urlsplit(theme.site_url).netloc or theme.site_url


def address_line(theme: Theme) -> str:
    """Publication and postal address on one line."""
    lines = [theme.publication_name, *theme.postal_address.splitlines()]
    return ", ".join(line.strip(" ,") for line in lines if line.strip(" ,"))
