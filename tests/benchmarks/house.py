"""The product as it runs, on servers of its own: what is measured is what people get."""

import contextlib
import logging
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
import structlog
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select, text

import emails
from newsletter import clock, config
from newsletter.app import create_app
from newsletter.db import db
from newsletter.posts import content, publishing
from newsletter.posts.models import Post
from newsletter.publication.models import Newsletter, Publication
from newsletter.sending import letters, queries, start
from newsletter.sending.ledger import Reader
from newsletter.sending.models import Mailing
from newsletter.subscribers.models import Subscriber
from newsletter.up import places, postgres, valkey
from tests.benchmarks import machine, readers
from tests.benchmarks.readers import Sizes
from tests.benchmarks.sinks import PROCESSES
from tests.journeys.processes import Process, wait_for

WORKER = ("worker", "--processes", str(PROCESSES))
LOOK_EVERY = 0.05  # seconds


@dataclass(frozen=True)
class Mailed:
    """One mailing from the start of its transaction to the moment the ledger closed it."""

    mailing_id: int
    messages: int
    seconds: float
    start_seconds: float  # of which its start took

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds


class House:
    """PostgreSQL with real fsyncs, Valkey, and a publication with readers; in an app context from `with` on."""

    def __init__(self, folder: Path, sizes: Sizes, slugs: tuple[str, ...]) -> None:
        self.folder = folder
        self.sizes = sizes
        self._slugs = slugs
        self._stack = contextlib.ExitStack()
        self._posts = 0

    def __enter__(self) -> Self:
        try:
            self._move_in()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def servers(self) -> dict[str, int]:
        """The process ids of those that every mailing keeps busy."""
        assert self.postgres.process is not None
        assert self.valkey.process is not None
        return {"postgres": self.postgres.process.pid, "redis": self.valkey.process.pid}

    @contextlib.contextmanager
    def worker(self, mail_url: str, **environment: str) -> Iterator[Process]:
        """A worker with two processes that send, warmed up by a mailing of its own."""
        redis.Redis.from_url(self.settings.redis_url).flushall()  # bells of an earlier one
        with Process(self.settings, mail_url, *WORKER, code=None, **environment) as process:
            wait_for(lambda: len(process.children()) >= PROCESSES, 60, "the worker has its processes", process)
            self.mail(readers.WARM_UP, process)
            yield process
            process.stop()

    def begin(self, slug: str) -> tuple[Mailing, float, float]:
        """Start a mailing to the readers of a newsletter: it, when that began (by the clock), how long it took."""
        post = self._due(slug)
        begun = time.time()
        mailing = self._started(post)
        db.session.commit()
        return mailing, begun, time.time() - begun

    def sample(self, slug: str) -> bytes:
        """One reader's message, as a mailing would send it. Starts none."""
        return self.message(self._started(self._due(slug)).id)

    def mail(self, slug: str, worker: Process, patience: float = 1800) -> Mailed:
        """One mailing, from its start to its end."""
        mailing, begun, start_seconds = self.begin(slug)
        return self.finish(mailing.id, begun, start_seconds, worker, patience)

    def finish(
        self, mailing_id: int, begun: float, start_seconds: float, worker: Process, patience: float = 1800
    ) -> Mailed:
        """Wait for its end. Raises AssertionError when it does not come, or somebody was not reached."""
        until = time.monotonic() + patience
        while (ended := self._ended(mailing_id)) is None:
            if time.monotonic() > until:
                raise AssertionError(f"after {patience:.0f} s the mailing is not over\n{worker.output[-3000:]}")
            time.sleep(LOOK_EVERY)
        told = queries.progress(mailing_id)
        db.session.rollback()
        if told.accepted != told.due:
            raise AssertionError(f"of {told.due} only {told.accepted} were accepted\n{worker.output[-3000:]}")
        return Mailed(mailing_id, told.due, ended - begun, start_seconds)

    def message(self, mailing_id: int) -> bytes:
        """One reader's message of a mailing, as it goes over the wire. Rolls back."""
        someone = db.session.scalars(select(Subscriber).where(Subscriber.name != "").limit(1)).one()
        reader = Reader(someone.id, someone.email or "", someone.name, "free", True)
        made = letters.load(mailing_id).message_for(reader).content
        db.session.rollback()
        return made

    def templates(self, mailing_id: int) -> tuple[emails.Compiled, str]:
        """What a mailing was compiled to, with its merge marks, and its sender: what a plain loop starts from."""
        mailing = db.session.get_one(Mailing, mailing_id)
        newsletter = db.session.get_one(Newsletter, mailing.newsletter_id)
        said = content.post_content(mailing.post)
        compiled = emails.compile_post(said, content.theme(newsletter), emails.Audience.FREE)
        sender = newsletter.sender_email
        db.session.rollback()
        return compiled, sender

    def _due(self, slug: str) -> Post:
        db.session.rollback()  # to the database it is now when the transaction began
        self._posts += 1
        newsletter = db.session.scalars(select(Newsletter).where(Newsletter.slug == slug)).one()
        post = publishing.write(readers.post_source(f"On slow mail, part {self._posts}"), newsletter=newsletter)
        publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
        db.session.flush()
        return post

    def _started(self, post: Post) -> Mailing:
        mailing = start.start(post.id)
        assert mailing is not None
        return mailing

    def _ended(self, mailing_id: int) -> float | None:
        ended: float | None = db.session.scalar(
            text("SELECT CAST(extract(epoch FROM finished_at) AS float) FROM mailing WHERE id = :id"),
            {"id": mailing_id},
        )
        db.session.rollback()
        return ended

    def _move_in(self) -> None:
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._stack.callback(self._remove_shelter)
        self.postgres = postgres.start(self.folder / "postgres")
        self._stack.callback(self.postgres.stop)
        self.valkey = valkey.start(self.folder / "valkey")
        self._stack.callback(self.valkey.stop)
        self._set_up_app()
        owner = Publication(name="Slow Letters", postal_address="1 Mill Lane, Ambridge", time_zone="Europe/Berlin")
        db.session.add(owner)
        db.session.flush()
        readers.seed(owner, self.sizes, self._slugs, self.postgres.url)

    def _set_up_app(self) -> None:
        self.site_port = places.free_port()
        os.environ.update(
            SECRET_KEY=secrets.token_urlsafe(36),
            DATABASE_URL=self.postgres.url,
            REDIS_URL=self.valkey.url,
            MAIL_URL=f"smtp://{places.LOOPBACK}:1",
            SITE_URL=f"http://{places.LOOPBACK}:{self.site_port}",
            DATA_DIR=str(self.folder / "data"),
        )
        (self.folder / "data").mkdir()
        config.settings.cache_clear()
        self.settings = config.settings()
        self.app: Flask = create_app(self.settings)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        self._stack.enter_context(self.app.app_context())
        self._stack.callback(lambda: db.engine.dispose())
        upgrade()

    def _remove_shelter(self) -> None:
        """What the server keeps outside of our folder when root has started it."""
        shelter = self.folder / "postgres" / "shelter"
        if shelter.is_symlink():
            shutil.rmtree(shelter.resolve(), ignore_errors=True)


def family_costs(house: House, worker: Process, sink_pid: int) -> machine.Costs:
    """What a mailing costs from now on, by who pays for it."""
    assert worker.popen is not None
    return machine.Costs({"worker": worker.popen.pid, **house.servers, "sink": sink_pid})


def python_module(*words: str) -> list[str]:
    """A module of ours as a program."""
    return [sys.executable, "-m", *words]
