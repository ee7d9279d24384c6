"""What the author has decided about money."""

from datetime import timedelta

from sqlalchemy.dialects.postgresql import insert

from newsletter.billing.models import Terms
from newsletter.db import db
from newsletter.publication.settings import BadSetting

MOST_GRACE = 60  # days


def of(publication_id: int) -> Terms:
    """Those of the publication, or what they are before anybody decided."""
    found = db.session.get(Terms, publication_id)
    if found is None:
        db.session.execute(insert(Terms).values(publication_id=publication_id).on_conflict_do_nothing())
        found = db.session.get_one(Terms, publication_id)
    return found


def grace(publication_id: int) -> timedelta:
    """How long somebody reads on after a payment failed."""
    return timedelta(days=of(publication_id).grace_days)


def check_grace(days: int) -> None:
    """Raises BadSetting."""
    if not 0 <= days <= MOST_GRACE:
        raise BadSetting("grace_days", f"Between 0 and {MOST_GRACE} days.")
