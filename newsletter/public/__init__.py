"""The door for readers: the site, sign-up, preferences, leaving, their account. A cookie is set by signing in alone."""

from flask import Blueprint, Response, request

bp = Blueprint("public", __name__)


@bp.after_request
def keep_keys_private(response: Response) -> Response:
    """An address that holds a token is a key: no cache keeps it, no search engine lists it."""
    if request.view_args and "token" in request.view_args:
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex"
    return response


from newsletter.public import (  # noqa: E402  # the views hang themselves on the blueprint
    account,
    address,
    embed,
    feeds,
    frame,
    gifts,
    leaving,
    offers,
    polls,
    preferences,
    seats,
    signup,
    site,
    support,
)

__all__ = [
    "account",
    "address",
    "bp",
    "embed",
    "feeds",
    "frame",
    "gifts",
    "leaving",
    "offers",
    "polls",
    "preferences",
    "seats",
    "signup",
    "site",
    "support",
]
