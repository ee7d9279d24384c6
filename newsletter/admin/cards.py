"""The addresses that stand alone in a post: what was read of their pages, and what to do about it."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from newsletter.admin import bp, guard
from newsletter.admin.posts import find
from newsletter.db import db
from newsletter.posts import content, publishing, snapshots
from newsletter.posts.models import LinkSnapshot, Post


@bp.get("/posts/<int:post_id>/links")
def links(post_id: int) -> str:
    """The part of the editor that tells of them, for scripts that wait for a page to be read."""
    post = find(post_id)
    return render_template("admin/posts/_links.html", post=post, links=of(post))


@bp.post("/posts/<int:post_id>/links/<int:link_id>/read")
def read_link(post_id: int, link_id: int) -> ResponseReturnValue:
    post = find(post_id)
    snapshots.read_again(snapshots.find(post, link_id))
    db.session.commit()
    return redirect(url_for(".edit", post_id=post.id, _anchor="links"))


@bp.post("/posts/<int:post_id>/links/<int:link_id>/write-out")
def write_out_link(post_id: int, link_id: int) -> ResponseReturnValue:
    post = find(post_id)
    link = snapshots.find(post, link_id)
    publishing.write_out(post, link, user_id=guard.staff().id)
    db.session.commit()
    flash("The card stands in the text now, between its colons: change what you like.")
    return redirect(url_for(".edit", post_id=post.id))


def of(post: Post) -> list[LinkSnapshot]:
    return snapshots.of_post(post, content.latest_revision(post).source)
