"""The door for staff: the desk. Everything behind /desk wants a signed-in person."""

from flask import Blueprint

bp = Blueprint("admin", __name__, url_prefix="/desk")
