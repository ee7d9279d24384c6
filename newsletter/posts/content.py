"""A post and its newsletter as the plain values that emails/ works on."""

from datetime import date

from sqlalchemy import select

import emails
from newsletter import clock
from newsletter.config import settings
from newsletter.db import db
from newsletter.posts.models import Media, Post, PostStatus, Revision
from newsletter.publication.models import Newsletter, Publication
from newsletter.tiers.models import Tier

LOGO_HEIGHT = 40  # CSS pixels in mail and on the page; the stored picture is larger for sharp screens


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
        previous_in_series=_previous(front.series, front.number),
        document=emails.parse(source.body, source.body_line),
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


def theme(newsletter: Newsletter) -> emails.Theme:
    publication = newsletter.publication
    logo = Media.by_key(publication.logo_key) if publication.logo_key else None
    site = settings().site_url
    return emails.Theme(
        publication_name=publication.name,
        newsletter_name=newsletter.name,
        site_url=site,
        accent=publication.accent,
        language=publication.language,
        logo_url=media_url(logo) if logo else None,
        logo_width=round(logo.width * LOGO_HEIGHT / logo.height) if logo else 0,
        logo_height=LOGO_HEIGHT,
        postal_address=publication.postal_address,
        subscribe_url=f"{site}/#subscribe",
        upgrade_url=f"{site}/support" if Tier.any_exists() else "",  # without tiers nobody is asked for money
    )


def url(post: Post) -> str:
    return f"{settings().site_url}/p/{post.slug}"


def media_url(media: Media) -> str:
    return f"{settings().site_url}/media/{media.key}.png"


def _day(post: Post) -> date:
    moment = post.published_at or post.scheduled_for or clock.now()
    return moment.astimezone(Publication.current().zone).date()


def _previous(series: str, number: int | None) -> tuple[str, str] | None:
    """Title and address of the published post before this one in its series."""
    if not series or number is None:
        return None
    earlier = db.session.scalar(
        select(Post)
        .where(
            Post.series == series,
            Post.series_number < number,
            Post.status == PostStatus.PUBLISHED,
            Post.trashed_at.is_(None),
        )
        .order_by(Post.series_number.desc())
        .limit(1)
    )
    return (earlier.title, url(earlier)) if earlier else None
