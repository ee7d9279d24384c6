"""How the desk shows what came back of a mailing."""

from typing import Final

from newsletter.sending import returned
from newsletter.sending.models import BounceKind

AT_A_GLANCE: Final = 8

# The heading of each kind, and what it means for its readers; in the order of how much it wants the author.
KINDS: Final = {
    BounceKind.COMPLAINT: ("Complaints", "They pressed “spam”, and are never written to again."),
    BounceKind.HARD: ("No such mailbox", "They are never written to again."),
    BounceKind.BLOCKED: (
        "Blocked",
        "Their server refused us or these words, not the reader. They stay on the list; what it says is for you.",
    ),
    BounceKind.SOFT: (
        "Came back for now",
        "Full, busy or not found in time. They stay on the list until five in a row have come back, over two weeks.",
    ),
}


def shown(mailing_id: int) -> dict[str, object]:
    """What the page of a mailing shows of it."""
    counts = returned.counts(mailing_id)
    return {
        "tables": [
            (kind, heading, meaning, counts[kind], returned.lines(mailing_id, kind, AT_A_GLANCE))
            for kind, (heading, meaning) in KINDS.items()
            if kind in counts
        ],
        "replies": returned.replies(mailing_id, AT_A_GLANCE),
        "replies_count": returned.replies_count(mailing_id),
    }
