"""The clock: `celery -A worker.beat beat`. It only rings, so it loads neither the app nor the tasks."""

from newsletter import jobs
from newsletter.config import settings
from worker import schedule

jobs.configure(settings())
celery = jobs.celery
celery.conf.beat_schedule = schedule.TIMETABLE
