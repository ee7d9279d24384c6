"""What was to be written later, and the merge fields of other programs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import chain

from emails.document import Code, CodeBlock, Formula, inlines_of
from emails.lint.proof import Finding, Proof

_UNFINISHED = re.compile(r"(?<![\w-])(TK{1,3}|TKTK|TODO|FIXME|XXX)(?![\w-])|\blorem ipsum\b", re.IGNORECASE)
_SAID_LOUD = re.compile(r"[A-Z]+")

_FIELDS = (
    r"\{\{\{?[^{}\n]{0,60}\}\}\}?",  # {{name}}: Handlebars, Liquid
    r"\{%[^%\n]{0,80}%\}",  # {% if … %}: Liquid
    r"\*\|[A-Z0-9_:.\s]{1,60}\|\*",  # *|FNAME|*: Mailchimp
    r"%%[A-Za-z][\w.-]{0,40}(?: [\w.-]{1,40})?%%",  # %%first_name%%
    r"<%=?[^%\n]{0,60}%>",
    r"\{(?:first|last|full|user)[_ ]?name\b[^{}\n]{0,40}\}",
    r"\{(?:email|subscriber|unsubscribe)[^{}\n]{0,40}\}",
)
_OTHERS = re.compile("|".join(_FIELDS), re.IGNORECASE)
_OURS = re.compile(r"\{name(?:\|[^{}\n]*)?\}")
_BRACKETS = re.compile(
    r"\[(?:(?:your|first|last|full|company|recipient|insert)[ _-]?(?:first )?(?:name|company|link|text|date|title|here)"
    r"|insert [\w ]{2,40}|name|link|date)\](?![(\[:])",
    re.IGNORECASE,
)


def unfinished(proof: Proof) -> Iterator[Finding]:
    for number, line in _said(proof):
        for match in _UNFINISHED.finditer(line):
            word = match[0]
            if " " in word or _SAID_LOUD.fullmatch(word):  # “todo” is a word of prose, “TODO” is a mark
                yield Finding(
                    "warning",
                    "unfinished",
                    f"“{word}” stands here. If something is still to be written, write it.",
                    number,
                    f"{word} {line.strip()[:60]}",
                )


def foreign_fields(proof: Proof) -> Iterator[Finding]:
    for number, line in _said(proof):
        for match in _OTHERS.finditer(line):
            yield Finding(
                "error",
                "foreign_field",
                f"“{match[0]}” is a merge field of another program: readers would see it as it is. The reader’s name "
                "is written {name|reader}; if the words are meant, put them between backticks.",
                number,
                match[0],
            )


def bracketed(proof: Proof) -> Iterator[Finding]:
    for number, line in _said(proof):
        for match in _BRACKETS.finditer(line):
            yield Finding(
                "warning",
                "blank",
                f"“{match[0]}” looks like a blank that is still to be filled in.",
                number,
                match[0],
            )


def unfilled(proof: Proof) -> Iterator[Finding]:
    """Our own merge field where only plain words can stand, so that it stays as it was typed."""
    typed = "\n".join(proof.lines)
    for block in proof.blocks:
        for part in chain([block], inlines_of(block)):
            for words in () if isinstance(part, Code | CodeBlock | Formula) else _plain_words(part):
                for match in filter(lambda each: each[0] in typed, _OURS.finditer(words)):  # not what a page said
                    yield Finding(
                        "error",
                        "unfilled_field",
                        f"“{match[0]}” stands in a title, on a button, or in the words of a picture, where no name is "
                        "filled in: readers would see it as it is. Say it without the name.",
                        proof.line_of(match[0], proof.line(block)),
                        match[0],
                    )


def _plain_words(part: object) -> Iterator[str]:
    for each in fields(part):  # type: ignore[arg-type]  # every node is a dataclass
        value = getattr(part, each.name)
        if isinstance(value, str):
            yield value


def _said(proof: Proof) -> Iterable[tuple[int, str]]:
    """The text, and what the front matter says to readers."""
    head = [
        (proof.line_of_key(key) or 1, words)
        for key in ("title", "subtitle", "subject", "preheader")
        if (words := getattr(proof.content, key)) and not (key == "subject" and words == proof.content.title)
        if not (key == "preheader" and words == proof.content.subtitle)
    ]
    return [*head, *proof.prose]


RULES = (unfinished, foreign_fields, bracketed, unfilled)
