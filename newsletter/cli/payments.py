"""newsletter payments …"""

import sys

import click

from newsletter.billing import PRACTICE_KEY, connecting
from newsletter.cli.root import in_app
from newsletter.config import settings
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.terminal.screen import say


@click.group()
def payments() -> None:
    """Money from readers."""


@payments.command()
@click.option("--key-stdin", is_flag=True, help="Read the secret key from standard input.")
@in_app
def connect(key_stdin: bool) -> None:
    """Connect your Stripe account by its secret key, as at the desk. With BILLING=test: the practice till."""
    if settings().billing == "test":
        key = PRACTICE_KEY
    else:
        key = sys.stdin.readline() if key_stdin else click.prompt("Secret key", hide_input=True)
    account = connecting.connect(Publication.current(), key)
    db.session.commit()
    say(f"Connected: {account.name} ({'live' if account.is_live else 'test, no money moves'}).")
