"""What came back of a mailing: bounces, complaints, and what readers wrote."""

from flask import abort, render_template, request

from newsletter.admin import bp
from newsletter.admin.came_back import KINDS
from newsletter.admin.sends import ON_A_PAGE, find
from newsletter.sending import returned
from newsletter.sending.models import BounceKind


@bp.get("/sends/<int:mailing_id>/came-back/<kind>")
def came_back(mailing_id: int, kind: str) -> str:
    if kind not in set(BounceKind):
        abort(404)
    chosen = BounceKind(kind)
    lines = returned.lines(mailing_id, chosen, ON_A_PAGE + 1, request.args.get("before", type=int))
    heading, meaning = KINDS[chosen]
    return render_template(
        "admin/sends/came_back.html",
        mailing=find(mailing_id),
        kind=chosen,
        heading=heading,
        meaning=meaning,
        lines=lines[:ON_A_PAGE],
        total=returned.counts(mailing_id).get(chosen, 0),
        before=lines[ON_A_PAGE - 1].id if len(lines) > ON_A_PAGE else None,
    )


@bp.get("/sends/<int:mailing_id>/replies")
def replies(mailing_id: int) -> str:
    return render_template(
        "admin/sends/replies.html",
        mailing=find(mailing_id),
        replies=returned.replies(mailing_id, 500),
        total=returned.replies_count(mailing_id),
    )
