"""The life of a post: written, scheduled, taken back, put in the trash."""

from collections.abc import Collection
from datetime import datetime, timedelta
from difflib import get_close_matches

import emails
from newsletter import clock
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.jobs import Job, enqueue
from newsletter.posts import preflight, slugs, snapshots, ticks
from newsletter.posts.models import LinkSnapshot, NotADraft, Post, PostAudience, PostStatus, Revision
from newsletter.publication.models import Newsletter
from newsletter.tiers.models import Tier

NOW = timedelta(minutes=1)  # what lies no further back than this was meant as "now"


class BadSource(NewsletterError):
    """What was typed cannot be read, at a line counted from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"Line {line}: {sentence}")
        self.line = line
        self.what = sentence


class UnknownNewsletter(NewsletterError):
    pass


class UnknownTier(NewsletterError):
    pass


class SlugTaken(NewsletterError):
    pass


class InThePast(NewsletterError):
    pass


class NotReady(NewsletterError):
    """The pre-flight found what must be mended first."""


def write(
    source: str, *, newsletter: Newsletter | None = None, user_id: int | None = None, post: Post | None = None
) -> Post:
    """Save a source as the newest revision of a post, or of a new one.

    Front matter must be readable (BadSource names the line); a body that cannot be compiled yet is kept all the same.
    """
    try:
        front = emails.read_post(source).front
    except emails.SourceError as error:
        raise BadSource(error.line, error.sentence) from None
    home = _newsletter(front.newsletter) or newsletter or (post and post.newsletter) or _first_newsletter()
    if post is None:
        post = Post(publication_id=home.publication_id, slug="", status=PostStatus.DRAFT, revisions=[])
    elif post.revisions and post.revisions[-1].source == source and post.newsletter_id == home.id:
        return post  # saving what is already there is no new version
    with db.session.no_autoflush:
        post.slug = _slug(post, front)
        _describe(post, front, home)
    db.session.add(post)
    number = post.revisions[-1].number + 1 if post.revisions else 1
    post.revisions.append(Revision(number=number, source=source, user_id=user_id))
    db.session.flush()
    snapshots.want(post, source)
    return post


def write_out(post: Post, snapshot: LinkSnapshot, *, user_id: int | None) -> None:
    """Put the card of an address into the text, to be edited, wherever the address stands alone: a new revision.

    Raises NotFound if it does not, or if there is no card of it yet.
    """
    source = post.revisions[-1].source
    changed = snapshots.written_out(snapshot, source)
    if changed == source:
        raise NotFound(f"There is no line with {snapshot.url} that could be replaced. Save the text, and try again.")
    write(changed, user_id=user_id, post=post)


def schedule(
    post: Post, at: datetime, zone: str, *, accepted: Collection[str] = (), user_id: int | None = None
) -> None:
    """Plan a post for a moment. Refuses the past, what the pre-flight says must be mended, and warnings without a tick.

    `accepted` ticks more of them: by the key of a finding, or by a code for all of its kind.
    """
    if at < clock.now() - NOW:
        local = at.astimezone(post.newsletter.publication.zone)
        raise InThePast(f"{local:%Y-%m-%d %H:%M} ({zone}) has passed. Choose a time to come, or “now”.")
    if post.trashed_at:
        raise NotADraft(f"“{post.title}” is in the trash.")
    findings = preflight.problems(post)
    _refuse_errors(findings)
    ticks.give(post, findings, accepted, user_id=user_id)
    if unread := ticks.missing(post, findings):
        raise ticks.NotAccepted(unread)
    post.schedule(at, zone)
    post.trouble = ""
    if at <= clock.now():
        enqueue(Job.START_DUE_MAILINGS)


def must_be_ready(post: Post) -> None:
    """Raises NotReady with everything that the pre-flight calls an error. Warnings were answered at the scheduling."""
    _refuse_errors(preflight.problems(post))


def _refuse_errors(findings: list[emails.Finding]) -> None:
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        raise NotReady(" ".join(finding.full_sentence for finding in errors))


def unschedule(post: Post) -> None:
    post.unschedule()


def trash(post: Post) -> None:
    """Out of sight, with a way back. A scheduled post is taken off the schedule first."""
    if post.status is PostStatus.SCHEDULED:
        post.unschedule()
    post.trashed_at = clock.now()


def restore(post: Post) -> None:
    post.trashed_at = None


def _newsletter(slug: str) -> Newsletter | None:
    if not slug:
        return None
    found = Newsletter.by_slug(slug)
    if found is None:
        known = [newsletter.slug for newsletter in Newsletter.open()]
        near = get_close_matches(slug, known, n=1)
        hint = f"Did you mean “{near[0]}”?" if near else f"There are: {', '.join(known) or 'none yet'}."
        raise UnknownNewsletter(f"There is no newsletter “{slug}”. {hint}")
    return found


def _tiers(slugs_of_tiers: tuple[str, ...]) -> list[Tier]:
    found = {slug: Tier.by_slug(slug) for slug in slugs_of_tiers}
    for slug, tier in found.items():
        if tier is None:
            known = ", ".join(tier.slug for tier in Tier.in_order()) or "none yet"
            raise UnknownTier(f"There is no tier “{slug}”. There are: {known}.")
    return [tier for tier in found.values() if tier]


def _first_newsletter() -> Newsletter:
    newsletters = Newsletter.open()
    if not newsletters:
        raise UnknownNewsletter("There is no newsletter yet to write for. Add one in the settings.")
    return newsletters[0]


def _slug(post: Post, front: emails.FrontMatter) -> str:
    if front.slug:
        wanted = slugs.from_title(front.slug)
        if slugs.free(wanted, apart_from=post.id) != wanted:
            raise SlugTaken(f"Another post already has the address “{wanted}”. Choose another slug.")
        return wanted
    if post.status is not PostStatus.DRAFT:
        return post.slug  # once public, an address stays
    return slugs.free(slugs.from_title(front.title), apart_from=post.id)


def _describe(post: Post, front: emails.FrontMatter, home: Newsletter) -> None:
    """The columns that lists and queries need, read from the source."""
    post.newsletter = home
    post.newsletter_id = home.id
    post.title = front.title
    post.subtitle = front.subtitle
    post.subject = front.subject
    post.preheader = front.preheader
    post.authors = list(front.authors)
    post.tags = list(front.tags)
    post.series = front.series
    post.series_number = front.number
    post.dated = front.date
    post.audience = PostAudience(front.audience)
    post.tier_ids = [tier.id for tier in _tiers(front.tiers)]
    post.updated_at = clock.now()
