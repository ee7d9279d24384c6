"""The beginning of an installation: one publication, and the first newsletter it sends."""

from newsletter.db import db
from newsletter.publication.models import Newsletter, Publication
from newsletter.publication.settings import BadSetting, add_newsletter, is_colour, update_publication


def found(
    *,
    name: str,
    newsletter: str,
    sender_name: str,
    sender_email: str,
    tagline: str = "",
    postal_address: str = "",
    time_zone: str = "UTC",
    accent: str = "#8a4b2d",
) -> Newsletter:
    """Raises BadSetting, and then nothing is founded."""
    if not is_colour(accent):
        raise BadSetting("accent", f"“{accent}” is not a colour. Write it like #8a4b2d.")
    publication = Publication(accent=accent.lower())
    update_publication(publication, name=name, tagline=tagline, postal_address=postal_address, time_zone=time_zone)
    db.session.add(publication)
    db.session.flush()
    return add_newsletter(publication, name=newsletter, sender_name=sender_name, sender_email=sender_email)
