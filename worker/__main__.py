"""`python -m worker`: as many processes as one likes that send, and do what else is due.

It is Celery's worker, but started without Celery's command line, which loads an interactive shell: 8 MB a process.
"""

import sys

import click

from newsletter.bells import MAILINGS, NOTICES
from newsletter.config import BadSettings


@click.command()
@click.option("--processes", type=click.IntRange(1), default=2, show_default=True, help="That send.")
@click.option("--queues", default=f"{NOTICES},{MAILINGS}", show_default=True, help="What they listen to.")
def main(processes: int, queues: str) -> None:
    """Run until SIGTERM to this process alone: then each message in hand is finished first."""
    try:
        from worker.app import celery  # reads the settings, which --help can do without
    except BadSettings as error:
        click.echo(error.sentence, err=True)
        sys.exit(2)

    sys.argv[:1] = ["-m", "worker"]  # what Celery starts anew on SIGHUP
    worker = celery.Worker(concurrency=processes, queues=queues, quiet=True, without_gossip=True, without_mingle=True)
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main()
