"""How the publication looks: presets, each of their values, logos for light and dark, and a letter to see it on."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

import emails
from newsletter import clock, storage
from newsletter.admin.forms import DarkLogoForm, LogoForm, LooksForm
from newsletter.admin.pictures import KINDS, uploaded
from newsletter.admin.preview import framed
from newsletter.admin.settings import blamed, pages, saved
from newsletter.db import db
from newsletter.posts import content, pictures
from newsletter.posts.models import Media
from newsletter.publication import looks, settings
from newsletter.publication.models import Publication

SCHEMES = {"light": "#fffdf9", "dark": "#171614"}
ASKS_FOR_DARK = "@media (prefers-color-scheme: dark)"


@pages.get("/looks")
def show_looks() -> str:
    """As they are; or as the address says, to be looked at before they are saved."""
    return _page(_tried())


@pages.post("/looks")
def save_looks() -> ResponseReturnValue:
    form, here = LooksForm(request.form), Publication.current()
    try:
        looks.change(here, **form.texts)
    except settings.BadSetting as error:
        return _page(blamed(form, error)), 422
    return saved("changed the looks", f"publication {here.id}", url_for(".show_looks"))


@pages.get("/looks/accent")
def accent() -> str:
    """What will become of a colour, while it is being chosen."""
    return render_template("admin/settings/_accent.html", shades=_shades(request.args.get("accent", "")))


@pages.get("/looks/sample")
def sample() -> Response:
    """A letter in the looks that the address says, and in one scheme, whatever the browser's own is."""
    form, here = _tried(), Publication.current()
    accent = form.accent.data or ""
    theme = replace(
        content.publication_theme(here),
        accent=accent if settings.is_colour(accent) else here.accent,
        style=_style(form, here.style),
        footer=(form.footer.data or "")[: emails.LONGEST_FOOTER],
    )
    letter = emails.compile_post(_sample(theme), theme, emails.Audience.PAYING)
    html = emails.personal_html(letter, emails.Recipient("ada@example.com", "sample", "Ada"))
    return framed(
        html.replace(ASKS_FOR_DARK, "@media all" if request.args.get("scheme") == "dark" else "@media not all")
    )


@pages.post("/logo")
def save_logo() -> ResponseReturnValue:
    return _keep_logo(LogoForm(), looks.set_logo)


@pages.post("/logo/dark")
def save_dark_logo() -> ResponseReturnValue:
    return _keep_logo(DarkLogoForm(), looks.set_dark_logo)


@pages.post("/logo/remove")
def remove_logo() -> ResponseReturnValue:
    here = Publication.current()
    looks.set_logo(here, None)
    return saved("removed the logo", f"publication {here.id}", url_for(".show_looks", _anchor="logo"))


@pages.post("/logo/dark/remove")
def remove_dark_logo() -> ResponseReturnValue:
    here = Publication.current()
    looks.set_dark_logo(here, None)
    return saved("removed the dark logo", f"publication {here.id}", url_for(".show_looks", _anchor="logo"))


def _keep_logo(form: LogoForm | DarkLogoForm, keep: Callable[[Publication, str | None], None]) -> ResponseReturnValue:
    here, (field,) = Publication.current(), form
    try:
        keep(here, pictures.add_logo(uploaded(request.files.get(field.name)), publication_id=here.id).key)
    except (pictures.NotAPicture, settings.BadSetting) as error:
        db.session.rollback()
        field.errors = [error.sentence]
        return _page(_tried(), form), 422
    return saved(
        f"changed the {field.label.text.lower()}", f"publication {here.id}", url_for(".show_looks", _anchor="logo")
    )


def _tried() -> LooksForm:
    here = Publication.current()
    form = LooksForm(request.args) if "faces" in request.args else LooksForm(obj=here)
    if preset := emails.PRESETS.get(request.args.get("preset", "")):
        for name in ("faces", "header", "headings", "quotes", "cards"):
            form[name].data = getattr(preset.style, name).value
    return form


def _style(form: LooksForm, known: emails.Style) -> emails.Style:
    """Those of the form's values that there are."""
    try:
        return emails.Style(
            faces=emails.Faces(form.faces.data),
            header=emails.Header(form.header.data),
            headings=emails.Headings(form.headings.data),
            quotes=emails.Quotes(form.quotes.data),
            cards=emails.Cards(form.cards.data),
        )
    except ValueError:
        return known


def _page(form: LooksForm, refused: LogoForm | DarkLogoForm | None = None) -> str:
    here = Publication.current()
    scheme = "dark" if request.args.get("scheme") == "dark" else "light"
    return render_template(
        "admin/settings/looks.html",
        form=form,
        logo_form=refused if isinstance(refused, LogoForm) else LogoForm(),
        dark_logo_form=refused if isinstance(refused, DarkLogoForm) else DarkLogoForm(),
        logo=Media.by_key(here.logo_key) if here.logo_key else None,
        logo_dark=Media.by_key(here.logo_dark_key) if here.logo_dark_key else None,
        shades=_shades(form.accent.data or ""),
        presets=emails.PRESETS,
        preset=emails.preset_of(_style(form, here.style)),
        address_of=lambda media: storage.url(media.file_name),
        kinds=KINDS,
        scheme=scheme,
        shown={**form.texts, "scheme": scheme},
    )


def _shades(colour: str) -> list[dict[str, object]]:
    """What links will look like in each scheme, and how well that can be read."""
    if not settings.is_colour(colour):
        return []
    return [
        {
            "scheme": scheme,
            "background": background,
            "shade": (shade := emails.accent_for(colour, background)),
            "is_moved": shade != colour.lower(),
            "contrast": emails.contrast(colour, background),
        }
        for scheme, background in SCHEMES.items()
    ]


def _sample(theme: emails.Theme) -> emails.PostContent:
    source = emails.read_post(_sample_source())
    return emails.PostContent(
        title=source.front.title,
        subtitle=source.front.subtitle,
        authors=source.front.authors,
        date=clock.now().date(),
        url=theme.site_url,
        document=emails.parse(source.body, source.body_line),
    )


@cache
def _sample_source() -> str:
    return (Path(__file__).parent / "sample_letter.md").read_text(encoding="utf-8")
