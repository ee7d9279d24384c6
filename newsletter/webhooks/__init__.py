"""The door for mail providers: what they tell us about messages that have left. It believes nobody without a proof."""

from flask import Blueprint

bp = Blueprint("webhooks", __name__)

from newsletter.webhooks import door, stripe  # noqa: E402  # the views hang themselves on the blueprint

__all__ = ["bp", "door", "stripe"]
