"""newsletter mailings …"""

from collections.abc import Callable
from pathlib import Path

import click

from newsletter.cli.root import Refusal, in_app
from newsletter.db import db
from newsletter.errors import NotFound
from newsletter.publication.models import Publication
from newsletter.sending import control, queries, verification
from newsletter.sending.models import Mailing, Outcome
from newsletter.terminal.mailing import follow, parts
from newsletter.terminal.screen import brief, count, harmless, moment, out, say, table


@click.group()
def mailings() -> None:
    """Posts on their way to their readers."""


@mailings.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@in_app
def show(limit: int) -> None:
    """The newest mailings and how far they are."""
    zone, found = Publication.current().zone, queries.mailings(limit)
    numbers = queries.progress_of(found)
    shown = table(
        "id",
        "state",
        "accepted",
        "of",
        "started",
        "newsletter",
        "post",
        numbers=("id", "accepted", "of"),
        long=("post",),
    )
    for mailing in found:
        told = numbers[mailing.id]
        shown.add_row(
            str(mailing.id),
            told.state.value,
            f"{told.accepted:,}",
            f"{told.due:,}",
            moment(mailing.started_at, zone),
            mailing.post.newsletter.slug,
            brief(mailing.post.title),
        )
    out.print(shown if found else "No mailing yet.")


@mailings.command()
@click.argument("mailing_id", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@in_app
def watch(mailing_id: int) -> None:
    """Follow a mailing to its end. Ctrl-C only stops the watching.

    Exit status 0: every reader due was accepted, or had left before being reached. 1: somebody was refused, expired or
    is unconfirmed, or the mailing was stopped.
    """
    mailing = _mailing(mailing_id)
    say(f"“{mailing.post.title}”, {count(mailing.audience_count, 'reader')} due")
    numbers = follow(mailing_id)
    _tell_troubles(mailing_id)
    if numbers.accepted + numbers.skipped < numbers.due or numbers.state.value == "stopped":
        raise Refusal(f"Not everyone was reached: {parts(numbers)}.")


@mailings.command()
@click.argument("mailing_id", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@in_app
def pause(mailing_id: int) -> None:
    """Let nothing more leave, but for the messages in flight."""
    _move(mailing_id, control.pause, "paused")


@mailings.command()
@click.argument("mailing_id", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@in_app
def resume(mailing_id: int) -> None:
    """Go on with a mailing that is paused or held."""
    _move(mailing_id, control.go_on, "on its way again")


@mailings.command()
@click.argument("mailing_id", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@click.confirmation_option(prompt="Readers not reached yet will not get it. Stop it for good?")
@in_app
def stop(mailing_id: int) -> None:
    """Stop a mailing for good."""
    _move(mailing_id, control.stop, "stopped")


@mailings.command()
@click.argument("mailing_id", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@in_app
def retry(mailing_id: int) -> None:
    """Send once more, to exactly those who were refused, expired, or not reached because of a stop."""
    again = control.send_to_unreached(_mailing(mailing_id))
    db.session.commit()
    readers = count(again.audience_count, "reader")
    say(f"Mailing {again.id} goes to {readers}. Follow it with: newsletter mailings watch {again.id}")


@mailings.command()
@click.argument("mailing_id", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@click.option("--resend", "decision", flag_value="resend", help="Send them once more: some may get a copy.")
@click.option("--leave", "decision", flag_value="leave", help="Leave them: some may have got nothing.")
@in_app
def resolve(mailing_id: int, decision: str | None) -> None:
    """Decide about the readers of whom nobody knows whether they got it.

    What is sent once more has the same Message-ID and the same content, so that many mail programs show one.
    """
    if decision is None:
        raise click.UsageError("Say --resend or --leave.")
    mailing = _mailing(mailing_id)
    doubtful = queries.progress(mailing_id).unconfirmed
    if not doubtful:
        say("Nothing is in doubt here.")
        return
    if mailing.doubts_settled_at is not None:
        raise Refusal("This has been decided already.")
    if decision == "resend":
        again = control.send_doubtful_again(mailing)
        words = f"to be sent again, as mailing {again.id}. Follow it with: newsletter mailings watch {again.id}"
    else:
        control.leave_doubtful(mailing)
        words = "left as before: unconfirmed."
    db.session.commit()
    say(f"{count(doubtful, 'message')} {words}")


@mailings.command()
@click.argument("mailing_id", type=click.IntRange(1, 2**63 - 1), metavar="[ID]", required=False)
@click.option("--check", "file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="A statement.")
@in_app
def verify(mailing_id: int | None, file: Path | None) -> None:
    """Count everybody's outcome again, and print a signed statement: one line of JSON.

    With --check FILE: whether a statement was signed here, and is as it was. Exit status 1 when something does not
    add up, with what differs on standard error.
    """
    if (mailing_id is None) == (file is None):
        raise click.UsageError("Name a mailing, or a statement to check.")
    if file is not None:
        said = verification.check(file.read_text())
        say(f"Signed here, and unchanged: mailing {said['mailing']}, counted at {said['counted_at']}.")
        found = tuple(said["differences"])
    else:
        statement = verification.verify(_mailing(mailing_id or 0))
        click.echo(statement.line)
        found = statement.differences
    if found:
        raise Refusal("\n".join(harmless(each).plain for each in found))


def _move(mailing_id: int, change: Callable[[Mailing], None], word: str) -> None:
    mailing = _mailing(mailing_id)
    change(mailing)
    db.session.commit()
    say(f"“{mailing.post.title}” is {word}: {parts(queries.progress(mailing_id))}.")


def _mailing(mailing_id: int) -> Mailing:
    mailing = db.session.get(Mailing, mailing_id)
    if mailing is None:
        raise NotFound(f"There is no mailing {mailing_id}. See them with: newsletter mailings list")
    return mailing


def _tell_troubles(mailing_id: int) -> None:
    shown = table("reader", "", "the server said", long=("the server said",))
    for outcome in (Outcome.REFUSED, Outcome.EXPIRED, Outcome.UNCONFIRMED):
        for reader in queries.troubled(mailing_id, outcome, limit=10):
            shown.add_row(harmless(reader.address), outcome.value, harmless(reader.reply))
    if shown.row_count:
        out.print(shown)
