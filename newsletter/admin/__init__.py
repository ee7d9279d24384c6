"""The door for staff: the desk. Everything behind /desk wants a signed-in person."""

from flask import Blueprint

bp = Blueprint("admin", __name__, url_prefix="/desk")

from newsletter.admin import (  # noqa: E402, F401  # each adds its pages to the blueprint above
    account,
    cards,
    editor,
    figures,
    findings,
    guard,
    home,
    lab,
    looks,
    money,
    offers,
    payments,
    pictures,
    posts,
    preview,
    readers,
    returned,
    schedule,
    sends,
    settings,
    sign_in,
)
