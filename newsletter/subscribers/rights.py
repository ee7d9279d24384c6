"""What somebody may read on the web, now."""

from collections.abc import Callable, Collection

import emails
from newsletter.posts.models import Post
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import access


def rule_for(reader: Subscriber | None) -> Callable[[Post], emails.Audience]:
    """What kind of reader this is for each post, asked once for all of them."""
    held = access.held(reader.id) if reader else set()
    pays_nothing = kind_of(reader) if not held else None
    return lambda post: pays_nothing or access.kind_of(held, post.tier_ids)


def kind_of(reader: Subscriber | None, tier_ids: Collection[int] = ()) -> emails.Audience:
    """What kind of reader this is for a post that is for these tiers (none: for any).

    Who pays for nothing and gets no newsletter is a stranger, however well we know them.
    """
    if reader is None:
        return emails.Audience.STRANGER
    kind = access.audience_of(reader.id, tier_ids)
    return emails.Audience.STRANGER if kind is emails.Audience.FREE and not _is_on_the_list(reader) else kind


def _is_on_the_list(reader: Subscriber) -> bool:
    return reader.confirmed_at is not None and bool(reader.newsletters)
