"""newsletter inbound …, newsletter bounces …: mail that comes to us, by a pipe or by a listener of ours."""

import asyncio
import sys

import click
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from newsletter.cli.root import Refusal, in_app
from newsletter.config import BadSettings
from newsletter.db import db


class TryLater(Refusal):
    """EX_TEMPFAIL of sysexits.h: the mail server keeps the message and asks again."""

    exit_code = 75


@click.command()
@click.option("--recipient", default="", metavar="ADDRESS", help="As told to the mail server (the envelope).")
def take(recipient: str) -> None:
    """Take one message from standard input.

    To a leave+… address, it takes its reader off the list; to a b+… address, it is read as a bounce, a complaint or an
    answer. Without --recipient the message itself must show the address, or return one of ours. All others are
    ignored. Exit status 0: done with, 75: could not be done now, the mail server should try again.
    """
    from newsletter.sending import inbound

    raw = sys.stdin.buffer.read(inbound.LARGEST)
    while sys.stdin.buffer.read(65536):
        pass  # who pipes must not get an error for the rest
    try:
        _take(raw, recipient)
    except (BadSettings, SQLAlchemyError) as error:
        raise TryLater(f"This message cannot be handled now: {type(error).__name__}.") from None


@in_app
def _take(raw: bytes, recipient: str) -> None:
    from newsletter.sending import inbound

    inbound.take(raw, recipient)
    db.session.commit()


@click.command()
@click.option("--port", required=True, type=click.IntRange(0, 65535), help="0: any that is free.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--lmtp", is_flag=True, help="Speak LMTP, for a mail server of your own that hands mail over.")
@in_app
def listen(port: int, host: str, lmtp: bool) -> None:
    """Take what comes back by SMTP or LMTP, until told to end."""
    from worker import listener

    def started(host: str, port: int) -> None:
        click.echo(f"Taking mail on {host}:{port}.")

    app = current_app._get_current_object()  # type: ignore[attr-defined]  # its threads need the app, not the proxy
    try:
        asyncio.run(listener.serve(app, host, port, lmtp=lmtp, started=started))
    except OSError as error:
        raise Refusal(f"Nothing can listen on {host}:{port}: {error.strerror or error}") from None


@click.group()
def inbound() -> None:
    """Mail that comes to us."""


@click.group()
def bounces() -> None:
    """Mail that comes back: bounces, complaints, answers."""


inbound.add_command(take)
bounces.add_command(take)
bounces.add_command(listen)
