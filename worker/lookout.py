"""Every worker looks for work by itself, so that mail goes out even when Redis has forgotten, or is away."""

import os
import threading

import structlog
from flask import Flask
from sqlalchemy.exc import OperationalError

from newsletter import jobs
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import journal, resume
from worker import stopping, sweep, tasks

log = structlog.get_logger()

EVERY = 10.0  # seconds


class Lookout:
    """A thread of the worker's main process."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends after the message in hand, if there is one."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def _run(self) -> None:
        while not self._done.is_set():
            with self._app.app_context():
                try:
                    look()
                except OperationalError as error:
                    db.session.rollback()
                    log.warning("the database does not answer", reason=type(error).__name__)
                except Exception:  # a whole job: whatever is wrong with one look, the next must come
                    db.session.rollback()
                    log.exception("looking for work failed")
            self._done.wait(EVERY)


def look() -> None:
    """One look: a sign of life, then ring for what is due; do it here if nobody hears the bell."""
    resume.seen(f"worker:{journal.host()}:{os.getpid()}")
    db.session.commit()
    for job, ids in sweep.find():
        if stopping.is_asked():
            return
        if not jobs.ring(job, *ids):
            _do(job, *ids)


def _do(job: Job, *ids: int) -> None:
    try:
        tasks.run(job, *ids)
    except OperationalError:
        raise  # the others would fare no better
    except Exception:  # a whole job: the others must not wait behind it
        db.session.rollback()
        log.exception("a job failed", job=job.value, ids=ids)
