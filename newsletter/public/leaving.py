"""Leaving: a page with a button for people, one click for mail programs, and a way back."""

from flask import Response, render_template, request

from newsletter import links
from newsletter.db import db
from newsletter.links import BadLink, Purpose
from newsletter.public import bp, forms, frame
from newsletter.publication.models import Newsletter
from newsletter.subscribers import addresses, leaving, letters
from newsletter.subscribers.models import Subscriber


@bp.get("/leave/<token>")
def leave_page(token: str) -> str:
    try:
        subscriber_id, newsletter_id, _ = links.read(Purpose.LEAVE, token)
    except BadLink:
        return _unreadable()
    if before := leaving.already_left(subscriber_id, newsletter_id):
        return _left(subscriber_id, before.undo_token, newsletter_id)
    subscriber = db.session.get(Subscriber, subscriber_id)
    return render_template(
        "public/leave.html",
        newsletter=db.session.get(Newsletter, newsletter_id),
        masked=addresses.masked(subscriber.email) if subscriber and subscriber.email else "",
        has_others=len(frame.newsletters()) > 1,
        preferences_url=letters.preferences_url(subscriber_id),
    )


@bp.post("/leave/<token>")
def leave(token: str) -> str | Response | tuple[str, int]:
    """What a mail program posts (RFC 8058), in whatever encoding, has no `scope`; what our page posts has."""
    try:
        subscriber_id, newsletter_id, mailing_id = links.read(Purpose.LEAVE, token)
    except BadLink:
        return _unreadable(), 404  # a mail program must not believe that this worked
    scope = request.form.get("scope")
    left = leaving.leave(
        subscriber_id,
        None if scope == "all" else newsletter_id or None,
        mailing_id=mailing_id or None,
        origin=forms.origin(),
        way="page" if scope else "one-click",
    )
    db.session.commit()
    if not scope:
        return Response("You have left.\n", mimetype="text/plain")
    if not left.undo_token:  # a second press: the first one's way back is still the way back
        left = leaving.already_left(subscriber_id, newsletter_id) or left
    return _left(subscriber_id, left.undo_token, newsletter_id if scope == "one" else None)


@bp.post("/undo/<token>/reason")
def explain(token: str) -> str:
    subscriber_id, newsletter_id, _ = links.read(Purpose.UNDO_LEAVE, token)
    leaving.explain(token, request.form.get("reason", ""))
    db.session.commit()
    return _left(subscriber_id, token, newsletter_id or None, has_explained=True)


@bp.get("/undo/<token>")
def undo_page(token: str) -> str:
    subscriber_id, newsletter_id, _ = links.read(Purpose.UNDO_LEAVE, token)
    return _left(subscriber_id, token, newsletter_id or None)


@bp.post("/undo/<token>")
def undo(token: str) -> str:
    subscriber_id, _, _ = links.read(Purpose.UNDO_LEAVE, token)
    ids = leaving.undo_leave(token, forms.origin())
    db.session.commit()
    back = [newsletter for newsletter in frame.newsletters() if newsletter.id in ids]
    return render_template("public/back.html", back=back, preferences_url=letters.preferences_url(subscriber_id))


def _left(subscriber_id: int, undo_token: str, newsletter_id: int | None, *, has_explained: bool = False) -> str:
    return render_template(
        "public/left.html",
        newsletter=db.session.get(Newsletter, newsletter_id) if newsletter_id else None,
        undo_token=undo_token,
        has_explained=has_explained,
        preferences_url=letters.preferences_url(subscriber_id),
    )


def _unreadable() -> str:
    """The same for every address that is not ours, with a way to leave all the same."""
    return render_template("public/leave_unreadable.html")
