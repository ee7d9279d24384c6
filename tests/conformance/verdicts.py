"""What the judges said, collected while the tests run, and written as docs/conformance.md by `make conformance`.

A test is a verdict by `@pytest.mark.verdict(judge, claim)`, or by `@pytest.mark.verdict(judge)` when it shows that the
judge sees the fault of a broken letter. What else it has to say, it says to the fixture `told`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.conformance import asking, exceptions, letters

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
JUDGES = (
    *("html-validate", "axe-core", "caniemail", "mailparser", "reformime", "reformail"),
    *("mailauth", "dkimpy", "Mail::DKIM", "SpamAssassin", "Sieve vacation", "curl", "Sisimai"),
)

_ABOUT = """\
# Conformance

What programs that are not ours say about our mail. `make conformance` installs them, asks them and writes this page;
the same tests are part of `make test`. The letters are the [golden post](../tests/golden/post.md), which has every
element there is, the post of the demo, each as a free and as a paying reader gets it, and every notice by itself. “A
real run” is mail that came over SMTP from the running product, to readers with the hardest names we know.

A judge that never objects is none: each is also given a letter that is broken on purpose, and must say so.
"""


@dataclass
class Told:
    """What a test has to say beside passing."""

    letters: set[str] = field(default_factory=set)  # what was judged, by name
    figures: str = ""
    points: dict[str, float] = field(default_factory=dict)  # SpamAssassin's, by letter

    def judged(self, names: Iterable[str]) -> None:
        self.letters.update(names)


@dataclass
class Row:
    passed: bool = True
    told: Told = field(default_factory=Told)

    def add(self, passed: bool, told: Told) -> None:
        self.passed = self.passed and passed
        self.told.letters |= told.letters
        self.told.points |= told.points
        self.told.figures = told.figures or self.told.figures


class Verdicts:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}
        self.awake: dict[str, bool] = {}

    def add(self, judge: str, claim: str, passed: bool, told: Told) -> None:
        assert judge in JUDGES, judge
        if claim:
            self.rows.setdefault((judge, claim), Row()).add(passed, told)
        else:
            self.awake[judge] = self.awake.get(judge, True) and passed

    def page(self) -> str:
        return "\n".join([_ABOUT, *self._judges(), "", *self._letters(), "", *_exceptions(), ""])

    def _judges(self) -> list[str]:
        lines = [
            "## Verdicts",
            "",
            "| Judge | Version | What is asked | Letters | Result | Figures | A broken letter |",
            "|---|---|---|--:|---|---|---|",
        ]
        for (judge, claim), row in sorted(self.rows.items(), key=lambda item: _order(*item[0])):
            result = "passes" if row.passed else "**fails**"
            seen = {True: "is seen", False: "**is not seen**", None: "**is not tried**"}[self.awake.get(judge)]
            figures, count = row.told.figures, len(row.told.letters)
            lines.append(f"| {judge} | {asking.version(judge)} | {claim} | {count} | {result} | {figures} | {seen} |")
        return lines

    def _letters(self) -> list[str]:
        points = {name: score for row in self.rows.values() for name, score in row.told.points.items()}
        lines = [
            "## Letters",
            "",
            "| Letter | HTML part, KB | SpamAssassin, points |",
            "|---|--:|--:|",
        ]
        for letter in letters.every():
            score = f"{points[letter.name]:.1f}" if letter.name in points else "not asked"
            lines.append(f"| {letter.name} | {letter.compiled.size / 1000:.0f} | {score} |")
        return lines


def _order(judge: str, claim: str) -> tuple[int, bool, str]:
    return JUDGES.index(judge), claim.startswith("a real run"), claim


def _exceptions() -> list[str]:
    lines = ["## What a judge may say without failing a letter", ""]
    for judge, reasons in exceptions.EVERY:
        lines += [f"- {judge}", *(f"  - `{rule}`: {reason}" for rule, reason in reasons.items())]
    return lines
