"""newsletter inbound …: mail that comes to us, piped in by the mail server."""

import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from newsletter.cli.root import Refusal, in_app
from newsletter.config import BadSettings
from newsletter.db import db
from newsletter.subscribers import leaving


class TryLater(Refusal):
    """EX_TEMPFAIL of sysexits.h: the mail server keeps the message and asks again."""

    exit_code = 75


@click.group()
def inbound() -> None:
    """Mail that comes to us."""


@inbound.command()
@click.option("--recipient", required=True, metavar="ADDRESS", help="As told to the mail server (the envelope).")
def take(recipient: str) -> None:
    """Take one message from standard input.

    A message to a leave+… address takes its reader off the list; all others are ignored. Exit status 0: done with,
    75: could not be done now, the mail server should try again.
    """
    while sys.stdin.buffer.read(65536):
        pass  # nothing in the message is believed: the address is the proof
    try:
        _leave(recipient)
    except (BadSettings, SQLAlchemyError) as error:
        raise TryLater(f"This message cannot be handled now: {type(error).__name__}.") from None


@in_app
def _leave(recipient: str) -> None:
    if leaving.leave_by_mail(recipient):
        db.session.commit()
