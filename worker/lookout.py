"""Every worker looks for work by itself, so that mail goes out even when Redis has forgotten, or is away."""

import os
import threading

import structlog
from flask import Flask
from sqlalchemy.exc import OperationalError

from newsletter import jobs
from newsletter.config import settings
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import journal, judge, resume
from worker import pulse, stopping, sweep, tasks

log = structlog.get_logger()

LOOKS = 6  # in the time of a lease: every ten seconds, if nobody has asked for another one


class Lookout:
    """A thread of the worker's main process."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)

    def start(self) -> None:
        pulse.beat()  # the pool has just been started: it has had no time yet to take what was waiting already
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
            self._done.wait(settings().lease_seconds / LOOKS)


def look() -> None:
    """One look: a sign of life, then ring for what is due; do it here if nobody hears it. Last, settle doubts."""
    is_pool_well = pulse.is_well()
    resume.seen(f"worker:{journal.host()}:{os.getpid()}")
    if is_pool_well:
        resume.seen(f"pool:{journal.host()}:{os.getpid()}")
    else:
        log.error("the pool takes no work from the queue, the main process does it")
    db.session.commit()
    for job, ids in sweep.find():
        if stopping.is_asked():
            return
        if not jobs.ring(job, *ids) or not is_pool_well:
            _do(job, *ids)
    judge.hold_court()


def _do(job: Job, *ids: int) -> None:
    try:
        tasks.run(job, *ids)
    except OperationalError:
        raise  # the others would fare no better
    except Exception:  # a whole job: the others must not wait behind it
        db.session.rollback()
        log.exception("a job failed", job=job.value, ids=ids)
