"""newsletter posts …"""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import click

import emails
from newsletter import clock
from newsletter.cli.root import in_app
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.posts import link_checks, preflight, publishing, queries, ticks
from newsletter.posts.models import Post, PostStatus
from newsletter.publication.models import Newsletter, Publication
from newsletter.sending import spam_check, start
from newsletter.terminal.screen import brief, count, harmless, moment, out, say, table

LARGEST = 1024 * 1024


class CannotRead(NewsletterError):
    """A file that is no post."""


class NotScheduled(NewsletterError):
    """There are warnings that the author has not accepted."""


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
    found = preflight.examine(post)
    for problem in found.problems:
        if problem.level == "error" and problem.line:
            raise CannotRead(f"{file}:{problem.line}: {problem.sentence} Nothing was saved.")
    db.session.commit()
    say(f"“{post.title}” is saved as {post.slug}, revision {post.revisions[-1].number} ({post.status}).")
    if found.sizes:
        say(preflight.size_in_words(found.sizes))
    _tell(found.problems)


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
@click.option("--accept", multiple=True, metavar="CODE", help="Send in spite of this warning. May be given often.")
@in_app
def schedule(slug: str, at: str, zone: str | None, accept: tuple[str, ...]) -> None:
    """Plan a post for a time. It is checked first, as by the desk: warnings want your word, by their CODE."""
    post = _post(slug)
    zone = _zone(zone or post.newsletter.publication.time_zone)
    planned = clock.now() if at == "now" else clock.from_local(at, zone)
    try:
        publishing.schedule(post, planned, zone, accepted=accept)
    except ticks.NotAccepted as refusal:
        codes = dict.fromkeys(finding.code for finding in refusal.findings)
        anyway = " ".join(f"--accept {code}" for code in codes)
        raise NotScheduled(f"{refusal.sentence} Mend that, or send it as it is with: {anyway}") from None
    db.session.commit()
    readers = count(start.count_audience(post), "reader")
    say(f"“{post.title}” goes out {_when(planned, zone)}, to {readers} as of now.")
    _tell(preflight.problems(post))


@posts.command()
@click.argument("slug")
@click.option(
    "--ask", is_flag=True, help="Ask every link now whether it is alive, and the spam filter if there is one."
)
@in_app
def check(slug: str, ask: bool) -> None:
    """Say what must be mended before a post goes out, and what is yours to decide. Ends with 1 if something must be."""
    post = _post(slug)
    if ask:
        for look in (spam_check.check, link_checks.check):
            look(post.id)
            db.session.commit()
    found = preflight.problems(post)
    _tell(found, ticks.given(post))
    links = link_checks.progress(post)
    if links.checked < links.total:
        say(f"{links.total - links.checked} of {count(links.total, 'link')} not checked yet. Ask them with --ask.")
    if not found:
        say("Nothing stands in the way of sending it.")
    if any(finding.level == "error" for finding in found):
        raise SystemExit(1)


@posts.command()
@click.argument("slug")
@in_app
def unschedule(slug: str) -> None:
    """Make a scheduled post a draft again."""
    post = _post(slug)
    publishing.unschedule(post)
    db.session.commit()
    say(f"“{post.title}” is a draft again.")


def _tell(findings: list[emails.Finding], accepted: Collection[str] = ()) -> None:
    for finding in findings:
        said = f"accepted {finding.level}" if finding.key in accepted else finding.level
        say(f"  {said} ({finding.code}): {finding.full_sentence}")


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
