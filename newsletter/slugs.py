"""Names that stand in addresses: short, readable, unique, and the same for ever."""

import re
import unicodedata
from collections.abc import Collection

LONGEST = 60


def of(title: str, *, otherwise: str, longest: int = LONGEST) -> str:
    """ "What I’ve been reading (#2): …" becomes "what-ive-been-reading-2", cut at a word.

    `otherwise`: for a title that has no letter of ASCII in it, not even under an accent.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", re.sub(r"[’']", "", plain))
    slug = ""
    for word in words:
        if slug and len(slug) + 1 + len(word) > longest:
            break
        slug = f"{slug}-{word}" if slug else word[:longest]
    return slug or otherwise


def first_free(wanted: str, taken: Collection[str]) -> str:
    """The wanted slug, or the first of wanted-2, wanted-3 … that nobody has."""
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug
