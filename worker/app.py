"""The one place that joins Flask and Celery. worker/__main__.py starts it; `celery -A worker.app` knows it as well."""

import gc
import json
import os
import sys

import celery as celery_package
import psycopg
from celery import bootsteps
from celery.apps import worker as celery_worker
from celery.signals import (
    setup_logging,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutting_down,
)
from sqlalchemy import event

from newsletter import jobs, logs
from newsletter.app import create_app
from newsletter.config import settings
from newsletter.db import db
from worker import pulse, stopping
from worker.fleet import fleet
from worker.lookout import Lookout

flask_app = create_app(has_doors=False)


def _hold_no_lock_while_frozen(connection: psycopg.Connection, _: object) -> None:
    """A worker frozen inside a transaction would keep its chunk from everybody: the database ends it instead."""
    connection.execute("SET idle_in_transaction_session_timeout = '15s'")
    connection.commit()


with flask_app.app_context():
    event.listen(db.engine, "connect", _hold_no_lock_while_frozen)


class TaskInContext(celery_package.Task):  # type: ignore[type-arg]  # not generic when it runs
    """Each task in an app context of its own: its own session, closed at the end."""

    def __call__(self, *args: object, **kwargs: object) -> object:
        pulse.beat()
        try:
            with flask_app.app_context():
                return super().__call__(*args, **kwargs)
        finally:
            pulse.beat()


celery = jobs.celery
celery.Task = TaskInContext  # type: ignore[misc]  # read-only only in the stubs


import worker.tasks  # noqa: E402, F401  # after celery.Task is ours, so that every task gets its context


class LookoutStep(bootsteps.StartStopStep):
    """Starts looking as soon as the pool is forked, and before the broker answers: it may never."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: object, **options: object) -> None:
        super().__init__(parent, **options)
        self._lookout = Lookout(flask_app)

    def start(self, parent: object) -> None:  # noqa: ARG002  # Celery's signature
        self._lookout.start()

    def stop(self, parent: object) -> None:  # noqa: ARG002
        self._lookout.stop()


celery.steps["worker"].add(LookoutStep)


@setup_logging.connect
def _log_as_we_do(**_: object) -> None:
    logs.take_over(settings())
    if settings().log_json:
        celery_worker.safe_say = _say  # type: ignore[attr-defined]  # it writes its farewells past all logging


def _say(words: str, *_: object) -> None:
    """From within a signal handler: one write, and no lock."""
    os.write(2, json.dumps({"event": words.strip(), "level": "info"}).encode() + b"\n")


@worker_init.connect
def _share_memory(**_: object) -> None:
    """What is loaded by now is never garbage. Who does not look through it leaves its pages shared by all children."""
    gc.collect()
    gc.freeze()


@worker_process_init.connect
def _take_turns_quickly(**_: object) -> None:
    """Who records must not keep who sends waiting for the interpreter: meanwhile the mail server has nothing to do."""
    sys.setswitchinterval(0.001)


@worker_process_init.connect
def _own_connections(**_: object) -> None:
    """A forked child must not speak on its parent's connections."""
    with flask_app.app_context():
        db.engine.dispose(close=False)


@worker_process_shutdown.connect
def _take_leave(**_: object) -> None:
    """A mail server is told that we go, instead of finding out."""
    fleet.close()


@worker_shutting_down.connect
def _stop_after_the_message_in_hand(**_: object) -> None:
    stopping.ask()
