"""newsletter subscribers …"""

from collections import Counter, deque
from pathlib import Path

import click
from rich.progress import Progress

from newsletter.cli.root import in_app
from newsletter.db import db
from newsletter.imports import run as imports
from newsletter.imports.report import Report
from newsletter.imports.values import Remark, Result
from newsletter.terminal.screen import count, harmless, out, say, table

_SHOWN = 10


@click.group()
def subscribers() -> None:
    """Your readers."""


@subscribers.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--newsletter", "newsletters", multiple=True, metavar="SLUG", help="For lines that name none. Repeatable."
)
@click.option("--consent", required=True, metavar="TEXT", help="Where these people agreed. Kept as the proof for each.")
@click.option("--dry-run", is_flag=True, help="Change nothing, and say what would happen.")
@click.option("--report", type=click.Path(path_type=Path), help="Where to list the lines with a remark.")
@click.option("--encoding", default="", help="If the file is not UTF-8, for example windows-1252.")
@in_app
def import_file(
    file: Path, newsletters: tuple[str, ...], consent: str, dry_run: bool, report: Path | None, encoding: str
) -> None:
    """Enter readers from FILE, a CSV file.

    Its first line names the columns: email, and if you like name, newsletters, tags. Those who left, refused,
    bounced, complained or were erased are never written to again, whatever the file says. All or nothing, and safe
    to run again: a second run changes nothing.
    """
    order = imports.Order(file, consent, newsletters, encoding)
    found = imports.survey(order)
    first: deque[Remark] = deque(maxlen=_SHOWN)
    with Report(report) if report else Report.beside(file) as listed:

        def note(remark: Remark) -> None:
            listed.note(remark)
            if len(first) < _SHOWN:
                first.append(remark)

        with Progress(console=out, transient=True) as bar:
            line = bar.add_task("Checking" if dry_run else "Importing", total=found.lines)
            tally = imports.run(order, note, lambda done: bar.update(line, completed=done))
    if dry_run:
        db.session.rollback()
    else:
        db.session.commit()
    _tell(tally, found, dry_run=dry_run)
    _tell_remarks(list(first), listed)


_WORDS = {
    Result.ADDED: "new",
    Result.EXTENDED: "known, with something new",
    Result.UNCHANGED: "known, unchanged",
    Result.REPEATED: "with an address that came before in the file",
    Result.KEPT_OUT: "kept out: left, never to be written to, or not confirmed",
    Result.REFUSED: "refused",
}


def _tell(tally: Counter[Result], found: imports.Survey, *, dry_run: bool) -> None:
    lists = ", ".join(found.newsletters) or "no newsletter"
    begin = "Nothing was changed. An import would enter" if dry_run else "Entered"
    say(f"{begin} {count(tally[Result.ADDED], 'new reader')} for {lists}.")
    shown = table("", " ", numbers=("",), long=(" ",))
    for result, words in _WORDS.items():
        shown.add_row(f"{tally[result]:,}", words, style="" if tally[result] else "dim")
    out.print(shown)
    if found.unused_columns:
        say(f"Columns not used: {', '.join(found.unused_columns)}.")


def _tell_remarks(first: list[Remark], listed: Report) -> None:
    if not first:
        return
    shown = table("line", "email", "why", numbers=("line",), long=("email", "why"))
    for remark in first:
        shown.add_row(str(remark.line), harmless(remark.email[:60]), harmless(remark.sentence))
    out.print()
    out.print(shown)
    say(f"All {count(listed.count, 'line')} with a remark: {listed.path}")
