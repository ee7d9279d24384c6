"""What every page of the desk has: its front door, its keys, and how it says numbers and moments."""

from typing import Any

from flask import g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from newsletter.admin import bp, phrases
from newsletter.publication.models import Publication


@bp.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for(".posts"))


@bp.get("/keys")
def keys() -> str:
    return render_template("admin/keys.html")


@bp.context_processor
def _at_hand() -> dict[str, Any]:  # what templates may name
    session = g.get("staff_session")
    publication = Publication.find()
    return {
        "say": phrases.Phrases(publication.time_zone if publication else "UTC"),
        "staff": session.user if session else None,
        "publication": publication,
    }
