"""The command `newsletter`."""

import click

from newsletter.cli import dkim, doctor, inbound, mailings, owner, payments, posts, settings_page, subscribers, up
from newsletter.cli.root import Root, in_app


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="newsletter", message="newsletter %(version)s")
def main() -> None:
    """Write letters, and send each of them once to everyone who asked for them."""


@main.command()
@in_app
def migrate() -> None:
    """Bring the database to the newest shape. Safe to run again."""
    from flask_migrate import upgrade

    upgrade()


for command in (
    up.demo,
    up.up,
    owner.create,
    subscribers.subscribers,
    posts.posts,
    mailings.mailings,
    payments.payments,
    inbound.inbound,
    inbound.bounces,
    dkim.dkim,
    doctor.doctor,
    settings_page.show,
):
    main.add_command(command)
