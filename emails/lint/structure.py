"""Headings, notes, and HTML of the author's own."""

import re
from collections.abc import Iterator

from lxml import html as lxml_html

from emails.document import Element, Heading, Table, plain
from emails.lint.proof import Finding, Proof
from emails.values import Audience

_NOTE = re.compile(r"\[\^([^\]\s]{1,60})\](:?)")
_BAR = re.compile(r"(?<!\\)\|")
_WIDEST = 600
# What own HTML can bring in and the theme never uses: facts about mail programs, said as one sentence each.
_HALF_KNOWN = (
    (r"margin[\w-]*\s*:[^;\"]*-\d", "a negative margin", "Gmail and Outlook.com take it out"),
    (r"\bcalc\s*\(", "calc()", "Outlook on Windows and some versions of Gmail do not know it"),
    (r":\s*[^;\"]*\d(?:rem|vw|vh|vmin|vmax|ch)\b", "a size in rem, vw or the like", "Outlook on Windows ignores it"),
    (r"\b(?:rgba|hsla?)\s*\(", "a colour as rgba() or hsl()", "Outlook on Windows ignores it; write it as #rrggbb"),
    (r"#(?:[0-9a-f]{8}|[0-9a-f]{4})\b", "a colour with transparency", "Outlook on Windows shows it wrong"),
    (r"<mark\b", "<mark>", "Outlook on Windows and Yahoo show it without its ground"),
)


def headings(proof: Proof) -> Iterator[Finding]:
    """In the letter as it is compiled: what is typed in Markdown has been put in order already."""
    letter = proof.letters.get(Audience.PAYING) or next(iter(proof.letters.values()), None)
    if letter is None:
        return
    before = 1
    for heading in lxml_html.document_fromstring(letter.html).iter("h1", "h2", "h3", "h4", "h5", "h6"):
        level, words = int(str(heading.tag)[1]), " ".join("".join(map(str, heading.itertext())).split())
        line = proof.line_of(words, proof.body_line) if words else None
        if not words:
            yield Finding(
                "warning",
                "empty_heading",
                "A heading has no words. Write some, or take its line out.",
                None,
                str(level),
            )
        elif level > before + 1:
            yield Finding(
                "warning",
                "heading_order",
                f"“{words}” is a heading of level {level} right below one of level {before}: who moves by headings "
                "thinks that something is missing.",
                line,
                words,
            )
        before = level


def title_twice(proof: Proof) -> Iterator[Finding]:
    first = next(iter(proof.content.document.blocks), None)
    if isinstance(first, Heading) and _solid(plain(first.children)) == _solid(proof.content.title):
        yield Finding(
            "warning",
            "title_twice",
            "The text begins with the title, which stands above it already. Take this line out.",
            proof.line(first),
        )


def notes(proof: Proof) -> Iterator[Finding]:
    cited: dict[str, int] = {}
    written: dict[str, list[int]] = {}
    for number, line in proof.code_free:
        for match in _NOTE.finditer(line):
            is_definition = match[2] and not line[: match.start()].strip(" >")
            if is_definition:
                written.setdefault(match[1].lower(), []).append(number)
            else:
                cited.setdefault(match[1].lower(), number)
    for name, line_number in cited.items():
        if name not in written:
            yield Finding(
                "error",
                "note_missing",
                f"There is no note “[^{name}]: …”, so readers would see the brackets. Write it, or take the mark out.",
                line_number,
                name,
            )
    for name, lines in written.items():
        if name not in cited:
            yield Finding(
                "warning",
                "note_unused",
                f"Nothing points at the note “{name}”, so nobody sees it. Write [^{name}] where it belongs.",
                lines[0],
                name,
            )
        elif len(lines) > 1:
            yield Finding(
                "warning",
                "note_twice",
                f"The note “{name}” is written twice, and only one of them is shown. Give one another name.",
                lines[1],
                name,
            )


def remarks(proof: Proof) -> Iterator[Finding]:
    for block in proof.blocks:
        if isinstance(block, Element):
            for sentence in block.remarks():
                yield Finding("warning", "left_out", sentence, proof.line(block), sentence)


def own_html(proof: Proof) -> Iterator[Finding]:
    for block in proof.blocks:
        html = getattr(block, "html", "")
        if not isinstance(html, str):
            continue
        styles = " ".join(re.findall(r"style=\"[^\"]*\"|<\w+", html, re.IGNORECASE))
        for pattern, what, why in _HALF_KNOWN:
            if re.search(pattern, styles, re.IGNORECASE):
                yield Finding("warning", "half_known_html", f"Your HTML has {what}: {why}.", proof.line(block), what)
        wide = [int(size) for size in re.findall(r"\bwidth=\"(\d+)\"|width:\s*(\d+)px", html) for size in size if size]
        if wide and max(wide) > _WIDEST:
            yield Finding(
                "warning",
                "too_wide",
                f"Your HTML is {max(wide)} pixels wide; a letter is {_WIDEST}, and a phone shows less.",
                proof.line(block),
            )


def cells(proof: Proof) -> Iterator[Finding]:
    """Markdown drops what a row has beyond its table, without a word: it is found in the source."""
    for table in proof.blocks:
        begin = proof.line(table) if isinstance(table, Table) else None
        if not isinstance(table, Table) or begin is None:
            continue
        for number in range(begin + 2, begin + 2 + len(table.rows)):
            row = proof.lines[number - 1].strip(" \t>") if number <= len(proof.lines) else ""
            surplus = _BAR.split(row.removeprefix("|").removesuffix("|"))[len(table.sides) :]
            if words := " ".join(" ".join(surplus).split()):
                yield Finding(
                    "error",
                    "surplus_cell",
                    f"This row has more cells than the table has columns, and “{words}” would be lost. Add a column; "
                    "a bar that belongs to the words is written \\|.",
                    number,
                    words,
                )


def _solid(words: str) -> str:
    return re.sub(r"\W+", "", words.lower())


RULES = (headings, title_twice, notes, remarks, own_html, cells)
