"""The sheet of paper: what is typed becomes a version, and is never lost."""

from typing import Final
from urllib.parse import urlencode

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError

import emails
from newsletter import clock
from newsletter.admin import bp, cards, findings, guard, manuscript, phrases, pictures, size
from newsletter.admin.forms import PostForm
from newsletter.admin.posts import find
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.posts import content, link_checks, polls, publishing
from newsletter.posts.models import Post, Revision
from newsletter.publication.models import Newsletter, Publication
from newsletter.sending import queries as sends
from newsletter.sending import rehearsal

VIEWS: Final = {"mail": "Mail", "phone": "Phone", "text": "Text", "web": "Web page"}
READERS: Final = {"free": "a free reader", "paying": "a paying reader", "stranger": "a stranger"}
OTHER: Final = {"other": "a reader who pays for another tier"}


@bp.route("/posts/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if request.method == "POST":
        return _save(None)
    form = manuscript.form_of(None, None)
    form.authors.data = guard.staff().name
    return _page(None, form)


@bp.get("/posts/<int:post_id>")
def edit(post_id: int) -> ResponseReturnValue:
    post = find(post_id)
    return _page(post, manuscript.form_of(post, content.latest_revision(post)))


@bp.post("/posts/<int:post_id>")
def save(post_id: int) -> ResponseReturnValue:
    return _save(find(post_id))


def _save(post: Post | None) -> ResponseReturnValue:
    form = PostForm(request.form)
    form.offer(Newsletter.open(), post.newsletter if post else None)
    latest = content.latest_revision(post) if post else None
    try:
        manuscript.append(form, pictures.add_sent())
    except NewsletterError as error:
        db.session.rollback()
        form.pictures.errors = [error.sentence]
        return _refused(post, form)
    if not manuscript.is_complete(form):
        return _refused(post, form)
    if latest and form.revision.data != str(latest.number) and latest.source != manuscript.source_of(form):
        return _overtaken(post, form, latest)
    try:
        post = publishing.write(manuscript.source_of(form), user_id=guard.staff().id, post=post)
        link_checks.ask(post)
        db.session.commit()
    except NewsletterError as error:
        db.session.rollback()
        manuscript.blame(form, error)
        return _refused(post, form)
    except IntegrityError:  # two saves at the same moment: one of them was first
        db.session.rollback()
        form.body.errors = ["This was saved at the same moment from elsewhere. Save once more."]
        return _refused(post, form)
    return _answer_saved(post)


def _answer_saved(post: Post) -> ResponseReturnValue:
    if _wants_json():
        return jsonify(
            said=f"Saved {phrases.Phrases(Publication.current().time_zone).time(clock.now())}",
            revision=content.latest_revision(post).number,
            url=url_for(".edit", post_id=post.id),
            problems=_checked(post),
            links=render_template("admin/posts/_links.html", post=post, links=cards.of(post)),
        )
    match request.form.get("then"):
        case "schedule":
            return redirect(url_for(".schedule", post_id=post.id))
        case "test":
            return _send_test(post)
    flash("Saved. The picture is at the end of the text." if pictures.were_sent() else "Saved.")
    seen = urlencode({"view": _chosen("view", VIEWS), "as": _chosen("as", READERS)})
    return redirect(f"{url_for('.edit', post_id=post.id)}?{seen}")


def _send_test(post: Post) -> ResponseReturnValue:
    owner = guard.staff()
    try:
        rehearsal.send_test(post, owner.email, owner.name)
        db.session.commit()
        flash(f"A test is on its way to {owner.email}.")
    except emails.LetterError as error:
        db.session.rollback()
        flash(f"No test was sent. {error}")
    return redirect(url_for(".edit", post_id=post.id))


def _refused(post: Post | None, form: PostForm) -> ResponseReturnValue:
    """What was typed, with what is wrong beside it. Nothing is lost, nothing is saved."""
    if _wants_json():
        faults = [f"{field.label.text}: {fault}" for field in form for fault in field.errors]
        return jsonify(said="Not saved yet. " + " ".join(faults)), 422
    return _page(post, form), 422


def _overtaken(post: Post | None, form: PostForm, latest: Revision) -> ResponseReturnValue:
    """Someone else saved in between. Saving once more puts this on top; theirs stays a version."""
    if _wants_json():
        return jsonify(said="Not saved: someone else saved this post meanwhile. Press Save to see what to do."), 409
    form.revision.data = str(latest.number)
    form.body.errors = [
        f"Someone else saved version {latest.number} while this was being written. Here is your text, not saved yet: "
        "save again to put it on top. Theirs stays among the versions."
    ]
    return _page(post, form), 409


def _page(post: Post | None, form: PostForm) -> str:
    return render_template(
        "admin/posts/edit.html",
        post=post,
        form=form,
        view=_chosen("view", VIEWS),
        reader=_chosen("as", READERS),
        views=VIEWS,
        readers=READERS | (OTHER if post and post.tier_ids else {}),
        checked=Markup(_checked(post)) if post else None,  # noqa: S704  # a template of ours
        links=cards.of(post) if post else [],
        mailings=sends.of_post(post.id) if post else [],
        polls=polls.of_post(post) if post else [],
        **pictures.offers(),
    )


def _checked(post: Post) -> str:
    """What stands below the preview: how large the mail is, and what the checks before sending say."""
    found = findings.panel(post)
    return render_template("admin/posts/_checked.html", post=post, found=found, meter=size.meter(found.sizes))


def _chosen(name: str, known: dict[str, str]) -> str:
    given = request.values.get(name, "")
    return given if given in known else next(iter(known))


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"
