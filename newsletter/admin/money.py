"""What readers pay for. Until payments exist, who holds which tier."""

from flask import render_template

from newsletter.admin import bp
from newsletter.tiers import queries


@bp.get("/money")
def money() -> str:
    return render_template("admin/money.html", tiers=queries.with_holders())
