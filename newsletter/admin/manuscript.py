"""The editor's form and the source it stands for: front matter and Markdown, joined and taken apart."""

import re
from dataclasses import replace
from datetime import date

from wtforms import Field

import emails
from newsletter.admin.forms import PostForm
from newsletter.errors import NewsletterError
from newsletter.posts import content, preflight, publishing
from newsletter.posts.models import Post, Revision
from newsletter.posts.preflight import Examination
from newsletter.publication.models import Newsletter

_FRONT = re.compile(r"\s*---[ \t]*\r?\n(?:[ \t]*(?:#.*)?\r?\n)*[A-Za-z_][\w -]*?\s*:")


def form_of(post: Post | None, revision: Revision | None) -> PostForm:
    """The form as the newest revision fills it."""
    if post is None or revision is None:
        form = PostForm(revision="0")
    else:
        front, body = _apart(revision.source)
        form = PostForm(
            title=front.title,
            subtitle=front.subtitle,
            body=body,
            newsletter=post.newsletter.slug,
            audience=front.audience,
            tiers=list(front.tiers),
            slug=front.slug,
            authors=_listed(front.authors),
            series=front.series,
            number="" if front.number is None else str(front.number),
            tags=_listed(front.tags),
            date=front.date.isoformat() if front.date else "",
            preheader=front.preheader,
            subject=front.subject,
            revision=str(revision.number),
        )
    form.offer(Newsletter.open(), post.newsletter if post else None)
    return form


def source_of(form: PostForm) -> str:
    """What is saved. A body that begins with front matter of its own is a whole source: it is taken as it is."""
    body = (form.body.data or "").replace("\r\n", "\n")
    if has_own_front_matter(form):
        return body.lstrip("\ufeff \n")
    front = emails.FrontMatter(
        title=form.title.data or "",
        subtitle=form.subtitle.data or "",
        slug=form.slug.data or "",
        authors=_split(form.authors.data),
        series=form.series.data or "",
        number=int(form.number.data) if form.number.data else None,
        newsletter=form.newsletter.data or "",
        audience=form.audience.data or "everyone",
        tiers=tuple(form.tiers.data or ()) if form.audience.data == "paying" else (),
        tags=_split(form.tags.data),
        date=date.fromisoformat(form.date.data) if form.date.data else None,
        preheader=form.preheader.data or "",
        subject=form.subject.data or "",
    )
    return emails.write_post(front, body)


def append(form: PostForm, markdown: str) -> None:
    """Put it below the text, as a part of its own. Nothing is nothing."""
    if markdown:
        form.body.data = "\n\n".join(filter(None, [(form.body.data or "").rstrip(), markdown]))


def has_own_front_matter(form: PostForm) -> bool:
    return bool(_FRONT.match((form.body.data or "").lstrip("\ufeff")))


def is_complete(form: PostForm) -> bool:
    """Whether the form can be saved; says what is missing beside the field."""
    valid = form.validate()
    if not has_own_front_matter(form) and not (form.title.data or "").strip():
        form.title.errors = ["Give it a title, even a working one. You can change it later."]
        return False
    return valid


def blame(form: PostForm, error: NewsletterError) -> None:
    """Put a refusal beside the field that it is about."""
    field: Field = form.body
    if not has_own_front_matter(form):
        fields = {
            publishing.SlugTaken: form.slug,
            publishing.UnknownNewsletter: form.newsletter,
            publishing.UnknownTier: form.tiers,
        }
        field = fields.get(type(error), form.body)
    field.errors = [error.sentence]


def problems(post: Post) -> list[emails.Finding]:
    return examine(post).problems


def examine(post: Post) -> Examination:
    """What the checks before sending say, with lines as the editor counts them: from the first line of the text."""
    above = _lines_above_text(content.latest_revision(post).source)
    found = preflight.examine(post)
    counted = [
        replace(problem, line=problem.line - above if problem.line and problem.line > above else None)
        for problem in found.problems
    ]
    return replace(found, problems=counted)


def lines_of_text(source: str) -> list[str]:
    """As the editor shows them."""
    try:
        return emails.read_post(source).body.split("\n")
    except emails.SourceError:
        return source.split("\n")


def _lines_above_text(source: str) -> int:
    try:
        return emails.read_post(source).body_line - 1
    except emails.SourceError:
        return 0


def _apart(source: str) -> tuple[emails.FrontMatter, str]:
    parts = emails.read_post(source)
    return parts.front, parts.body


def _listed(values: tuple[str, ...]) -> str:
    if any("," in value for value in values):
        return "; ".join(values) + (";" if len(values) == 1 else "")
    return ", ".join(values)


def _split(text: str | None) -> tuple[str, ...]:
    """By commas; by semicolons where there are some, for names like “Grace Hopper, PhD”."""
    text = text or ""
    return tuple(part.strip() for part in text.split(";" if ";" in text else ",") if part.strip())
