"""What billing keeps of a reader who goes, or who turns out to be somebody else.

Its tables know us, and not the other way round: hence plain SQL.
"""

from sqlalchemy import text

from newsletter.db import db
from newsletter.jobs import Job, enqueue


def let_go(subscriber_id: int, email_key: str) -> None:
    """Whoever is gone is charged no more. The books stay, without a name; what was earned by the month ends in them."""
    values = {"id": subscriber_id, "key": email_key}
    for statement in (_LOCK_GROUPS, _END_IN_THE_BOOKS, *_FORGET):
        db.session.execute(text(statement), values)
    enqueue(Job.KEEP_MEMBERSHIPS)


def pass_on(from_id: int, to_id: int) -> None:
    """Both are one person: what one of them pays is the other's now."""
    for table in ("membership", "customer", "payment"):
        statement = f"UPDATE {table} SET subscriber_id = :to WHERE subscriber_id = :from"  # noqa: S608  # names of ours
        db.session.execute(text(statement), {"from": from_id, "to": to_id})
    db.session.execute(text("UPDATE gift SET giver_id = :to WHERE giver_id = :from"), {"from": from_id, "to": to_id})


# First, and in one order, as everywhere: groups, then their seats and who holds them.
_LOCK_GROUPS = """
    SELECT id FROM membership WHERE subscriber_id = :id AND kind = 'paid'
        OR id IN (SELECT group_id FROM membership WHERE subscriber_id = :id)
    ORDER BY id FOR UPDATE
"""
_END_IN_THE_BOOKS = """
    INSERT INTO membership_change (tier_id, kind, currency, monthly_before, monthly_after, cadence, reason, post_id)
    SELECT tier_id, 'ended', currency, monthly_after, 0, cadence, 'erased', post_id FROM (
        SELECT DISTINCT ON (change.membership_id) change.* FROM membership_change AS change
        JOIN membership ON membership.id = change.membership_id
        WHERE membership.subscriber_id = :id ORDER BY change.membership_id, change.id DESC
    ) AS last WHERE monthly_after <> 0
"""
_FORGET = (
    # Whom they paid for reads no longer, and is told so; whoever paid for them gets the seat back.
    "UPDATE membership SET group_id = NULL, ends_at = least(ends_at, now())"
    " WHERE group_id IN (SELECT id FROM membership WHERE subscriber_id = :id)",
    "UPDATE seat SET withdrawn_at = coalesce(withdrawn_at, now()) WHERE taken_at IS NULL AND lower(email) = :key"
    " OR membership_id IN (SELECT id FROM membership WHERE subscriber_id = :id)",
    "UPDATE seat SET email = '' WHERE lower(email) = :key OR withdrawn_at IS NOT NULL AND email <> ''",
    "UPDATE payment SET subscriber_id = NULL WHERE subscriber_id = :id",
    "UPDATE customer SET closing_since = now(), subscriber_id = NULL WHERE subscriber_id = :id",
    "UPDATE gift SET giver_id = NULL, giver_name = 'Somebody', message = '' WHERE giver_id = :id",
    "UPDATE gift SET recipient_email = '' WHERE lower(recipient_email) = :key",
)
