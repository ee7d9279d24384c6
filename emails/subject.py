"""The subject line: the author's words, in which {name|there} may stand."""

import re

from emails.characters import one_line
from emails.personalise import guard, name_mark

_FIELD = re.compile(r"\{name(?:\|([^{}|\n]*))?\}")


def subject_template(subject: str) -> str:
    """With merge marks, for the header."""
    subject = one_line(subject)
    parts: list[str] = []
    at = 0
    for match in _FIELD.finditer(subject):
        parts += [guard(subject[at : match.start()]), name_mark((match[1] or "").strip())]
        at = match.end()
    return "".join([*parts, guard(subject[at:])])


def title_of(subject: str) -> str:
    """Without a name, for the title of the page."""
    return _FIELD.sub(lambda match: (match[1] or "").strip(), one_line(subject))
