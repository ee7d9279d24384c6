"""The command `newsletter`."""

import click
from flask.cli import FlaskGroup

from newsletter.app import create_app


@click.group(cls=FlaskGroup, create_app=create_app, add_default_commands=False)
def main() -> None:
    """Run a newsletter from the command line."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest shape. Safe to run again."""
    from flask_migrate import upgrade

    upgrade()
