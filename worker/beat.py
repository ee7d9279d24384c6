"""The clock: `celery -A worker.beat beat`. It only rings, so it loads neither the app nor the tasks."""

from celery.signals import setup_logging

from newsletter import bells, logs
from newsletter.config import settings
from worker import schedule

bells.configure(settings())
celery = bells.celery
celery.conf.beat_schedule = schedule.TIMETABLE


@setup_logging.connect
def _log_as_we_do(**_: object) -> None:
    logs.configure(settings())
    logs.take_over(settings())
