"""What came in, counted by the hour: what nobody reads one by one, and what is only done so many times."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from newsletter import clock
from newsletter.db import db
from newsletter.sending.models import InboundEvent, InboundTally

KEPT_FOR = timedelta(days=90)  # longer than anybody still tells about a message of ours


class What(StrEnum):
    NOT_OURS = "not ours"  # names no message that we sent, or one too old
    AUTO_REPLY = "automatic answer"
    UNPROVEN = "suppressed without a token"
    FORWARDED = "forwarded"


def count(what: What) -> None:
    _add(what, None)


def is_within(what: What, most_an_hour: int) -> bool:
    """Count one more of it if this hour has room for it. What is rolled back later has taken its place all the same."""
    return _add(what, most_an_hour)


def since(what: What, moment: datetime) -> int:
    """How many in the hours that began at this moment or later."""
    total = select(func.coalesce(func.sum(InboundTally.count), 0))
    return int(db.session.scalar(total.where(InboundTally.what == what.value, InboundTally.hour >= moment)) or 0)


def forget_old() -> None:
    """What is too old to be repeated need not be known any more."""
    db.session.execute(delete(InboundEvent).where(InboundEvent.at < clock.now() - KEPT_FOR))
    db.session.execute(delete(InboundTally).where(InboundTally.hour < clock.now() - KEPT_FOR))


def _add(what: What, most: int | None) -> bool:
    """In a transaction of its own: everybody counts in the same rows, and nobody may wait for another's commit."""
    counted = insert(InboundTally).values(what=what.value, hour=func.date_trunc("hour", func.now()), count=1)
    room = None if most is None else InboundTally.count < most
    with db.engine.begin() as connection:
        added = connection.scalar(
            counted.on_conflict_do_update(
                index_elements=[InboundTally.what, InboundTally.hour],
                set_={"count": InboundTally.count + 1},
                where=room,
            ).returning(InboundTally.count)
        )
    return added is not None
