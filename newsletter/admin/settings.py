"""What only owners decide: the publication, its newsletters, who works here, and where mail leaves."""

import contextlib
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

import emails
from newsletter import config
from newsletter.accounts import audit, team
from newsletter.accounts.models import Role
from newsletter.admin import bp, guard
from newsletter.admin.forms import LogoForm, NewsletterForm, PublicationForm
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.posts import pictures
from newsletter.posts.models import Media
from newsletter.publication import settings
from newsletter.publication.models import Newsletter, Publication

LOGO_FITS = (960, 240)  # shown 40 high in mail: enough for the sharpest screens
SCHEMES = {"light": "#fffdf9", "dark": "#171614"}

AnyForm = TypeVar("AnyForm", bound=Form)

pages = Blueprint("settings", __name__, url_prefix="/settings")


class OwnersOnly(NewsletterError):
    status = 403

    def __init__(self) -> None:
        super().__init__("Only an owner of this publication can see and change its settings.")


@pages.before_request
def _owners_only() -> None:
    if guard.staff().role is not Role.OWNER:
        raise OwnersOnly


@pages.get("/")
def publication() -> str:
    return _publication_page(PublicationForm(obj=Publication.current()))


@pages.post("/")
def save_publication() -> ResponseReturnValue:
    form, here = PublicationForm(request.form), Publication.current()
    if not form.validate():
        return _publication_page(form), 422
    try:
        settings.update_publication(here, **form.texts)
    except settings.BadSetting as error:
        return _publication_page(_blamed(form, error)), 422
    return _saved("changed the publication", f"publication {here.id}", url_for(".publication"))


@pages.get("/accent")
def accent() -> str:
    """What will become of a colour, while it is being chosen."""
    return render_template("admin/settings/_accent.html", shades=_shades(request.args.get("accent", "")))


@pages.post("/logo")
def save_logo() -> ResponseReturnValue:
    here = Publication.current()
    try:
        logo = pictures.add(_uploaded("logo"), publication_id=here.id, fit=LOGO_FITS)
    except pictures.NotAPicture as error:
        form = LogoForm()
        form.logo.errors = [error.sentence]
        return _publication_page(PublicationForm(obj=here), form), error.status
    settings.set_logo(here, logo.key)
    return _saved("changed the logo", f"publication {here.id}", url_for(".publication", _anchor="logo"))


@pages.post("/logo/remove")
def remove_logo() -> ResponseReturnValue:
    here = Publication.current()
    settings.set_logo(here, None)
    return _saved("removed the logo", f"publication {here.id}", url_for(".publication", _anchor="logo"))


@pages.get("/newsletters")
def newsletters() -> str:
    return render_template("admin/settings/newsletters.html", newsletters=Newsletter.all_of(Publication.current()))


@pages.route("/newsletters/new", methods=["GET", "POST"])
def new_newsletter() -> ResponseReturnValue:
    form = NewsletterForm(request.form)
    if request.method == "GET":
        return _newsletter_page(None, form)
    if not form.validate():
        return _newsletter_page(None, form), 422
    try:
        made = settings.add_newsletter(Publication.current(), **form.texts)
    except settings.BadSetting as error:
        return _newsletter_page(None, _blamed(form, error)), 422
    return _saved("added a newsletter", f"newsletter {made.id}", url_for(".newsletters"), f"“{made.name}” is there.")


@pages.get("/newsletters/<int:newsletter_id>")
def newsletter(newsletter_id: int) -> ResponseReturnValue:
    found = _find(newsletter_id)
    return _newsletter_page(found, NewsletterForm(obj=found))


@pages.post("/newsletters/<int:newsletter_id>")
def save_newsletter(newsletter_id: int) -> ResponseReturnValue:
    found, form = _find(newsletter_id), NewsletterForm(request.form)
    if not form.validate():
        return _newsletter_page(found, form), 422
    try:
        settings.update_newsletter(found, **form.texts)
    except settings.BadSetting as error:
        return _newsletter_page(found, _blamed(form, error)), 422
    return _saved("changed a newsletter", f"newsletter {found.id}", url_for(".newsletters"))


@pages.post("/newsletters/<int:newsletter_id>/archive")
def archive_newsletter(newsletter_id: int) -> ResponseReturnValue:
    found = _find(newsletter_id)
    settings.archive_newsletter(found)
    undo = url_for(".reopen_newsletter", newsletter_id=found.id)
    said = {"text": f"“{found.name}” is archived: nobody can choose it, nothing is sent to it.", "undo": undo}
    return _saved("archived a newsletter", f"newsletter {found.id}", url_for(".newsletters"), said)


@pages.post("/newsletters/<int:newsletter_id>/reopen")
def reopen_newsletter(newsletter_id: int) -> ResponseReturnValue:
    found = _find(newsletter_id)
    settings.reopen_newsletter(found)
    said = f"“{found.name}” can be chosen again."
    return _saved("reopened a newsletter", f"newsletter {found.id}", url_for(".newsletters"), said)


@pages.get("/team")
def people() -> str:
    return render_template("admin/settings/team.html", people=team.everybody(), entries=audit.latest())


@pages.get("/delivery")
def delivery() -> str:
    here = config.settings()
    parts = urlsplit(here.mail_url)
    return render_template(
        "admin/settings/delivery.html",
        host=parts.hostname,
        port=parts.port or {"smtps": 465, "smtp": 25}[parts.scheme],
        scheme=parts.scheme,
        user=parts.username or "",
        settings=here,
        newsletters=Newsletter.open(),
    )


def _uploaded(name: str) -> bytes:
    """One byte more than is allowed is enough to know that it is too many."""
    uploaded = request.files.get(name)
    if uploaded is None:
        return b""
    with contextlib.closing(uploaded):  # a large one lies in a temporary file
        return uploaded.stream.read(pictures.HEAVIEST + 1)


def _publication_page(form: PublicationForm, logo_form: LogoForm | None = None) -> str:
    here = Publication.current()
    return render_template(
        "admin/settings/publication.html",
        form=form,
        logo_form=logo_form or LogoForm(),
        logo=Media.by_key(here.logo_key) if here.logo_key else None,
        shades=_shades(form.accent.data or ""),
        zones=settings.time_zones(),
    )


def _newsletter_page(newsletter: Newsletter | None, form: NewsletterForm) -> str:
    return render_template("admin/settings/newsletter.html", newsletter=newsletter, form=form)


def _find(newsletter_id: int) -> Newsletter:
    found = db.session.get(Newsletter, newsletter_id)
    if found is None:
        raise NotFound("There is no such newsletter.")
    return found


def _blamed(form: AnyForm, error: settings.BadSetting) -> AnyForm:
    db.session.rollback()
    form[error.field].errors = [error.sentence]
    return form


def _saved(action: str, subject: str, to: str, said: str | dict[str, str] = "Saved.") -> ResponseReturnValue:
    audit.record(action, subject, by=guard.staff())
    db.session.commit()
    flash(said)  # type: ignore[arg-type]  # the session keeps any JSON: a text, or one with its undo
    return redirect(to)


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


bp.register_blueprint(pages)
