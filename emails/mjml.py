"""Content in the layout of a letter: Jinja2 with autoescape writes MJML, and MJML becomes HTML."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup as Safe
from markupsafe import escape
from mjml import mjml2html

from emails import colour, footer, look, styled
from emails.dates import long_date
from emails.mail import MailBody
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


def block_sizes(content: PostContent, theme: Theme, audience: Audience) -> list[int]:
    """How large each block is beside the others, before rules are inlined."""
    body = MailBody(content, theme, audience)
    return [len(body.block(block).encode()) for block in content.document.blocks]


def render(template: str, theme: Theme, subject: str, values: dict[str, object]) -> str:
    """HTML as MJML makes it, the rules still to be inlined.

    MJML sees no value, only a token for each: it writes attributes with the escapes of another language, so that
    a quote would end them and an emoji would come out as its number.
    """
    source, written = draft(template, theme, subject, values)
    return filled(from_mjml(source), written)


def draft(template: str, theme: Theme, subject: str, values: dict[str, object]) -> tuple[str, list[str]]:
    """The MJML with a token for each value, and the values in the order of their tokens."""
    written: list[str] = []
    extra = {"written": written, "subject": subject, "preheader": ""}
    return environment.get_template(template).render({**frame(theme), **extra, **values}), written


def from_mjml(source: str) -> str:
    html: str = mjml2html(source, fonts={})
    # The preheader is hidden already; white on white besides is what filters take for a trick.
    return html.replace("font-size:1px;color:#ffffff;", f"font-size:1px;color:{colour.INK};", 1)


def filled(html: str, written: list[str]) -> str:
    """Each token exchanged for its value."""
    return _TOKEN.sub(lambda token: written[int(token[1])], html)


@lru_cache(maxsize=16)
def rules(theme: Theme) -> str:
    """What is to be inlined in a letter of this theme."""
    written = look.inlined(theme.accent, theme.style)
    return look.mirrored(written) if is_rtl(theme) else written


def is_rtl(theme: Theme) -> bool:
    return theme.direction == "rtl"


@lru_cache(maxsize=16)
def frame(theme: Theme) -> Mapping[str, object]:
    """What every template can use. Values marked safe are ours, have been checked, and are seen by MJML."""
    logo = {"has_dark_logo": bool(theme.logo_url and theme.logo_dark_url)}
    phone = look.phone(theme.style)
    return {
        "theme": theme,
        "site": site_name(theme),
        "address_line": address_line(theme),
        "newsletters": [theme.name],
        "footer": [Fragment(html) for html in footer.letter_paragraphs(theme.footer, look.FOOTER_LINK)],
        "footer_text": footer.text(theme.footer),
        "language": Safe(theme.language if _LANGUAGE.match(theme.language) else "en"),  # noqa: S704
        "direction": Safe("rtl" if is_rtl(theme) else "ltr"),  # noqa: S704
        "side": Safe("right" if is_rtl(theme) else "left"),  # noqa: S704
        "accent": Safe(colour.accent_for(theme.accent, colour.GROUND)),  # noqa: S704
        "reading": Safe(styled.face(theme.style)),  # noqa: S704
        "size": Safe(styled.size(theme.style)),  # noqa: S704
        "ink": Safe(colour.INK),  # noqa: S704
        "paper": Safe(colour.PAPER),  # noqa: S704
        "phone": Safe(look.mirrored(phone) if is_rtl(theme) else phone),  # noqa: S704
        "dark": Safe(look.dark(theme.accent, theme.style, **logo)),  # noqa: S704
        "outlook_dark": Safe(look.outlook_dark(theme.accent, theme.style, **logo)),  # noqa: S704
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
