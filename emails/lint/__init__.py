"""What would go wrong in an inbox, said before sending: a post's words, tree and letters in, findings out."""

from collections.abc import Callable, Iterable
from typing import Final

from emails.lint import links, pictures, placeholders, promises, reach, size, structure, subject
from emails.lint.proof import Finding, Level, Proof, Reference, key_of

__all__ = ["RULES", "Finding", "Level", "Proof", "Reference", "findings", "key_of"]

RULES: Final[tuple[Callable[[Proof], Iterable[Finding]], ...]] = (
    *placeholders.RULES,
    *links.RULES,
    *pictures.RULES,
    *structure.RULES,
    *reach.RULES,
    *subject.RULES,
    *size.RULES,
    *promises.RULES,
)


def findings(proof: Proof) -> list[Finding]:
    """Errors first, then by line. The same finding is told once."""
    found = {finding.key: finding for rule in reversed(RULES) for finding in reversed(list(rule(proof)))}
    return sorted(found.values(), key=lambda finding: finding.rank)
