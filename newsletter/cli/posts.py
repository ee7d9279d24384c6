"""newsletter posts …"""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import click

import emails
from newsletter import clock
from newsletter.cli.root import in_app
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.posts import preflight, publishing, queries
from newsletter.posts.models import Post, PostStatus
from newsletter.publication.models import Newsletter, Publication
from newsletter.sending import start
from newsletter.terminal.screen import brief, count, harmless, moment, out, say, table

LARGEST = 1024 * 1024


class CannotRead(NewsletterError):
    """A file that is no post."""


@click.group()
def posts() -> None:
    """What you write."""


@posts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--newsletter", metavar="SLUG", help="Which one it is for, if the front matter does not say.")
@in_app
def import_file(file: Path, newsletter: str | None) -> None:
    """Save FILE, Markdown with front matter, as a draft.

    With a slug that a post has already, it becomes the newest revision of that post.
    """
    source = _read(file)
    post = _save(file, source, _newsletter(newsletter) if newsletter else None)
    problems = preflight.problems(post)
    for problem in problems:
        if problem.level == "error" and problem.line:
            raise CannotRead(f"{file}:{problem.line}: {problem.sentence} Nothing was saved.")
    db.session.commit()
    say(f"“{post.title}” is saved as {post.slug}, revision {post.revisions[-1].number} ({post.status}).")
    for problem in problems:
        say(f"  {problem.level}: {problem.full_sentence}")


@posts.command("list")
@click.argument("words", nargs=-1)
@in_app
def show(words: tuple[str, ...]) -> None:
    """Drafts and scheduled posts first, then the newest. WORDS must all be in title or slug."""
    zone = Publication.current().zone
    shown = table("slug", "status", "when", "newsletter", "title", long=("title",))
    for post in queries.for_desk(words=" ".join(words)):
        when = post.scheduled_for if post.status is PostStatus.SCHEDULED else post.published_at
        shown.add_row(
            harmless(post.slug), post.status.value, moment(when, zone), post.newsletter.slug, brief(post.title)
        )
    out.print(shown if shown.row_count else "No posts.")


@posts.command()
@click.argument("slug")
@click.option("--at", required=True, metavar="TIME|now", help='Local time, like "2026-11-30 09:00", or the word now.')
@click.option("--zone", help="Of that time, like Europe/Berlin. The publication's own, unless given.")
@in_app
def schedule(slug: str, at: str, zone: str | None) -> None:
    """Plan a post for a time. It is checked first, as by the desk."""
    post = _post(slug)
    zone = _zone(zone or post.newsletter.publication.time_zone)
    planned = clock.now() if at == "now" else clock.from_local(at, zone)
    publishing.schedule(post, planned, zone)
    db.session.commit()
    readers = count(start.count_audience(post.newsletter_id, post.audience), "reader")
    say(f"“{post.title}” goes out {_when(planned, zone)}, to {readers} as of now.")
    for problem in preflight.problems(post):
        say(f"  {problem.level}: {problem.full_sentence}")


@posts.command()
@click.argument("slug")
@in_app
def unschedule(slug: str) -> None:
    """Make a scheduled post a draft again."""
    post = _post(slug)
    publishing.unschedule(post)
    db.session.commit()
    say(f"“{post.title}” is a draft again.")


def _read(file: Path) -> str:
    try:
        content = file.read_bytes() if file.stat().st_size <= LARGEST else b""
    except OSError as error:
        raise CannotRead(f"{file} cannot be read: {error.strerror}.") from None
    if not content:
        raise CannotRead(f"{file} is empty, or larger than the 1 MB that a post may have.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CannotRead(f"{file}:{line}: This line is not UTF-8. Save the file as UTF-8.") from None


def _save(file: Path, source: str, newsletter: Newsletter | None) -> Post:
    try:
        slug = emails.read_post(source).front.slug
        return publishing.write(source, newsletter=newsletter, post=Post.by_slug(slug) if slug else None)
    except emails.SourceError as error:
        raise CannotRead(f"{file}:{error.line}: {error.sentence}") from None
    except publishing.BadSource as error:
        raise CannotRead(f"{file}:{error.line}: {error.what}") from None


def _newsletter(slug: str) -> Newsletter:
    found = Newsletter.by_slug(slug)
    if found is None:
        slugs = ", ".join(newsletter.slug for newsletter in Newsletter.open())
        raise NotFound(f"There is no newsletter “{slug}”. There are: {slugs or 'none yet'}.")
    return found


def _post(slug: str) -> Post:
    post = Post.by_slug(slug)
    if post is None:
        raise NotFound(f"There is no post “{slug}”. See them with: newsletter posts list")
    return post


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise clock.NotATime(f"“{name}” is not a time zone. They are named like Europe/Berlin.")
    return name


def _when(planned: datetime, zone: str) -> str:
    if planned <= clock.now():
        return "now"
    return f"at {planned.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
