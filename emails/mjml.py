"""Content in the layout of a letter: Jinja2 with autoescape writes MJML, and MJML becomes HTML."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup as Safe
from markupsafe import escape
from mjml import mjml2html

from emails import colour, look
from emails.mail import MailBody
from emails.markup import long_date
from emails.personalise import guard
from emails.values import Audience, PostContent, Theme

_TOKEN = re.compile(r"nl-value-(\d+)-")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")


@dataclass(frozen=True)
class Fragment:
    """HTML that this package has made and escaped."""

    html: str


def post_html(content: PostContent, theme: Theme, audience: Audience, subject: str, preheader: str) -> str:
    body = MailBody(content, theme, audience)
    values = {
        "content": content,
        "preheader": preheader,
        "series": series_line(content),
        "byline": byline(content),
        "day": long_date(content.date),
        "body": Fragment(body.body()),
        "notes": Fragment(body.notes()) if content.document.notes else None,
    }
    return render("post.mjml", theme, subject, values)


def render(template: str, theme: Theme, subject: str, values: dict[str, object]) -> str:
    """HTML as MJML makes it, the rules still to be inlined.

    MJML sees no value, only a token for each: it writes attributes with the escapes of another language, so that
    a quote would end them and an emoji would come out as its number.
    """
    written: list[str] = []
    extra = {"written": written, "subject": subject, "preheader": ""}
    source = environment.get_template(template).render(frame(theme) | extra | values)
    html: str = mjml2html(source, fonts={})
    # The preheader is hidden already; white on white besides is what filters take for a trick.
    html = html.replace("font-size:1px;color:#ffffff;", f"font-size:1px;color:{colour.INK};", 1)
    return _TOKEN.sub(lambda token: written[int(token[1])], html)


def rules(theme: Theme) -> str:
    """What is to be inlined in a letter of this theme."""
    return look.mirrored(look.inlined(theme.accent)) if is_rtl(theme) else look.inlined(theme.accent)


def is_rtl(theme: Theme) -> bool:
    return theme.direction == "rtl"


def frame(theme: Theme) -> dict[str, object]:
    """What every template can use. Values marked safe are ours, have been checked, and are seen by MJML."""
    return {
        "theme": theme,
        "site": site_name(theme),
        "address_line": address_line(theme),
        "newsletters": [theme.name],
        "language": Safe(theme.language if _LANGUAGE.match(theme.language) else "en"),  # noqa: S704
        "direction": Safe("rtl" if is_rtl(theme) else "ltr"),  # noqa: S704
        "side": Safe("right" if is_rtl(theme) else "left"),  # noqa: S704
        "accent": Safe(colour.accent_for(theme.accent, colour.GROUND)),  # noqa: S704
        "reading": Safe(look.READING),  # noqa: S704
        "ink": Safe(colour.INK),  # noqa: S704
        "paper": Safe(colour.PAPER),  # noqa: S704
        "phone": Safe(look.mirrored(look.PHONE) if is_rtl(theme) else look.PHONE),  # noqa: S704
        "dark": Safe(look.dark(theme.accent)),  # noqa: S704
        "outlook_dark": Safe(look.outlook_dark(theme.accent)),  # noqa: S704
    }


@pass_context
def _write(context: Context, value: object) -> object:
    """In markup a token for the value, in plain text the value itself."""
    if isinstance(value, Safe):
        return value
    if not context.eval_ctx.autoescape:
        return guard(str(value))
    written: list[str] = context["written"]
    written.append(value.html if isinstance(value, Fragment) else str(escape(guard(str(value)))))
    return f"nl-value-{len(written) - 1}-"


environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=lambda name: bool(name and name.endswith(".mjml")),  # noqa: S701  # text must stay as it is
    undefined=StrictUndefined,
    finalize=_write,
    trim_blocks=True,
    lstrip_blocks=True,
)


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
