"""`python -m worker`: as many processes as one likes that send, and do what else is due.

It is Celery's worker, but started without Celery's command line, which loads an interactive shell: 8 MB a process.
"""

import sys

import click

from newsletter.bells import MAILINGS, NOTICES


@click.command()
@click.option("--processes", type=click.IntRange(1), default=2, show_default=True, help="That send.")
@click.option("--queues", default=f"{NOTICES},{MAILINGS}", show_default=True, help="What they listen to.")
@click.option("--log-level", default="INFO", show_default=True, help="The least that is worth a line of Celery's.")
def main(processes: int, queues: str, log_level: str) -> None:
    """Run until SIGTERM to this process alone: then each message in hand is finished first."""
    from worker.app import celery  # reads the settings, which --help can do without

    sys.argv[:1] = ["-m", "worker"]  # what Celery starts anew on SIGHUP
    worker = celery.Worker(
        concurrency=processes,
        queues=queues,
        loglevel=log_level,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main()
