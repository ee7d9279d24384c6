"""Mailings, watched: what has arrived at the mail server, what has not, and what the author may do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from newsletter.accounts import audit
from newsletter.admin import bp, came_back, guard
from newsletter.admin.posts import find as find_post
from newsletter.db import db
from newsletter.errors import NotFound
from newsletter.sending import control, queries, start, traffic
from newsletter.sending.models import Mailing, Outcome
from newsletter.sending.queries import Progress, TroubledReader
from newsletter.subscribers import queries as subscriber_queries

ON_A_PAGE: Final = 50
AT_A_GLANCE: Final = 8

# What happened to them, as the heading of their table; in the order of how much it wants the author.
KINDS: Final = {
    "unconfirmed": "Unconfirmed",
    "refused": "Refused",
    "waiting": "Waiting",
    "expired": "Expired",
    "skipped": "Skipped",
}


@dataclass(frozen=True)
class Part:
    """A piece of the bar: its place and width in a thousand."""

    kind: str
    count: int
    start: float
    width: float


@bp.get("/sends")
def sends() -> str:
    return render_template("admin/sends/list.html", **_listed())


@bp.get("/sends/now")
def sends_now() -> str:
    """The newest part of the list above, for those who wait for something to start or to finish."""
    return render_template("admin/sends/_list.html", **_listed())


@bp.get("/sends/<int:mailing_id>")
def mailing(mailing_id: int) -> str:
    left = subscriber_queries.left_by(mailing_id)
    returned = came_back.shown(mailing_id)
    return render_template("admin/sends/mailing.html", left=left, returned=returned, **_watched(find(mailing_id)))


@bp.get("/sends/<int:mailing_id>/progress")
def progress(mailing_id: int) -> str:
    """The changing part of the page above, for those who watch."""
    return render_template("admin/sends/_progress.html", **_watched(find(mailing_id)))


@bp.get("/sends/<int:mailing_id>/<kind>")
def mailing_readers(mailing_id: int, kind: str) -> str:
    if kind not in KINDS:
        abort(404)
    after = request.args.get("after", 0, type=int)
    readers = _readers(mailing_id, kind, ON_A_PAGE + 1, after)
    return render_template(
        "admin/sends/readers.html",
        mailing=find(mailing_id),
        kind=kind,
        heading=KINDS[kind],
        readers=readers[:ON_A_PAGE],
        total=getattr(queries.progress(mailing_id), kind),
        after=readers[ON_A_PAGE - 1].subscriber_id if len(readers) > ON_A_PAGE else None,
    )


@bp.post("/sends/<int:mailing_id>/pause")
def pause(mailing_id: int) -> ResponseReturnValue:
    return _act(mailing_id, "paused a mailing", control.pause, "Paused. Only what was in flight still leaves.")


@bp.post("/sends/<int:mailing_id>/go-on")
def go_on(mailing_id: int) -> ResponseReturnValue:
    return _act(mailing_id, "resumed a mailing", control.go_on, "It goes on.")


@bp.post("/sends/<int:mailing_id>/stop")
def stop(mailing_id: int) -> ResponseReturnValue:
    return _act(mailing_id, "stopped a mailing", control.stop, "Stopped. Nobody else gets this mailing.")


@bp.post("/sends/<int:mailing_id>/unreached")
def send_to_unreached(mailing_id: int) -> ResponseReturnValue:
    again = control.send_to_unreached(find(mailing_id))
    return _sent_again(mailing_id, again, "sent to those not reached")


@bp.post("/sends/<int:mailing_id>/doubts")
def settle_doubts(mailing_id: int) -> ResponseReturnValue:
    if request.form.get("resend"):
        again = control.send_doubtful_again(find(mailing_id))
        return _sent_again(mailing_id, again, "sent to the unconfirmed again")
    return _act(mailing_id, "left the unconfirmed as they are", control.leave_doubtful, "Left as it is.")


def find(mailing_id: int) -> Mailing:
    """Raises NotFound, with a sentence."""
    found = db.session.get(Mailing, mailing_id)
    if found is None:
        raise NotFound("There is no such mailing.")
    return found


def parts(progress: Progress) -> list[Part]:
    """The bar from left to right. What is there can be seen: even one reader of a million is 4 wide."""
    counts = {kind: getattr(progress, kind) for kind in ("accepted", "skipped", *list(KINDS)[:4])}
    shown = {kind: count for kind, count in counts.items() if count}
    total = max(progress.due, 1)
    widths = {kind: max(count * 1000 / total, 4) for kind, count in shown.items()}
    scale = min(1, 1000 / sum(widths.values())) if widths else 1
    bar, start = [], 0.0
    for kind, count in shown.items():
        bar.append(Part(kind, count, round(start, 1), round(widths[kind] * scale, 1)))
        start += widths[kind] * scale
    return bar


def _listed() -> dict[str, object]:
    before = request.args.get("before", type=int)
    due = [] if before else start.due()  # asked first: what starts between the two questions is in the second answer
    found = queries.mailings(ON_A_PAGE + 1, before)
    progress = queries.progress_of(found)
    started = {mailing.post_id for mailing in found}
    starting = [find_post(post_id) for post_id in due if post_id not in started]
    return {
        "mailings": found[:ON_A_PAGE],
        "progress": progress,
        "parts": {mailing_id: parts(each) for mailing_id, each in progress.items()},
        "before": found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None,
        "starting": starting,
        "is_over": before is not None or (not starting and all(each.is_over for each in progress.values())),
    }


def _act(mailing_id: int, action: str, act: Callable[[Mailing], None], said: str) -> ResponseReturnValue:
    act(find(mailing_id))
    audit.record(action, f"mailing {mailing_id}", by=guard.staff())
    db.session.commit()
    flash(said)
    return redirect(url_for(".mailing", mailing_id=mailing_id))


def _sent_again(mailing_id: int, again: Mailing, action: str) -> ResponseReturnValue:
    audit.record(action, f"mailing {mailing_id}", by=guard.staff(), again=again.id)
    db.session.commit()
    flash("A new mailing with the same message is on its way to them. This is it.")
    return redirect(url_for(".mailing", mailing_id=again.id))


def _watched(mailing: Mailing) -> dict[str, object]:
    progress = queries.progress(mailing.id)
    tables = [
        (kind, heading, getattr(progress, kind), _readers(mailing.id, kind, AT_A_GLANCE, 0))
        for kind, heading in KINDS.items()
        if getattr(progress, kind) and kind != "skipped"
    ]
    lanes = [] if progress.is_over else traffic.now()
    return {"mailing": mailing, "progress": progress, "parts": parts(progress), "lanes": lanes, "tables": tables}


def _readers(mailing_id: int, kind: str, limit: int, after: int) -> list[TroubledReader]:
    if kind == "waiting":
        return queries.waiting(mailing_id, limit, after)
    return queries.troubled(mailing_id, Outcome(kind), limit, after)
