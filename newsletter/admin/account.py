"""One's own account: browsers that are signed in, and the password."""

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from newsletter.accounts import passwords, sessions
from newsletter.admin import bp, guard
from newsletter.admin.forms import PasswordForm
from newsletter.db import db
from newsletter.guards import limiter


@bp.get("/account")
def account() -> str:
    return _page(PasswordForm())


@bp.post("/account/password")
@limiter.limit("10 per 15 minutes", key_func=lambda: f"password:{guard.staff().id}")
def change_password() -> ResponseReturnValue:
    form = PasswordForm(request.form)
    if not form.validate():
        return _page(form), 422
    try:
        ended = sessions.change_password(
            guard.staff_session(), present=form.present.data or "", new=form.new.data or ""
        )
    except sessions.WrongPassword as error:
        form.present.errors = [error.sentence]
        return _page(form), error.status
    except passwords.WeakPassword as error:
        form.new.errors = [error.sentence]
        return _page(form), 422
    db.session.commit()
    flash("Your password is changed." + (f" Signed out elsewhere: {ended}." if ended else ""))
    return redirect(url_for(".account"))


@bp.post("/account/sessions/<int:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    sessions.end(session_id, user=guard.staff())
    db.session.commit()
    flash("That browser is signed out.")
    return redirect(url_for(".account"))


@bp.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    sessions.sign_out_everywhere(guard.staff())
    db.session.commit()
    session.clear()
    return redirect(url_for(".sign_in"))


def _page(form: PasswordForm) -> str:
    return render_template(
        "admin/account.html", form=form, sessions=sessions.of(guard.staff()), here=guard.staff_session()
    )
