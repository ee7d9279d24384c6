"""The line by which a letter is opened or not, and the one beside it."""

import re
from collections.abc import Iterator

from emails.compile import LONGEST_PREHEADER
from emails.lint.proof import Finding, Proof
from emails.subject import title_of

SHOWN = 78  # characters: the longest subject that an inbox on a desk shows; a phone shows half of it
_ANSWER = re.compile(r"(re|fwd?|aw|wg)\s*:", re.IGNORECASE)


def subject(proof: Proof) -> Iterator[Finding]:
    said = title_of(proof.content.subject or proof.content.title)
    line = proof.line_of_key("subject") or proof.line_of_key("title")
    if len(said) > SHOWN:
        own = "" if proof.line_of_key("subject") else " Give the mail a subject of its own; the title can stay."
        yield Finding(
            "warning",
            "long_subject",
            f"The subject has {len(said)} characters; inboxes show {SHOWN} at most, phones about 40.{own}",
            line,
            said,
        )
    if _ANSWER.match(said):
        yield Finding(
            "warning",
            "false_answer",
            f"The subject begins like an answer (“{said.split(':')[0]}:”), and readers take that for a trick.",
            line,
            said,
        )
    words = re.sub(r"[\W\d_]", "", said)
    if (len(words) > 10 and words.isupper()) or "!!" in said:
        yield Finding(
            "warning", "loud_subject", "The subject shouts. Filters count that, and so do readers.", line, said
        )


def preheader(proof: Proof) -> Iterator[Finding]:
    said = proof.content.preheader or proof.content.subtitle
    line = proof.line_of_key("preheader") or proof.line_of_key("subtitle")
    if not said:
        yield Finding(
            "warning",
            "no_preheader",
            "There is no subtitle and no preheader: inboxes will show the first words of the text beside the subject.",
        )
    elif said == (proof.content.subject or proof.content.title):
        yield Finding(
            "warning", "same_preheader", "The preheader repeats the subject. Say what the subject does not.", line
        )
    elif len(said) > LONGEST_PREHEADER:
        yield Finding(
            "warning",
            "long_preheader",
            f"The preheader has {len(said)} characters, and is cut at {LONGEST_PREHEADER}; inboxes show about 100.",
            line,
            said,
        )


RULES = (subject, preheader)
