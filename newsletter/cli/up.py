"""newsletter up: everything on this machine."""

from pathlib import Path

import click

_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    envvar="DATA_DIR",
    show_default=True,
    help="Where the data is kept.",
)
_WEB_PORT = click.option(
    "--web-port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Of the site. The next free one is taken.",
)
_MAIL_PORT = click.option(
    "--mail-port", type=click.IntRange(0, 65535), default=8025, show_default=True, help="Of the local inbox."
)


@click.command()
@_FOLDER
@_WEB_PORT
@_MAIL_PORT
def up(folder: Path, web_port: int, mail_port: int) -> None:
    """Run the site, the workers and the servers they need, until Ctrl-C.

    Needs no settings: DATABASE_URL, REDIS_URL and MAIL_URL are used where given, and made here where not.
    """
    from newsletter.up import supervisor  # needs the embedded extra

    supervisor.up(folder, web_port=web_port, mail_port=mail_port)


@click.command()
@_FOLDER
@_WEB_PORT
@_MAIL_PORT
@click.option(
    "--once", is_flag=True, help="End after the last delivery. Exit status 0 only if everyone has one message."
)
def demo(folder: Path, web_port: int, mail_port: int, once: bool) -> None:
    """Try everything on this machine: a publication, 500 readers, and a post on its way to them.

    Nothing leaves this machine: mail ends in a local inbox. A second demo goes on with the data of the first.
    """
    from newsletter.up.demo import run

    run(folder, web_port=web_port, mail_port=mail_port, once=once)
