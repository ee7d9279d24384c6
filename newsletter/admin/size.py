"""The size of a letter against what Gmail shows of one."""

from collections.abc import Sequence
from dataclasses import dataclass

import emails
from newsletter.posts.preflight import GMAIL_CLIPS_AT, Size, size_in_words


@dataclass(frozen=True)
class Meter:
    """A bar as wide as what Gmail shows, filled so far (in thousandths), and the same in words."""

    width: int
    kind: str  # a class of desk.css
    sentence: str


def meter(sizes: Sequence[Size]) -> Meter | None:
    if not sizes:
        return None
    largest = max(each.size for each in sizes)
    kind = "k-accepted" if largest <= emails.FOLD_OVER else "k-waiting" if largest <= GMAIL_CLIPS_AT else "k-refused"
    return Meter(min(round(largest * 1000 / GMAIL_CLIPS_AT), 1000), kind, size_in_words(sizes))
