"""One door to the account: strangers are sent to sign in, and forms must have been shown to who sends them."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from newsletter import links
from newsletter.errors import NewsletterError
from newsletter.links import BadLink, Purpose
from newsletter.public import viewer
from newsletter.subscribers.models import ReaderSession, Subscriber

Page = str | tuple[str, int] | Response
Given = ParamSpec("Given")


class StaleForm(NewsletterError):
    status = 400

    def __init__(self) -> None:
        super().__init__("This form was opened before you signed in, or comes from another site. Nothing was done.")


def required(view: Callable[Given, Page]) -> Callable[Given, Page]:
    """Only for who is signed in."""

    @wraps(view)
    def behind(*args: Given.args, **kwargs: Given.kwargs) -> Page:
        if viewer.session() is None:
            wanted = request.full_path.rstrip("?") if request.method == "GET" else url_for("public.account")
            return redirect(url_for("public.sign_in_page", next=wanted), 303)
        if request.method == "POST":
            _check_form()
        return view(*args, **kwargs)

    return behind


def reader() -> Subscriber:
    """Who asks. Behind the door there is always somebody."""
    return session().subscriber


def session() -> ReaderSession:
    found = viewer.session()
    assert found is not None
    return found


def proof() -> str:
    """A form field that only a page shown to this session can hold."""
    return links.sign(Purpose.ACCOUNT, session().id)


def _check_form() -> None:
    try:
        (session_id,) = links.read(Purpose.ACCOUNT, request.form.get("proof", ""))
    except (BadLink, ValueError):
        raise StaleForm from None
    if session_id != session().id:
        raise StaleForm
