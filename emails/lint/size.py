"""Whether there is a letter at all, and whether it says the same everywhere."""

from collections.abc import Iterator

from emails.lint.proof import Finding, Proof


def empty(proof: Proof) -> Iterator[Finding]:
    if not proof.content.document.blocks:
        yield Finding("error", "empty", "The post is empty.")


def incomplete(proof: Proof) -> Iterator[Finding]:
    for sentence in dict.fromkeys(sentence for letter in proof.letters.values() for sentence in letter.missing):
        yield Finding("error", "incomplete", f"{sentence} Please report this fault of ours.", None, sentence)


RULES = (empty, incomplete)
