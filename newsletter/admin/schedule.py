"""When a post goes out, and to how many."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from newsletter import clock
from newsletter.accounts import audit
from newsletter.admin import bp, findings, guard, phrases
from newsletter.admin.forms import ScheduleForm
from newsletter.admin.posts import find
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.posts import publishing, ticks
from newsletter.posts.models import Post
from newsletter.publication.models import Publication
from newsletter.sending import start


class NoSuchZone(NewsletterError):
    pass


@dataclass(frozen=True)
class Plan:
    """A moment, read from a form, and how it is said before anybody agrees to it."""

    at: datetime
    zone: str
    sentence: str
    is_possible: bool


@bp.get("/posts/<int:post_id>/schedule")
def schedule(post_id: int) -> str:
    post = find(post_id)
    return _page(post, _form())


@bp.get("/posts/when")
def schedule_said() -> str:
    """The sentence about the chosen moment, while it is being chosen."""
    return render_template("admin/posts/_when.html", **_plan_or_fault(_form()))


@bp.post("/posts/<int:post_id>/schedule")
def set_schedule(post_id: int) -> ResponseReturnValue:
    post, form = find(post_id), ScheduleForm(request.form)
    try:
        plan = _read(form)
        accepted = request.form.getlist("accept")
        ticks.take_back(post, apart_from=accepted)
        publishing.schedule(post, plan.at, plan.zone, accepted=accepted, user_id=guard.staff().id)
    except ticks.NotAccepted as refusal:
        db.session.rollback()
        return _page(post, form, _ask_for_ticks(refusal)), 422
    except NewsletterError as error:
        db.session.rollback()
        return _page(post, form, error.sentence), 422
    audit.record("scheduled a post", f"post {post.id}", by=guard.staff(), at=plan.at.isoformat())
    db.session.commit()
    if form.when.data == "now":
        flash("It is on its way: the first messages leave within a minute.")
        return redirect(url_for(".sends"))
    flash(f"“{post.title}” goes out {plan.sentence}")
    return redirect(url_for(".edit", post_id=post.id))


@bp.post("/posts/<int:post_id>/unschedule")
def unschedule(post_id: int) -> ResponseReturnValue:
    post = find(post_id)
    publishing.unschedule(post)
    audit.record("took a post off the schedule", f"post {post.id}", by=guard.staff())
    db.session.commit()
    flash(f"“{post.title}” is a draft again. Nothing was sent.")
    return redirect(url_for(".edit", post_id=post.id))


def _form() -> ScheduleForm:
    """As asked for in the address; else tomorrow at nine, where the publication lives."""
    zone = Publication.current().time_zone
    tomorrow = clock.now().astimezone(Publication.current().zone) + timedelta(days=1)
    form = ScheduleForm(request.args) if "day" in request.args else ScheduleForm(time="09:00", zone=zone)
    form.day.data = form.day.data or tomorrow.date().isoformat()
    return form


def _read(form: ScheduleForm) -> Plan:
    """Raises NotATime or NoSuchZone."""
    zone = form.zone.data or Publication.current().time_zone
    if zone not in available_timezones():
        raise NoSuchZone(f"“{zone}” is not a time zone. They are named like Europe/Berlin.")
    if form.when.data == "now":
        return Plan(clock.now(), zone, "now.", is_possible=True)
    if not form.day.data or not form.time.data:
        raise clock.NotATime("Choose a day." if not form.day.data else "Choose a time.")
    at = clock.from_local(f"{form.day.data} {form.time.data}", zone)
    said = phrases.Phrases(Publication.current().time_zone)
    if at < clock.now() - publishing.NOW:
        return Plan(at, zone, f"{said.in_both_zones(at, zone)} has passed.", is_possible=False)
    return Plan(at, zone, f"{said.in_both_zones(at, zone)}, {said.distance(at)}.", is_possible=True)


def _ask_for_ticks(refusal: ticks.NotAccepted) -> str:
    many = len(refusal.findings)
    one = "One warning is" if many == 1 else f"{many} warnings are"
    return f"{one} not ticked. Mend what it is about, or tick “Send anyway”."


def _plan_or_fault(form: ScheduleForm) -> dict[str, object]:
    try:
        return {"plan": _read(form), "fault": ""}
    except NewsletterError as error:
        return {"plan": None, "fault": error.sentence}


def _page(post: Post, form: ScheduleForm, refusal: str = "") -> str:
    return render_template(
        "admin/posts/schedule.html",
        post=post,
        form=form,
        refusal=refusal,
        readers=start.count_audience(post),
        in_full=start.count_in_full(post),
        found=findings.panel(post, request.values.getlist("accept")),
        zones=sorted(available_timezones()),
        **_plan_or_fault(form),
    )
