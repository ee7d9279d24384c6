"""A reader makes a feed of their own, changes its address, and takes it away."""

from flask import redirect, url_for

from newsletter.db import db
from newsletter.public import bp
from newsletter.public.account import door
from newsletter.public.account.door import Page
from newsletter.subscribers import private_feed


@bp.post("/account/feed")
@door.required
def make_feed() -> Page:
    private_feed.make(door.reader())
    db.session.commit()
    return redirect(url_for(".account", said="feed"), 303)


@bp.post("/account/feed/off")
@door.required
def switch_feed_off() -> Page:
    private_feed.switch_off(door.reader())
    db.session.commit()
    return redirect(url_for(".account", said="no-feed"), 303)
