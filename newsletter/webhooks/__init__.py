"""The door for mail providers: what they tell us about messages that have left. It believes nobody without a proof."""

from flask import Blueprint

bp = Blueprint("webhooks", __name__)

from newsletter.webhooks import door  # noqa: E402  # the view hangs itself on the blueprint

__all__ = ["bp", "door"]
