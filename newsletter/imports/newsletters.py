"""Which newsletters an import is for: by slug or by name, and the nearest ones for what is neither."""

import difflib

from newsletter.errors import NewsletterError
from newsletter.imports.columns import split
from newsletter.publication.models import Newsletter


class UnknownNewsletter(NewsletterError):
    pass


class Shelf:
    """The newsletters that readers can be put on."""

    def __init__(self, newsletters: list[Newsletter]) -> None:
        self.names = {newsletter.id: newsletter.name for newsletter in newsletters}
        self._ids: dict[str, int] = {}
        for newsletter in newsletters:
            self._ids[newsletter.name.casefold()] = newsletter.id
            self._ids[newsletter.slug.casefold()] = newsletter.id
        self._slugs = [newsletter.slug for newsletter in newsletters]

    def read(self, words: str) -> tuple[int, ...]:
        """The ids of the newsletters named in a cell or an option. Raises UnknownNewsletter."""
        whole = self._ids.get(words.strip().casefold())
        if whole is not None:  # a name may hold a comma itself
            return (whole,)
        return tuple(dict.fromkeys(self._find(word) for word in split(words)))

    def _find(self, word: str) -> int:
        found = self._ids.get(word.casefold())
        if found is None:
            raise UnknownNewsletter(f"There is no newsletter “{word}”. {self._advice(word)}")
        return found

    def _advice(self, word: str) -> str:
        if not self._slugs:
            return "There is no newsletter at all yet. Make one with: newsletter create-owner"
        near = difflib.get_close_matches(word.casefold(), self._ids, n=3, cutoff=0.5)
        slugs = dict.fromkeys(
            slug for name in near for slug in self._slugs if self._ids[slug.casefold()] == self._ids[name]
        )
        if slugs:
            return f"Did you mean {' or '.join(slugs)}?"
        return f"There are: {', '.join(self._slugs)}."
