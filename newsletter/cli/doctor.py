"""newsletter doctor"""

import click

from newsletter.cli.root import Refusal, in_app
from newsletter.config import settings
from newsletter.doctor.examine import examine
from newsletter.doctor.findings import Level
from newsletter.terminal.screen import harmless, out, table

_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@click.command()
@in_app
def doctor() -> None:
    """Look whether mail can leave and arrive: servers, processes, and the records of your sender's domain.

    Exit status 1 if anything has failed; warnings do not count.
    """
    found = []
    with out.status("Looking"):
        for finding in examine(settings()):
            found.append(finding)
    shown = table("", " ", "  ", long=("  ",))
    for finding in found:
        shown.add_row(
            f"[{_COLOURS[finding.level]}]{finding.level}[/]", harmless(finding.about), harmless(finding.sentence)
        )
        if finding.advice:
            shown.add_row("", "", harmless(f"→ {finding.advice}"), style="dim")
    out.print(shown)
    failures = sum(finding.level is Level.FAIL for finding in found)
    if failures:
        raise Refusal("One thing has to be mended." if failures == 1 else f"{failures} things have to be mended.")
