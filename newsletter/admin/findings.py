"""What the checks before sending found, as a panel beside a post; and what its author says to it."""

from collections.abc import Collection
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

import emails
from newsletter.admin import bp, guard, manuscript
from newsletter.admin.posts import find
from newsletter.db import db
from newsletter.posts import content, link_checks, preflight, ticks
from newsletter.posts.models import Post

_LONGEST_QUOTE = 90


@dataclass(frozen=True)
class Line:
    """One finding, with the words of its line: who has no program to jump there finds it by them."""

    finding: emails.Finding
    quote: str
    is_accepted: bool


@dataclass(frozen=True)
class Panel:
    errors: list[Line]
    warnings: list[Line]
    unchecked: list[Line]
    links: link_checks.Progress
    sizes: tuple[preflight.Size, ...]

    @property
    def is_clear(self) -> bool:
        return not self.errors and not self.warnings and not self.unchecked


def panel(post: Post, ticked: Collection[str] = ()) -> Panel:
    """What was found in the newest revision; `ticked` are boxes that are set in a form and not saved yet."""
    accepted = {*ticks.given(post), *ticked}
    text = manuscript.lines_of_text(content.latest_revision(post).source)
    examined = manuscript.examine(post)
    lines = [Line(each, _quote(text, each.line), each.key in accepted) for each in examined.problems]
    of = {level: [line for line in lines if line.finding.level == level] for level in ("error", "warning", "unchecked")}
    return Panel(of["error"], of["warning"], of["unchecked"], link_checks.progress(post), examined.sizes)


@bp.post("/posts/<int:post_id>/check")
def check_again(post_id: int) -> ResponseReturnValue:
    """Ask every link of a post again, whatever it answered before."""
    post = find(post_id)
    link_checks.ask(post, again=True)
    db.session.commit()
    flash("The links are being asked. Look again in a minute.")
    return redirect(url_for(".edit", post_id=post.id))


@bp.post("/posts/<int:post_id>/accept")
def accept(post_id: int) -> ResponseReturnValue:
    post = find(post_id)
    ticks.give(post, preflight.problems(post), {request.form.get("key", "")}, user_id=guard.staff().id)
    db.session.commit()
    return redirect(f"{url_for('.edit', post_id=post.id)}#problems")


@bp.post("/posts/<int:post_id>/object")
def withdraw(post_id: int) -> ResponseReturnValue:
    post = find(post_id)
    ticks.take_back(post, apart_from=ticks.given(post) - {request.form.get("key", "")})
    db.session.commit()
    return redirect(f"{url_for('.edit', post_id=post.id)}#problems")


def _quote(text: list[str], line: int | None) -> str:
    said = text[line - 1].strip() if line and line <= len(text) else ""
    return said if len(said) <= _LONGEST_QUOTE else f"{said[:_LONGEST_QUOTE].rstrip()}…"
