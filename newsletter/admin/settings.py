"""What only owners decide: the publication, its newsletters, who works here, and where mail leaves."""

from typing import TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

from newsletter import config
from newsletter.accounts import audit, team
from newsletter.accounts.models import Role
from newsletter.admin import bp, guard
from newsletter.admin.forms import NewsletterForm, PublicationForm
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.publication import settings
from newsletter.publication.models import Newsletter, Publication

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
        return _publication_page(blamed(form, error)), 422
    return saved("changed the publication", f"publication {here.id}", url_for(".publication"))


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
        return _newsletter_page(None, blamed(form, error)), 422
    return saved("added a newsletter", f"newsletter {made.id}", url_for(".newsletters"), f"“{made.name}” is there.")


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
        return _newsletter_page(found, blamed(form, error)), 422
    return saved("changed a newsletter", f"newsletter {found.id}", url_for(".newsletters"))


@pages.post("/newsletters/<int:newsletter_id>/archive")
def archive_newsletter(newsletter_id: int) -> ResponseReturnValue:
    found = _find(newsletter_id)
    settings.archive_newsletter(found)
    undo = url_for(".reopen_newsletter", newsletter_id=found.id)
    said = {"text": f"“{found.name}” is archived: nobody can choose it, nothing is sent to it.", "undo": undo}
    return saved("archived a newsletter", f"newsletter {found.id}", url_for(".newsletters"), said)


@pages.post("/newsletters/<int:newsletter_id>/reopen")
def reopen_newsletter(newsletter_id: int) -> ResponseReturnValue:
    found = _find(newsletter_id)
    settings.reopen_newsletter(found)
    said = f"“{found.name}” can be chosen again."
    return saved("reopened a newsletter", f"newsletter {found.id}", url_for(".newsletters"), said)


@pages.get("/team")
def people() -> str:
    return render_template("admin/settings/team.html", people=team.everybody(), entries=audit.latest())


@pages.get("/delivery")
def delivery() -> str:
    here = config.settings()
    parts = urlsplit(here.mail_urls[0])
    return render_template(
        "admin/settings/delivery.html",
        host=parts.hostname,
        port=parts.port or {"smtps": 465, "smtp": 25}.get(parts.scheme),
        scheme=parts.scheme,
        user=parts.username or "",
        settings=here,
        newsletters=Newsletter.open(),
    )


def _publication_page(form: PublicationForm) -> str:
    return render_template("admin/settings/publication.html", form=form, zones=settings.time_zones())


def _newsletter_page(newsletter: Newsletter | None, form: NewsletterForm) -> str:
    return render_template("admin/settings/newsletter.html", newsletter=newsletter, form=form)


def _find(newsletter_id: int) -> Newsletter:
    found = db.session.get(Newsletter, newsletter_id)
    if found is None:
        raise NotFound("There is no such newsletter.")
    return found


def blamed(form: AnyForm, error: settings.BadSetting) -> AnyForm:
    db.session.rollback()
    form[error.field].errors = [error.sentence]
    return form


def saved(action: str, subject: str, to: str, said: str | dict[str, str] = "Saved.") -> ResponseReturnValue:
    audit.record(action, subject, by=guard.staff())
    db.session.commit()
    flash(said)  # type: ignore[arg-type]  # the session keeps any JSON: a text, or one with its undo
    return redirect(to)


bp.register_blueprint(pages)
