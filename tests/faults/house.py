"""Everything a mailing needs, for one file of tests alone, so that any of it may be killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from flask import Flask
from flask_migrate import Migrate, upgrade
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import newsletter.models  # noqa: F401  # all tables are known before the first query
from newsletter import bells, clock, config, jobs
from newsletter.config import Settings
from newsletter.db import Base, db
from newsletter.posts import publishing
from newsletter.sending import journal, start
from newsletter.sending.models import Mailing
from newsletter.up import postgres, valkey
from newsletter.up.postgres import EmbeddedPostgres
from newsletter.up.valkey import EmbeddedValkey
from tests import factories
from tests.faults.sink import Sink
from tests.journeys.processes import Process, wait_for

SECRET_KEY = "a key for the tests of faults that is long enough to sign"


class House:
    """A database, a Valkey, a folder for journals, and the workers that a test starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database: EmbeddedPostgres = postgres.start(folder / "postgres", durable=False)
        self.bell: EmbeddedValkey = valkey.start(folder / "valkey")
        with psycopg.connect(self.plain_url(), autocommit=True) as connection:
            # What a power cut may cost is not tested here; what a killed server may cost is.
            connection.execute("ALTER DATABASE newsletter SET synchronous_commit = on")
        self.settings: Settings
        self.move(folder / "first")

    def close(self) -> None:
        self.bell.stop()
        self.database.stop()

    def move(self, folder: Path) -> None:
        """Keep journals and logs there from now on."""
        folder.mkdir()
        self.settings = config.read_settings(
            secret_key=SECRET_KEY,
            database_url=self.database.url,
            redis_url=self.bell.url,
            mail_url="smtp://127.0.0.1:1",
            site_url="http://letters.example.org",
            data_dir=folder,
            password_memory_kib=8,
            lease_seconds=4,
        )

    def plain_url(self) -> str:
        return self.database.url.replace("+psycopg", "")

    def app(self) -> Flask:
        """Enough of the product to look into the database and to act as the author does."""
        app = Flask("newsletter")
        app.config.update(SQLALCHEMY_DATABASE_URI=self.settings.database_url, SERVER_NAME="letters.example.org")
        db.init_app(app)
        Migrate(app, db, directory=f"{app.root_path}/migrations")
        with app.app_context():
            upgrade()
        return app

    def empty(self) -> None:
        """No reader, no post, no bell waiting."""
        redis.Redis.from_url(self.bell.url).flushall()
        db.session.execute(text(f"TRUNCATE {', '.join(Base.metadata.tables)} RESTART IDENTITY CASCADE"))
        db.session.commit()

    def ring(self, job: jobs.Job, *ids: int) -> bool:
        """As the web process would, on our own Valkey."""
        with jobs.celery.connection_for_write(self.bell.url) as connection:
            jobs.celery.send_task(
                job.value,
                args=ids,
                queue=jobs.MAILINGS if job in bells._QUEUES else jobs.NOTICES,
                connection=connection,
                ignore_result=True,
            )
        return True

    # What is sent

    def readers(self, count: int) -> list[str]:
        """So many confirmed readers of the weekly; the number in an address is the reader's id."""
        weekly = factories.newsletter()
        db.session.execute(
            text("""
                INSERT INTO subscriber (publication_id, email, email_key, name, source, confirmed_at)
                SELECT :publication, address, address, 'Reader ' || number, '', now()
                FROM generate_series(1, :count) AS number, format('reader%s@example.com', number) AS address
            """),
            {"publication": weekly.publication_id, "count": count},
        )
        db.session.execute(
            text("INSERT INTO subscription (subscriber_id, newsletter_id, reason) SELECT id, :id, '' FROM subscriber"),
            {"id": weekly.id},
        )
        db.session.commit()
        return [f"reader{number}@example.com" for number in range(1, count + 1)]

    def schedule(self, title: str = "On slow mail") -> int:
        """A post that is due."""
        post = factories.post(
            source=f"---\ntitle: '{title}'\nsubtitle: A defence of waiting\n---\n\n"
            f"Hello {{name|there}}.\n\n.A line with a dot.\n"
        )
        publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
        db.session.commit()
        return post.id

    def begin(self, *, chunk: int = 100) -> Mailing:
        """A post that has just become a mailing, in chunks of so many readers."""
        with pytest.MonkeyPatch.context() as size:
            size.setattr(start, "CHUNK", chunk)
            mailing = start.start(self.schedule())
        assert mailing is not None
        db.session.commit()
        return mailing

    def readers_see_another_post(self) -> None:
        """One more, which the workers start by themselves."""
        self.schedule("One more letter")
        self.ring(jobs.Job.START_DUE_MAILINGS)

    # Who sends it

    def worker(
        self,
        mail_url: str,
        *,
        processes: int = 2,
        lease: int = 4,
        data_dir: Path | None = None,
        code: Path | None = None,
        **environment: str,
    ) -> Process:
        settings = self.settings.model_copy(update={"data_dir": data_dir or self.settings.data_dir})
        settings.data_dir.mkdir(exist_ok=True)
        return Process(
            settings,
            mail_url,
            *("worker", "--processes", str(processes)),
            code=code,
            LEASE_SECONDS=str(lease),
            **environment,
        )

    def is_over(self, mailing_id: int = 1) -> bool:
        return bool(self.asked("SELECT finished_at IS NOT NULL FROM mailing WHERE id = :id", id=mailing_id))

    def recorded(self, mailing_id: int = 1) -> int:
        return int(self.asked("SELECT count(*) FROM delivery WHERE mailing_id = :id", id=mailing_id) or 0)

    def asked(self, query: str, **values: object) -> Any:  # whatever the query asks for
        """One value; None also while the database does not answer."""
        try:
            db.session.rollback()
            return db.session.scalar(text(query), values)
        except OperationalError:
            db.session.remove()
            return None

    def finish(self, process: Process | None = None, seconds: float = 60, mailing_id: int = 1) -> None:
        wait_for(lambda: self.is_over(mailing_id), seconds, "the mailing is finished", process)


def sent(sink: Sink, count: int, process: Process | None = None, seconds: float = 60) -> None:
    """Wait until so many messages have been accepted."""
    wait_for(lambda: len(sink) >= count, seconds, f"{count} messages are sent", process)


@contextmanager
def house_in(folder: Path) -> Iterator[House]:
    """A house, and this process as one of its own: settings, journal, bell."""
    house = House(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": house.settings.database_url,
            "REDIS_URL": house.settings.redis_url,
            "MAIL_URL": house.settings.mail_url,
            "SITE_URL": house.settings.site_url,
            "DATA_DIR": str(house.settings.data_dir),
            "PASSWORD_MEMORY_KIB": "8",
        }.items():
            patch.setitem(os.environ, name, value)
        patch.setattr(jobs, "ring", house.ring)
        _forget_settings()
        try:
            yield house
        finally:
            house.close()
    _forget_settings()


def _forget_settings() -> None:
    config.settings.cache_clear()
    journal.host.cache_clear()
