"""The old mailbox takes a change of address back."""

from flask import render_template

from newsletter.db import db
from newsletter.public import bp, forms
from newsletter.subscribers import addresses, letters, moving


@bp.get("/address/<token>")
def take_back_page(token: str) -> str:
    _, code = moving.returning(token)
    return render_template(
        "public/take_back.html",
        old=addresses.masked(code.values["old"]),
        new=addresses.masked(code.values["email"]),
    )


@bp.post("/address/<token>")
def take_back(token: str) -> str:
    subscriber = moving.take_back(token, forms.origin())
    db.session.commit()
    return render_template(
        "public/taken_back.html",
        masked=addresses.masked(subscriber.email or ""),
        preferences_url=letters.preferences_url(subscriber.id),
    )
