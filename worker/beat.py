"""The clock: `python -m worker.beat`. It only rings, so it loads neither the app nor the tasks."""

import sys
from pathlib import Path

import click
from celery.signals import setup_logging

from newsletter import bells, logs
from newsletter.config import BadSettings, settings
from worker import schedule


@setup_logging.connect
def _log_as_we_do(**_: object) -> None:
    logs.configure(settings())
    logs.take_over(settings())


@click.command()
@click.option("--schedule", "file", type=Path, help="Where it keeps what it rang for last; else in DATA_DIR.")
def main(file: Path | None) -> None:
    """Ring when something is due, until SIGTERM."""
    try:
        bells.configure(settings())
    except BadSettings as error:
        click.echo(error.sentence, err=True)
        sys.exit(2)
    bells.celery.conf.beat_schedule = schedule.TIMETABLE
    file = file or settings().data_dir / "beat-schedule"
    file.parent.mkdir(parents=True, exist_ok=True)
    bells.celery.Beat(schedule=str(file), quiet=True).run()


if __name__ == "__main__":
    main()
