"""What the words announce and the post does not keep. Where it is not certain that something was announced, silent."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from emails.document import Block, Element, Heading, Listing, Paragraph, plain
from emails.lint.proof import Finding, Proof

_NUMBERS = "two three four five six seven eight nine ten eleven twelve".split()
_NUMBER = rf"(?P<number>{'|'.join(_NUMBERS)}|[2-9]|1[0-2])"
_PARTS = re.compile(rf"\b{_NUMBER}\s+(?:[\w’'-]+\s+)?(?P<what>topics|parts|sections|chapters)\b", re.IGNORECASE)
_OF_THIS = re.compile(
    r"\b(?:this|today’s|today's|the)\s+(?:issue|letter|post|newsletter|edition|week|month)\b|\btoday\b|\bbelow\b"
    r"|\b(?:falls?|split|divided|comes?)\s+(?:in|into)\b|\bI(?:’ve|'ve| have| will|’ll|'ll)\b|\bhere are\b",
    re.IGNORECASE,
)
_CONTENTS = re.compile(
    r"\b(?:in|inside)\s+(?:this|today’s|today's)\s+(?:issue|letter|post|newsletter|edition)\s*:$|\bcontents\s*:$"
    r"|\btopics\s*:$|\bwhat’s inside\s*:$",
    re.IGNORECASE,
)
_RECOMMENDED = re.compile(
    rf"\b{_NUMBER}\s+(?:[\w’'-]+\s+)?(?P<what>posts|essays|articles|pieces|reads|letters|recommendations)\b",
    re.IGNORECASE,
)
_ITEMS = re.compile(rf"\b{_NUMBER}\s+(?:[\w’'-]+\s+)?(?P<what>[\w’'-]+s)\s*:$", re.IGNORECASE)
_SPANS = frozenset("years months weeks days hours minutes seconds times miles".split())
_NO_PART = re.compile(
    r"\W*(?:conclusion|notes?|postscript|p\.?\s?s\.?|further reading|links|thanks|thank you|introduction|in closing|"
    r"housekeeping|before you go|comments|sources|credits|about|see also|next (?:week|month|time))\b",
    re.IGNORECASE,
)
_ISSUE = re.compile(r"(?:#|\bno\. ?|\bpart )(?P<number>\d{1,4})\b", re.IGNORECASE)


def parts(proof: Proof) -> Iterator[Finding]:
    """“This letter falls into three topics”, and four headings follow."""
    headings = _headings(proof.content.document.blocks)
    if len(headings) < 2:
        return
    for block in _before_first_heading(proof.content.document.blocks):
        if isinstance(block, Paragraph):
            for sentence in _sentences(plain(block.children)):
                match = _PARTS.search(sentence)
                if match and _OF_THIS.search(sentence):
                    yield from _differs(proof, block, _value(match), match["what"], headings)


def contents(proof: Proof) -> Iterator[Finding]:
    """A table of contents in the opening, against the headings."""
    blocks = proof.content.document.blocks
    headings = _headings(blocks)
    opening = _before_first_heading(blocks)
    if len(headings) < 2:
        return
    for before, block in pairwise(opening):
        if not isinstance(block, Listing) or not isinstance(before, Paragraph):
            continue
        if _CONTENTS.search(plain(before.children).strip()):
            yield from _differs(proof, block, len(block.items), "points", headings)


def recommended(proof: Proof) -> Iterator[Finding]:
    """“Two posts:”, and one card follows."""
    for block, following in _with_following(proof.runs):
        cards = _leading_cards(following)
        words = plain(block.children).strip()
        match = next(iter(list(_RECOMMENDED.finditer(_sentences(words)[-1]))[-1:]), None) if words else None
        is_announced = words.endswith(":") or re.search(r"\b(?:these|below|following|here are)\b", words, re.IGNORECASE)
        if cards and match and is_announced and _value(match) != cards:
            yield Finding(
                "warning",
                "promised_posts",
                f"“{match[0]}” are announced, and {_count(cards, 'card')} {'follow' if cards > 1 else 'follows'}.",
                proof.line(block),
                match[0],
            )


def items(proof: Proof) -> Iterator[Finding]:
    """“My favourite three pages:”, and a list of four."""
    for block, following in _with_following(proof.runs):
        match = _ITEMS.search(_sentences(plain(block.children).strip())[-1])
        first = following[0] if following else None
        if not match or match["what"].lower() in _SPANS or not isinstance(first, Listing):
            continue
        if _value(match) != len(first.items):
            yield Finding(
                "warning",
                "promised_items",
                f"“{match[0].rstrip(':').strip()}” are announced, and the list has {len(first.items)}.",
                proof.line(first),
                match[0],
            )


def earlier_issue(proof: Proof) -> Iterator[Finding]:
    """“#2” without a “#1”."""
    said = proof.content
    match = _ISSUE.search(said.title)
    number = int(match["number"]) if match else 0
    line = proof.line_of_key("number") or proof.line_of_key("title")
    if match and said.series_number and number != said.series_number:
        yield Finding(
            "warning",
            "issue_number",
            f"The title says {match[0]}, and the post is number {said.series_number} of its series.",
            line,
        )
    elif match and number > 1 and match[0].startswith("#") and not said.series:
        yield Finding(
            "warning",
            "no_series",
            f"The title says {match[0]}, and the post belongs to no series: readers get no way to the one before. Name "
            "the series and the number in the settings of the post.",
            line,
        )
    elif said.series and (said.series_number or 0) > 1 and said.previous_in_series is None:
        yield Finding(
            "warning",
            "no_earlier_issue",
            f"This is number {said.series_number} of “{said.series}”, and none before it is published: readers get no "
            "way to it.",
            line,
        )


def _differs(proof: Proof, block: Block, said: int, what: str, headings: Sequence[str]) -> Iterator[Finding]:
    """Openings and endings may stand beside the parts that are counted."""
    proper = [words for words in headings if not _NO_PART.match(words)]
    if said in (len(headings), len(proper)):
        return
    line = proof.line(block)
    yield Finding(
        "warning",
        "promised_parts",
        f"{said} {what} are announced, and {len(headings)} headings follow, from “{headings[0][:50]}” to "
        f"“{headings[-1][:50]}”.",
        line,
        f"{said} {what}",
    )


def _headings(blocks: Sequence[Block]) -> list[str]:
    """The words of the highest ones."""
    found = [block for block in blocks if isinstance(block, Heading)]
    highest = min((heading.level for heading in found), default=2)
    return [plain(heading.children) for heading in found if heading.level == highest]


def _before_first_heading(blocks: Sequence[Block]) -> Sequence[Block]:
    return blocks[: next((at for at, block in enumerate(blocks) if isinstance(block, Heading)), len(blocks))]


def _with_following(runs: Sequence[Sequence[Block]]) -> Iterator[tuple[Paragraph, Sequence[Block]]]:
    for blocks in runs:
        for at, block in enumerate(blocks):
            if isinstance(block, Paragraph):
                yield block, blocks[at + 1 :]


def _leading_cards(blocks: Sequence[Block]) -> int:
    """How many other people's posts stand here one after the other."""
    count = 0
    for block in blocks:
        if not (isinstance(block, Element) and block.name == "card"):
            break
        count += 1
    return count


def _sentences(words: str) -> list[str]:
    return re.split(r"(?<=[.!?…])\s+", words)


def _value(match: re.Match[str]) -> int:
    said = match["number"].lower()
    return int(said) if said.isdigit() else _NUMBERS.index(said) + 2


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


RULES = (parts, contents, recommended, items, earlier_issue)
