"""newsletter create-owner"""

import sys

import click

from newsletter.accounts.owners import create_owner
from newsletter.cli.root import in_app
from newsletter.config import settings
from newsletter.db import db
from newsletter.publication.founding import found
from newsletter.publication.models import Publication
from newsletter.terminal.screen import say


@click.command("create-owner")
@click.option("--email", prompt="Your email address")
@click.option("--name", prompt="Your name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--publication", default="", help="Name of the publication, if there is none yet.")
@click.option("--newsletter", default="", help="Name of its first newsletter.")
@click.option("--postal-address", default="", help="Most countries want one in every issue.")
@click.option("--time-zone", default="UTC", show_default=True, help="Of the publication, for example Europe/Berlin.")
@in_app
def create(
    email: str,
    name: str,
    password_stdin: bool,
    publication: str,
    newsletter: str,
    postal_address: str,
    time_zone: str,
) -> None:
    """Make an account that may do everything.

    The first one also founds the publication and its first newsletter; what you do not give is asked for.
    """
    is_first = Publication.find() is None
    if is_first:
        publication = publication or click.prompt("Name of the publication")
        newsletter = newsletter or click.prompt("Name of its first newsletter", default=publication)
        found(
            name=publication,
            newsletter=newsletter,
            sender_name=name,
            sender_email=email,
            postal_address=postal_address,
            time_zone=time_zone,
        )
    owner = create_owner(email, name, _password(from_stdin=password_stdin))
    db.session.commit()
    say(f"{owner.name} may sign in at {settings().site_url}/desk with {owner.email}.")
    if is_first and not postal_address:
        say("Nothing can be sent yet: add the postal address in Settings first.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("A password, 12 characters or more", hide_input=True, confirmation_prompt="Again"))
