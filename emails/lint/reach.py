"""Who gets how much of a post, and the names in it."""

import re
from collections.abc import Iterator

from emails.document import Field, inlines
from emails.elements import Paywall
from emails.lint.proof import Finding, Proof
from emails.values import Access


def paywall(proof: Proof) -> Iterator[Finding]:
    blocks = proof.content.document.blocks
    at = [number for number, block in enumerate(blocks) if isinstance(block, Paywall)]
    if not at:
        return
    line = proof.line(blocks[at[0]])
    if proof.content.access is Access.EVERYONE:
        yield Finding(
            "error",
            "paywall_for_all",
            "Here is a paywall, and the post is for everyone. Choose for whom it is in the settings of the post, or "
            "take the line out.",
            line,
        )
    if at[0] == 0:
        yield Finding(
            "warning",
            "paywall_first",
            "Nothing stands above the paywall: readers who do not pay get an empty letter.",
            line,
        )
    elif at[0] == len(blocks) - 1:
        yield Finding("warning", "paywall_last", "Nothing stands below the paywall: it keeps nothing.", line)


def nobody_pays(proof: Proof) -> Iterator[Finding]:
    if proof.content.access is Access.PAYING and not proof.can_be_paid:
        yield Finding(
            "warning",
            "nobody_pays",
            "This post is for paying readers, and there is nothing yet that readers could pay for.",
            proof.line_of_key("audience"),
        )


def nameless(proof: Proof) -> Iterator[Finding]:
    for node in inlines(proof.content.document):
        if isinstance(node, Field) and not node.fallback and not re.search(r"\{\{\s*name", proof.source):
            yield Finding(
                "warning",
                "no_fallback",
                f"Readers whose name we do not know get nothing here. Write what they get: {{{node.name}|reader}}.",
                proof.line_of("{" + node.name, proof.body_line),
            )


RULES = (paywall, nobody_pays, nameless)
