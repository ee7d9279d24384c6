"""Who is looking: the reader that this browser is signed in as, if any.

Whatever was made with an eye on who is looking belongs to them: no shared cache may keep it.
"""

from flask import Response as FlaskResponse
from flask import request
from werkzeug.wrappers import Response

from newsletter.config import settings
from newsletter.db import db
from newsletter.public import bp
from newsletter.subscribers import sessions
from newsletter.subscribers.models import ReaderSession, Subscriber

_SESSION, _IS_COOKIE_OLD = "newsletter.reader_session", "newsletter.is_reader_cookie_old"  # of one request


def reader() -> Subscriber | None:
    found = session()
    return found.subscriber if found else None


def session() -> ReaderSession | None:
    """Looked up once for each request, and only where somebody asks."""
    if _SESSION not in request.environ:
        found = sessions.current(request.cookies.get(cookie_name(), ""))
        if found and sessions.note_seen(found):
            db.session.commit()
            request.environ[_IS_COOKIE_OLD] = True
        request.environ[_SESSION] = found
    looked_up: ReaderSession | None = request.environ[_SESSION]
    return looked_up


def cookie_name() -> str:
    return "__Host-reader" if settings().is_https else "reader"


def keep(response: Response, secret: str) -> None:
    """Remember in this browser who signed in."""
    seconds = int(sessions.LASTS.total_seconds())
    response.set_cookie(
        cookie_name(), secret, max_age=seconds, secure=settings().is_https, httponly=True, samesite="Lax"
    )


def forget(response: Response) -> None:
    response.delete_cookie(cookie_name(), secure=settings().is_https, httponly=True, samesite="Lax")


@bp.after_request
def _keep_private(response: FlaskResponse) -> FlaskResponse:
    if _SESSION in request.environ:
        response.vary.add("Cookie")
        if request.environ[_SESSION]:
            response.headers["Cache-Control"] = "private, no-store"
    if request.environ.get(_IS_COOKIE_OLD) and "Set-Cookie" not in response.headers:
        keep(response, request.cookies[cookie_name()])
    return response
