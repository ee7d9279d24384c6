"""The door for readers: the site, sign-up, preferences, leaving. It keeps no session and sets no cookie."""

from flask import Blueprint

bp = Blueprint("public", __name__)
