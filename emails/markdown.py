"""Markdown into the tree of a post. What is typed stays as typed: no HTML, no smart quotes, no surprises."""

import re
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from emails.characters import tidy
from emails.document import Document, Note
from emails.elements import ELEMENTS
from emails.errors import DocumentError
from emails.growing import Grower

LARGEST = 500_000  # bytes
DEEPEST = 100  # levels of nesting
LONGEST_PARAGRAPH = 50_000  # characters: what holds brackets without end takes the square of its length to read

_WEB_OR_MAIL = re.compile(r"(https?://|mailto:)\S+$", re.IGNORECASE)
_FIELD = re.compile(r"\{(name)(?:\|([^{}|\n]*))?\}")


def parse(markdown: str, first_line: int = 1) -> Document:
    """The tree of a post. Lines in errors and nodes are counted from `first_line`, where the body begins."""
    source = tidy(markdown)
    size = len(source.encode())
    if size > LARGEST:
        raise DocumentError(
            first_line, f"This post has {size // 1000:,} kB; the most a post can have is {LARGEST // 1000} kB."
        )
    try:
        tokens = _reader().parse(source)
        _check_depth(tokens)
        _check_paywalls(tokens)
        return _grow(tokens)
    except DocumentError as mistake:
        raise DocumentError(mistake.line + first_line - 1, mistake.sentence) from None


def _reader() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "typographer": False, "maxNesting": DEEPEST + 20})
    md.enable(["table", "strikethrough"])
    md.use(footnote_plugin)
    md.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False)
    ELEMENTS.allow(md)
    md.core.ruler.before("inline", "measure", _measure)
    md.inline.ruler.before("emphasis", "asterisk_in_word", _asterisk_in_word)
    md.inline.ruler.before("emphasis", "field", _merge_field)
    md.core.ruler.after("inline", "mention", _mentions)
    md.validateLink = lambda url: bool(_WEB_OR_MAIL.match(url))  # type: ignore[method-assign]  # its documented hook
    return md


def _measure(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and len(token.content) > LONGEST_PARAGRAPH:
            raise DocumentError(
                token.map[0] + 1 if token.map else 1,
                f"This paragraph has {len(token.content):,} characters; the most is {LONGEST_PARAGRAPH:,}.",
            )


def _asterisk_in_word(state: StateInline, silent: bool) -> bool:
    """A single * between two letters is a letter, or the second “sh*t” of a paragraph would turn italic."""
    at = state.pos
    if silent or state.src[at] != "*" or not 0 < at < state.posMax - 1:
        return False
    if not (_is_letter(state.src[at - 1]) and _is_letter(state.src[at + 1])):
        return False
    state.pending += "*"
    state.pos += 1
    return True


def _is_letter(character: str) -> bool:
    # Scripts that write no spaces between words (from U+2E80 on) need * inside what looks like a word.
    return character.isalnum() and ord(character) < 0x2E80


def _merge_field(state: StateInline, silent: bool) -> bool:
    match = _FIELD.match(state.src, state.pos) if state.src[state.pos] == "{" else None
    if not match:
        return False
    if not silent:
        token = state.push("field", "", 0)
        token.meta = {"name": match[1], "fallback": (match[2] or "").strip()}
    state.pos = match.end()
    return True


def _mentions(state: StateCore) -> None:
    """A link right behind an @ names a person."""
    for token in state.tokens:
        for before, link in pairwise(token.children or ()):
            if link.type == "link_open" and before.type == "text" and before.content.endswith("@"):
                if before.content[-2:-1].isalnum():
                    continue
                before.content = before.content[:-1]
                link.meta = {"is_mention": True}


def _check_depth(tokens: list[Token]) -> None:
    line = 1
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        inner = max((child.level for child in token.children or ()), default=0)
        if token.level + inner > DEEPEST:
            raise DocumentError(line, f"Something here is nested more than {DEEPEST} levels deep.")


def _check_paywalls(tokens: list[Token]) -> None:
    """There is one place where a post can end."""
    lines = [(token.map or [0])[0] + 1 for token in tokens if token.info == "paywall" and token.type == "directive"]
    nested = next(
        (token for token in tokens if token.level and token.info == "paywall" and token.type == "directive"), None
    )
    if nested:
        raise DocumentError((nested.map or [0])[0] + 1, "The paywall line stands by itself, in no box, list or quote.")
    if len(lines) > 1:
        raise DocumentError(lines[1], f"There is a paywall line already, on line {lines[0]}.")


def _grow(tokens: list[Token]) -> Document:
    tree = SyntaxTreeNode(tokens)
    grower = Grower(tree)
    blocks = grower.blocks([child for child in tree.children if child.type != "footnote_block"])
    notes = [
        Note(
            number=note.meta["id"] + 1,
            blocks=grower.blocks([child for child in note.children if child.type != "footnote_anchor"]),
            occurrences=(),
        )
        for block in tree.children
        if block.type == "footnote_block"
        for note in block.children
    ]
    counted = tuple(Note(n.number, n.blocks, tuple(range(1, grower.references.get(n.number, 0) + 1))) for n in notes)
    return Document(blocks, counted)
