"""One guard at the door: who has not signed in sees the sign-in page and nothing else."""

from ipaddress import ip_address, ip_network

from flask import Response, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from newsletter.accounts import sessions
from newsletter.accounts.models import StaffSession, User
from newsletter.admin import bp
from newsletter.config import settings
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.guards import csrf

OPEN_TO_STRANGERS = frozenset({"admin.sign_in"})
WITH_PICTURES = frozenset(
    {"admin.new", "admin.save", "admin.add_picture", "admin.settings.save_logo", "admin.settings.save_dark_logo"}
)
MOST_AT_ONCE = 64 * 1024 * 1024  # bytes of pictures; everything else is smaller by far
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name() -> str:
    return "__Host-staff" if settings().is_https else "staff"


def staff() -> User:
    """Who asks. Behind the guard there is always somebody."""
    return staff_session().user


def staff_session() -> StaffSession:
    session: StaffSession = g.staff_session
    return session


def network() -> str:
    """The caller's neighbourhood, for limits: one household, not one of its countless IPv6 addresses."""
    address = ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104  # nothing is bound here
    return str(ip_network(f"{address}/{24 if address.version == 4 else 56}", strict=False))


@bp.before_request
def _let_in() -> ResponseReturnValue | None:
    g.staff_session = sessions.current(request.cookies.get(cookie_name(), ""))
    if g.staff_session is None and request.endpoint not in OPEN_TO_STRANGERS:
        return _turn_away()
    if request.endpoint in WITH_PICTURES:
        request.max_content_length = MOST_AT_ONCE
    if current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()
    if g.staff_session and sessions.note_seen(g.staff_session):
        db.session.commit()
    return None


def _turn_away() -> ResponseReturnValue:
    if request.method in _SAFE:
        wanted = request.full_path.rstrip("?")
        return redirect(url_for("admin.sign_in", next=wanted))
    return _not_done("You are not signed in any more, so nothing was saved.", 403)


def _not_done(sentence: str, status: int) -> tuple[str, int]:
    """Give back what was typed: a session may end while somebody writes."""
    typed = request.form.get("body", "")
    return render_template("admin/not_done.html", sentence=sentence, typed=typed), status


@bp.errorhandler(CSRFError)
def _show_stale_form(_error: CSRFError) -> tuple[str, int]:
    return _not_done("This form was opened before you signed in, or comes from another site. Nothing was saved.", 400)


@bp.errorhandler(NewsletterError)
def _show_refusal(error: NewsletterError) -> tuple[str, int]:
    db.session.rollback()
    return render_template("admin/refusal.html", sentence=error.sentence), error.status


@bp.after_request
def _keep_private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Cookie")
    return response
