"""What the payment provider refuses about one reader keeps nobody else waiting."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from newsletter.billing.stripe import NotThere, TurnedDown
from newsletter.db import db

log = structlog.get_logger()


@contextmanager
def apart(what: str, membership: object) -> Iterator[None]:
    """One step of a round: all of it is kept or none, and a refusal is logged. Whoever is away stops the round."""
    try:
        with db.session.begin_nested():
            yield
    except (NotThere, TurnedDown) as error:
        log.warning("the payment provider refused", what=what, membership=membership, words=error.sentence)
