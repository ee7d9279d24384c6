"""Signing in by mail. A GET signs nobody in: mail scanners follow links."""

from urllib.parse import urlsplit

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from newsletter.config import settings
from newsletter.db import db
from newsletter.guards import limiter
from newsletter.links import BadLink
from newsletter.public import bp, network, viewer
from newsletter.public.account.door import Page
from newsletter.subscribers import addresses, sessions
from newsletter.subscribers import sign_in as signing_in
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.letters import CODE_MINUTES
from newsletter.subscribers.sign_in import NotSignedIn, OtherBrowser, SignedIn

ASKING_FROM_A_NETWORK = "30 per hour; 100 per day"
TRYING_FROM_A_NETWORK = "60 per hour"


@bp.get("/sign-in")
def sign_in_page() -> Page:
    wanted = local(request.args.get("next", ""))
    if viewer.session():
        return redirect(wanted or url_for(".account"), 303)
    return _private(render_template("public/account/sign_in.html", next=wanted, email="", sentence=""))


@bp.post("/sign-in")
@limiter.limit(ASKING_FROM_A_NETWORK, key_func=network.of_visitor)
def ask_to_sign_in() -> Page:
    wanted, typed = local(request.form.get("next", "")), request.form.get("email", "")[:1000]
    try:
        secret = signing_in.ask(Address.read(typed), wanted)
    except addresses.BadAddress as error:
        page = render_template("public/account/sign_in.html", next=wanted, email=typed, sentence=error.sentence)
        return _private(page, error.status)
    db.session.commit()
    response = _private(redirect(url_for(".code_page"), 303))
    is_https = settings().is_https
    response.set_cookie(
        _asking_cookie(), secret, max_age=CODE_MINUTES * 60, secure=is_https, httponly=True, samesite="Lax"
    )
    return response


@bp.get("/sign-in/code")
def code_page() -> Page:
    return _code_page()


@bp.post("/sign-in/code")
@limiter.limit(TRYING_FROM_A_NETWORK, key_func=network.of_visitor)
def sign_in_by_code() -> Page:
    try:
        signed_in = signing_in.by_code(_secret(), request.form.get("code", ""), request.user_agent.string)
    except NotSignedIn as error:
        db.session.commit()  # the try counts
        return _code_page(error.sentence, error.status)
    return _let_in(signed_in)


@bp.get("/sign-in/<token>")
def sign_in_link_page(token: str) -> Page:
    try:
        signing_in.may_follow(token, _secret())
    except (BadLink, NotSignedIn, OtherBrowser) as error:
        return _private(render_template("public/account/link.html", token="", sentence=error.sentence), error.status)
    return _private(render_template("public/account/link.html", token=token, sentence=""))


@bp.post("/sign-in/<token>")
@limiter.limit(TRYING_FROM_A_NETWORK, key_func=network.of_visitor)
def sign_in_by_link(token: str) -> Page:
    try:
        signed_in = signing_in.by_link(token, _secret(), request.user_agent.string)
    except (BadLink, NotSignedIn, OtherBrowser) as error:
        db.session.rollback()
        return _private(render_template("public/account/link.html", token="", sentence=error.sentence), error.status)
    return _let_in(signed_in)


def local(wanted: str) -> str:
    """A page of ours, or nothing: nobody is sent elsewhere by a link to our sign-in."""
    parts = urlsplit(wanted)
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if is_ours and wanted.isprintable() and "\\" not in wanted else ""


def _let_in(signed_in: SignedIn) -> Response:
    """With a fresh secret, whatever the browser brought."""
    earlier = viewer.session()
    if earlier:
        sessions.end(earlier.subscriber, earlier.id)
    db.session.commit()
    response = _private(redirect(signed_in.next or url_for(".account"), 303))
    viewer.keep(response, signed_in.secret)
    response.delete_cookie(_asking_cookie(), secure=settings().is_https, httponly=True, samesite="Lax")
    return response


def _code_page(sentence: str = "", status: int = 200) -> Response:
    has_asked = bool(_secret())
    page = render_template("public/account/code.html", has_asked=has_asked, sentence=sentence, minutes=CODE_MINUTES)
    return _private(page, status)


def _private(page: str | Response, status: int = 200) -> Response:
    """It belongs to one browser, signed in or not."""
    response = make_response(page, status) if isinstance(page, str) else page
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _secret() -> str:
    return request.cookies.get(_asking_cookie(), "")


def _asking_cookie() -> str:
    return "__Host-asking" if settings().is_https else "asking"
