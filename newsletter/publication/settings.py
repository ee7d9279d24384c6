"""What the author decides about the publication and its newsletters."""

import re
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select

from newsletter import clock, slugs
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.publication.models import Newsletter, Publication


class BadSetting(NewsletterError):
    """A value that cannot be taken, in the field of that name."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class LastNewsletter(NewsletterError):
    status = 409


def update_publication(
    publication: Publication,
    *,
    name: str,
    tagline: str = "",
    postal_address: str = "",
    time_zone: str = "UTC",
    language: str = "en",
) -> None:
    """Raises BadSetting, and then changes nothing."""
    if not name.strip():
        raise BadSetting("name", "A publication needs a name.")
    if time_zone not in available_timezones():
        raise BadSetting("time_zone", f"“{time_zone}” is not a time zone. They are named like Europe/Berlin.")
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", language):
        raise BadSetting("language", f"“{language}” is not a language tag. They look like en, de or pt-BR.")
    publication.name = one_line(name)
    publication.tagline = one_line(tagline)
    publication.postal_address = postal_address.replace("\r\n", "\n").strip()
    publication.time_zone = time_zone
    publication.language = language


def add_newsletter(
    publication: Publication,
    *,
    name: str,
    sender_name: str,
    sender_email: str,
    reply_to: str = "",
    description: str = "",
    slug: str = "",
) -> Newsletter:
    """Raises BadSetting."""
    newsletter = Newsletter(
        publication_id=publication.id,
        slug=_free_slug(publication, slug or name),
        position=(db.session.scalar(select(func.max(Newsletter.position))) or 0) + 1,
    )
    update_newsletter(
        newsletter,
        name=name,
        sender_name=sender_name,
        sender_email=sender_email,
        reply_to=reply_to,
        description=description,
    )
    db.session.add(newsletter)
    db.session.flush()
    return newsletter


def update_newsletter(
    newsletter: Newsletter,
    *,
    name: str,
    sender_name: str,
    sender_email: str,
    reply_to: str = "",
    description: str = "",
) -> None:
    """Raises BadSetting, and then changes nothing."""
    if not name.strip():
        raise BadSetting("name", "A newsletter needs a name.")
    if not sender_name.strip():
        raise BadSetting("sender_name", "Readers see who writes before they see what: give a name.")
    sender = _address("sender_email", sender_email)
    answers = _address("reply_to", reply_to) if reply_to.strip() else ""
    newsletter.name = one_line(name)
    newsletter.description = one_line(description)
    newsletter.sender_name = one_line(sender_name)
    newsletter.sender_email = sender
    newsletter.reply_to = answers


def archive_newsletter(newsletter: Newsletter) -> None:
    """Nobody can choose it and nothing is sent to it any more. Its readers and issues stay. Raises LastNewsletter."""
    if newsletter.archived_at:
        return
    if len(Newsletter.open()) == 1:
        raise LastNewsletter(f"“{newsletter.name}” is the only newsletter. Add another one before you archive it.")
    newsletter.archived_at = clock.now()


def reopen_newsletter(newsletter: Newsletter) -> None:
    newsletter.archived_at = None


def time_zones() -> list[str]:
    """The names that people know, without the zone database's own curiosities."""
    return [*sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")), "UTC"]


def is_colour(text: str) -> bool:
    return bool(re.fullmatch(r"#[0-9a-fA-F]{6}", text))


def one_line(text: str) -> str:
    """Without line breaks and other control characters: most of these end up in mail headers."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _address(field: str, text: str) -> str:
    try:
        address = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise BadSetting(field, f"This is not a mail address: {error}") from None
    if address.ascii_email is None:
        raise BadSetting(field, "Use an address of plain letters here: not every mail server takes others yet.")
    return address.ascii_email


def _free_slug(publication: Publication, text: str) -> str:
    wanted = slugs.of(text, otherwise="newsletter", longest=40)
    query = select(Newsletter.slug).where(
        Newsletter.publication_id == publication.id, Newsletter.slug.startswith(wanted)
    )
    return slugs.first_free(wanted, set(db.session.scalars(query)))
