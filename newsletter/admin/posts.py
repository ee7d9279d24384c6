"""The list of posts, the trash, and every version of a post."""

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from newsletter.accounts import audit
from newsletter.admin import bp, guard
from newsletter.db import db
from newsletter.errors import NotFound
from newsletter.posts import content, history, publishing, queries
from newsletter.posts.models import Post, PostStatus

FILTERS: Final = {"": "All", "draft": "Drafts", "scheduled": "Scheduled", "published": "Published", "trash": "Trash"}


def find(post_id: int) -> Post:
    """Raises NotFound, with a sentence."""
    post = db.session.get(Post, post_id)
    if post is None:
        raise NotFound("There is no such post.")
    return post


@bp.get("/posts")
def posts() -> str:
    words = request.args.get("words", "").strip()[:100]
    status = request.args.get("status", "")
    status = status if status in FILTERS else ""
    in_trash = status == "trash"
    found = queries.for_desk(PostStatus(status) if status and not in_trash else None, words, trashed=in_trash)
    return render_template("admin/posts/list.html", posts=found, words=words, status=status, filters=FILTERS)


@bp.post("/posts/<int:post_id>/trash")
def trash(post_id: int) -> ResponseReturnValue:
    post = find(post_id)
    publishing.trash(post)
    audit.record("put a post in the trash", f"post {post.id}", by=guard.staff())
    db.session.commit()
    flash({"text": f"“{post.title}” is in the trash.", "undo": url_for(".restore", post_id=post.id)})  # type: ignore[arg-type]  # the session keeps any JSON
    return redirect(url_for(".posts"))


@bp.post("/posts/<int:post_id>/restore")
def restore(post_id: int) -> ResponseReturnValue:
    post = find(post_id)
    publishing.restore(post)
    db.session.commit()
    flash(f"“{post.title}” is back.")
    return redirect(url_for(".edit", post_id=post.id))


@bp.get("/posts/<int:post_id>/versions")
def versions(post_id: int) -> str:
    post = find(post_id)
    return render_template("admin/posts/versions.html", post=post, versions=history.versions(post))


@bp.get("/posts/<int:post_id>/versions/<int:number>")
def version(post_id: int, number: int) -> str:
    post = find(post_id)
    latest = content.latest_revision(post).number
    return render_template(
        "admin/posts/version.html", post=post, revision=history.version(post, number), is_latest=number == latest
    )


@bp.post("/posts/<int:post_id>/versions/<int:number>/restore")
def restore_version(post_id: int, number: int) -> ResponseReturnValue:
    post = find(post_id)
    publishing.write(history.version(post, number).source, user_id=guard.staff().id, post=post)
    db.session.commit()
    flash(f"Version {number} is the newest again. The ones after it are still here.")
    return redirect(url_for(".edit", post_id=post.id))
