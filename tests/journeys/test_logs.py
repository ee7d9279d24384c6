"""What our processes write: JSON lines if asked, and never an address, a token or a secret, wherever it came from."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from flask import Flask

from newsletter import clock, links
from newsletter.config import Settings
from newsletter.db import db
from newsletter.links import Purpose
from newsletter.posts import publishing
from newsletter.sending.models import Mailing
from tests import cast, factories
from tests.journeys.processes import wait_for
from tests.smtp_sink import Orders, SmtpSink

pytestmark = pytest.mark.journey

CANARY = "canary.bird@planted.example.net"
PASSWORD = "planted-relay-password"
HOOK = "planted-hook-password"
METRICS = "planted-metrics-password"
PROXY = "planted-basic-password"


@pytest.fixture
def processes(app: Flask, settings: Settings, tmp_path: Path) -> "Processes":
    redis.Redis.from_url(settings.redis_url).flushall()
    return Processes(settings, tmp_path)


class Processes:
    """Web, worker and beat, as the Procfile starts them, and all they write."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.port = _free_port()

    @contextmanager
    def running(self, mail_url: str) -> Iterator[None]:
        env = {
            **os.environ,
            "SECRET_KEY": self.settings.secret_key.get_secret_value(),
            "DATABASE_URL": self.settings.database_url,
            "REDIS_URL": self.settings.redis_url,
            "DATA_DIR": str(self.folder),
            "SITE_URL": f"http://127.0.0.1:{self.port}",
            "MAIL_URL": mail_url,
            "POSTMARK_HOOK_PASSWORD": HOOK,
            "METRICS_PASSWORD": METRICS,
            "LOG_JSON": "true",
            "GUNICORN_CMD_ARGS": "--access-logfile -",
            "PYTHONWARNINGS": "ignore",
        }
        commands = {
            "web": (
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--worker-class", "gthread"),
                *("--no-control-socket", "--logger-class", "newsletter.access_log.Logger"),
                "newsletter.app:create_app()",
            ),
            "worker": (sys.executable, "-m", "worker", "--processes", "1"),
            "beat": (sys.executable, "-m", "worker.beat"),
        }
        started = []
        try:
            for name, command in commands.items():
                with (self.folder / f"{name}.log").open("wb") as log:
                    started.append(subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True))
            wait_for(lambda: self.ask("/healthz") == 200, 30, "the site answers")
            yield
        finally:
            for process in started:
                process.terminate()
            for process in started:
                try:
                    process.wait(40)
                finally:
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)

    def ask(self, path: str, data: dict[str, str] | bytes | None = None, **headers: str) -> int:
        body = urllib.parse.urlencode(data).encode() if isinstance(data, dict) else data
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    @property
    def written(self) -> dict[str, str]:
        return {name: (self.folder / f"{name}.log").read_text() for name in ("web", "worker", "beat")}


def test_no_process_writes_an_address_a_token_or_a_secret(processes: Processes) -> None:
    ada, grace = cast.ada(), cast.grace()
    publishing.schedule(factories.post(), clock.now(), "UTC")
    db.session.commit()
    weekly = grace.subscriptions[0].newsletter_id
    leave = links.sign(Purpose.LEAVE, grace.id, weekly, 0)
    echo = f"550 5.1.1 <{CANARY}> is unknown, see https://{leave}.example.net/leave/{leave}"
    orders = {ada.email or "": Orders(at_rcpt=echo), CANARY: Orders(at_dot=f"451 4.7.1 {CANARY} later")}
    with SmtpSink(orders=orders) as sink:
        relay = sink.url.replace("smtp://", f"smtp://someone:{PASSWORD}@")
        with processes.running(f"{sink.url} {relay}?tls=none"):
            processes.ask("/subscribe", {"email": CANARY, "newsletter": "weekly"})
            for path in (f"/leave/{leave}", f"/confirm/{leave}", f"/preferences/{leave}", f"/{CANARY}"):
                processes.ask(path)
                processes.ask(f"{path}?email={urllib.parse.quote(CANARY)}", {"email": CANARY})
            processes.ask("/webhooks/postmark", b'{"Email": "' + CANARY.encode() + b'"', Authorization=f"Basic {PROXY}")
            processes.ask(f"/webhooks/{leave}", CANARY.encode())
            processes.ask("/metrics", Authorization=f"Bearer {METRICS}")
            processes.ask("/desk/sign-in", {"email": CANARY, "password": PROXY})
            wait_for(_is_over, 40, f"the mailing is finished\n{processes.written['worker'][-2000:]}")

    secret = processes.settings.secret_key.get_secret_value()
    for name, text in processes.written.items():
        for planted in (CANARY, "canary", PASSWORD, HOOK, METRICS, PROXY, leave, secret, "ada@", "grace@"):
            assert planted not in text, f"{name}: {_around(text, planted)}"
        lines = [line for line in text.splitlines() if line.strip()]
        assert all(_is_json(line) for line in lines), f"{name}: {[line for line in lines if not _is_json(line)][:5]}"
    assert '"path": "/leave/' in processes.written["web"]
    assert "mailing finished" in processes.written["worker"]


def test_a_wrong_password_of_the_relay_and_a_bug_are_told_without_it(processes: Processes) -> None:
    cast.ada()
    publishing.schedule(factories.post(), clock.now(), "UTC")
    db.session.commit()
    with SmtpSink() as sink:
        relay = sink.url.replace("smtp://", f"smtp://someone:{PASSWORD}@")
        with processes.running(f"{relay}?tls=none"):
            wait_for(_has_trouble, 40, "the worker has tried")

    assert PASSWORD not in "".join(processes.written.values())


def _is_over() -> bool:
    db.session.rollback()
    mailing = db.session.get(Mailing, 1)
    return mailing is not None and mailing.finished_at is not None


def _has_trouble() -> bool:
    db.session.rollback()
    mailing = db.session.get(Mailing, 1)
    return mailing is not None and bool(mailing.trouble)


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _around(text: str, planted: str) -> str:
    found = re.search(f".{{0,200}}{re.escape(planted)}.{{0,100}}", text)
    return found[0] if found else ""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
