"""Signing in and out."""

from urllib.parse import urlsplit

from flask import Response, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from newsletter import links
from newsletter.accounts import sessions
from newsletter.admin import bp, guard
from newsletter.admin.forms import SignInForm
from newsletter.config import settings
from newsletter.db import db
from newsletter.guards import limiter


def _account() -> str:
    """The account that is tried, known or not; hashed, since limits are kept in Redis."""
    return links.fingerprint("sign-in", request.form.get("email", "").strip().lower()).hex()


def _account_from_here() -> str:
    return f"{_account()} {guard.network()}"


@bp.route("/sign-in", methods=["GET", "POST"])
@limiter.limit("20 per 15 minutes", key_func=guard.network, methods=["POST"])
@limiter.limit("10 per 15 minutes", key_func=_account_from_here, methods=["POST"])
@limiter.limit(
    "100 per hour", key_func=_account, methods=["POST"]
)  # from anywhere: not so few that a stranger locks us out
def sign_in() -> ResponseReturnValue:
    form = SignInForm(request.form)
    wanted = _inside(request.values.get("next", ""))
    if request.method == "GET":
        return redirect(wanted) if g.staff_session else _page(form, wanted)
    try:
        signed_in = sessions.sign_in(
            form.email.data or "", form.password.data or "", user_agent=request.headers.get("User-Agent", "")
        )
    except sessions.WrongSignIn as error:
        db.session.commit()  # a renewed hash of a closed account, or nothing
        return _page(form, wanted, error.sentence), error.status
    if g.staff_session:
        sessions.sign_out(g.staff_session)
    db.session.commit()
    session.clear()  # what a stranger's browser held is worth nothing from here on
    return _with_cookie(redirect(wanted), signed_in.secret, settings().session_days * 86400)


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    sessions.sign_out(guard.staff_session())
    db.session.commit()
    session.clear()
    return _with_cookie(redirect(url_for(".sign_in")), "", 0)


def _page(form: SignInForm, wanted: str, error: str = "") -> str:
    return render_template("admin/sign_in.html", form=form, wanted=wanted, error=error)


def _inside(wanted: str) -> str:
    """A path of this desk, or its front page: a link that signs you in must not send you elsewhere."""
    parts = urlsplit(wanted) if wanted.isprintable() and "\\" not in wanted else urlsplit("")
    is_ours = not parts.scheme and not parts.netloc and (parts.path == "/desk" or parts.path.startswith("/desk/"))
    return wanted if is_ours else url_for(".home")


def _with_cookie(response: ResponseReturnValue, secret: str, seconds: int) -> Response:
    assert isinstance(response, Response)
    response.set_cookie(
        guard.cookie_name(),
        secret,
        max_age=seconds,
        path="/",
        secure=settings().is_https,
        httponly=True,
        samesite="Lax",
    )
    return response
