"""Every step up has a step down, and whoever went down comes up again with their rows."""

from collections.abc import Callable

from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from newsletter.db import db
from newsletter.jobs import Job
from tests import cast
from tests.doubles import Outbox
from tests.worker.test_deliver import send_now
from worker import tasks


def test_down_to_the_first_version_and_up_again(app: Flask, outbox: Outbox) -> None:
    cast.ada(), cast.grace()
    send_now()
    tasks.run(Job.START_DUE_MAILINGS)
    tasks.run(Job.DELIVER, 1)
    assert len(outbox) == 2
    try:
        _step(downgrade, "0001")
    finally:
        _step(upgrade, "head")

    assert db.session.scalar(text("SELECT count(*) FROM delivery")) == 2
    assert db.session.scalar(text("SELECT count(*) FROM membership WHERE kind = 'complimentary'")) == 1


def _step(move: Callable[..., None], revision: str) -> None:
    db.session.commit()
    db.session.remove()
    db.engine.dispose()  # what a connection has prepared is for the tables as they were
    move(revision=revision)
    db.session.remove()
    db.engine.dispose()
