"""Where a reader is signed in, and out."""

from flask import redirect, url_for
from werkzeug.wrappers import Response

from newsletter.db import db
from newsletter.public import bp, viewer
from newsletter.public.account import door
from newsletter.subscribers import sessions


@bp.post("/account/sign-out")
@door.required
def sign_out() -> Response:
    sessions.end(door.reader(), door.session().id)
    db.session.commit()
    return _out()


@bp.post("/account/browsers/<int:session_id>/sign-out")
@door.required
def sign_out_browser(session_id: int) -> Response:
    is_this_one = session_id == door.session().id
    sessions.end(door.reader(), session_id)
    db.session.commit()
    return _out() if is_this_one else redirect(url_for(".account", said="signed-out"), 303)


@bp.post("/account/sign-out-everywhere")
@door.required
def sign_out_everywhere() -> Response:
    sessions.end_all(door.reader())
    db.session.commit()
    return _out()


def _out() -> Response:
    response = redirect(url_for(".sign_in_page"), 303)
    viewer.forget(response)
    return response
