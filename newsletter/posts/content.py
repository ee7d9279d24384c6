"""A post and its newsletter as the plain values that emails/ works on."""

from dataclasses import replace
from datetime import date

from sqlalchemy import select

import emails
from newsletter import clock, storage
from newsletter.config import settings
from newsletter.db import db
from newsletter.posts import illustrating, snapshots
from newsletter.posts.models import Media, Post, PostAudience, PostStatus, Revision
from newsletter.publication.models import LongMail, Newsletter, Publication
from newsletter.tiers.models import Tier

LOGO_FITS = (320, 40)  # CSS pixels in mail and on the page; the stored picture is larger for sharp screens


def latest_revision(post: Post) -> Revision:
    return db.session.scalars(
        select(Revision).where(Revision.post_id == post.id).order_by(Revision.number.desc()).limit(1)
    ).one()


def post_content(post: Post, revision: Revision | None = None) -> emails.PostContent:
    """What is said in a revision (the latest, unless given). Raises emails.SourceError with the line."""
    source = emails.read_post((revision or latest_revision(post)).source)
    front = source.front
    return emails.PostContent(
        title=front.title,
        subtitle=front.subtitle,
        subject=front.subject or front.title,
        preheader=front.preheader or front.subtitle,
        authors=front.authors,
        date=front.date or _day(post),
        url=url(post),
        share_url=f"{url(post)}/share",
        series=front.series or None,
        series_number=front.number,
        previous_in_series=_in_series(front.series, front.number, is_next=False),
        next_in_series=_in_series(front.series, front.number, is_next=True),
        access=emails.Access(front.audience or PostAudience.EVERYONE),
        tiers=tuple(tier.name for slug in front.tiers if (tier := Tier.by_slug(slug))),
        doors=_doors(post),
        document=illustrating.illustrated(
            snapshots.shown(emails.parse(source.body, source.body_line), post.publication_id)
        ),
        fold_over=emails.FOLD_OVER if post.newsletter.publication.long_mail is LongMail.FOLD else None,
    )


def public_content(post: Post) -> emails.PostContent | None:
    """What the newest revision says that can be read: an edit gone wrong takes no published page away."""
    newest_first = select(Revision).where(Revision.post_id == post.id).order_by(Revision.number.desc())
    for revision in db.session.scalars(newest_first):
        try:
            return post_content(post, revision)
        except emails.SourceError:
            continue
    return None


def has_preview(post: Post) -> bool:
    """Whether those who may not read all of it still get its beginning."""
    try:
        return emails.has_preview(post_content(post).document)
    except emails.SourceError:
        return False


def theme(newsletter: Newsletter) -> emails.Theme:
    return publication_theme(newsletter.publication, newsletter.name)


def theme_of(post: Post) -> emails.Theme:
    """That of its newsletter; who goes from there to what it costs is known to come from this post."""
    return from_post(theme(post.newsletter), post)


def from_post(theme: emails.Theme, post: Post) -> emails.Theme:
    return replace(theme, upgrade_url=f"{theme.upgrade_url}?post={post.slug}") if theme.upgrade_url else theme


def publication_theme(publication: Publication, newsletter_name: str = "") -> emails.Theme:
    logo, logo_dark = _logo(publication.logo_key), _logo(publication.logo_dark_key)
    width, height = _shown_size(logo)
    dark_width, dark_height = _shown_size(logo_dark)
    site = settings().site_url
    return emails.Theme(
        publication_name=publication.name,
        newsletter_name=newsletter_name,
        site_url=site,
        accent=publication.accent,
        language=publication.language,
        logo_url=storage.url(logo.file_name) if logo else None,
        logo_width=width,
        logo_height=height,
        logo_dark_url=storage.url(logo_dark.file_name) if logo_dark else None,
        logo_dark_width=dark_width,
        logo_dark_height=dark_height,
        style=publication.style,
        footer=publication.footer,
        postal_address=publication.postal_address,
        subscribe_url=f"{site}/#subscribe",
        upgrade_url=f"{site}/support" if Tier.any_on_offer() else "",  # without tiers nobody is asked for money
    )


def url(post: Post) -> str:
    return f"{settings().site_url}/p/{post.slug}"


def _logo(key: str | None) -> Media | None:
    return Media.by_key(key) if key else None


def _shown_size(logo: Media | None) -> tuple[int, int]:
    if logo is None:
        return 0, 0
    widest, highest = LOGO_FITS
    scale = min(widest / logo.width, highest / logo.height)
    return max(round(logo.width * scale), 1), max(round(logo.height * scale), 1)


def _day(post: Post) -> date:
    moment = post.published_at or post.scheduled_for or clock.now()
    return moment.astimezone(Publication.current().zone).date()


def _doors(post: Post) -> dict[str, str]:
    """Where a post's buttons lead, of those that lead somewhere: comments, likes and gifts are not there yet."""
    newsletter = post.newsletter
    return {"reply": f"mailto:{newsletter.reply_to or newsletter.sender_email}"}


def _in_series(series: str, number: int | None, *, is_next: bool) -> tuple[str, str] | None:
    """Title and address of the published post just before or after this one in its series."""
    if not series or number is None:
        return None
    query = select(Post).where(Post.series == series, Post.status == PostStatus.PUBLISHED, Post.trashed_at.is_(None))
    if is_next:
        query = query.where(Post.series_number > number).order_by(Post.series_number)
    else:
        query = query.where(Post.series_number < number).order_by(Post.series_number.desc())
    neighbour = db.session.scalar(query.limit(1))
    return (neighbour.title, url(neighbour)) if neighbour else None
