"""Mail piped in by a mail server: the address is the proof, the rest is not believed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.config import Settings
from newsletter.db import db
from newsletter.links import Purpose, sign
from newsletter.sending.models import Bounce
from newsletter.subscribers.models import Subscriber, SubscriberState
from tests import cast, returned_mail
from tests.cli.conftest import Newsletter
from tests.sending import mailings
from tests.sending.mailings import is_suppressed

pytestmark = pytest.mark.slow


def test_a_mail_to_the_leave_address_takes_its_reader_off(newsletter: Newsletter) -> None:
    ada = cast.ada()
    db.session.commit()
    token = sign(Purpose.LEAVE, ada.id, ada.newsletters[0].id, 0)

    done = newsletter(
        "inbound", "take", "--recipient", f"leave+{token}@letters.example.org", typed="Subject: hello\n\n"
    )

    assert (done.exit_code, done.output) == (0, "")
    db.session.expire_all()
    assert db.session.get_one(Subscriber, ada.id).state is SubscriberState.LEFT


def test_other_mail_is_ignored_politely(newsletter: Newsletter) -> None:
    ada = cast.ada()
    db.session.commit()

    for address in (
        "ken@letters.example.org",
        "leave+abc@letters.example.org",
        "leave+@x",
        "'; DROP TABLE subscriber; --",
    ):
        done = newsletter("inbound", "take", "--recipient", address, typed="From: ada@example.com\n\nunsubscribe\n")
        assert (done.exit_code, done.output) == (0, "")

    db.session.expire_all()
    assert db.session.get_one(Subscriber, ada.id).state is SubscriberState.ACTIVE


def test_both_names_take_a_bounce(newsletter: Newsletter) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = mailings.sent()

    for command, reader in (("inbound", ada), ("bounces", grace)):
        to = mailings.return_address(mailing, reader)
        done = newsletter(command, "take", "--recipient", to, typed=returned_mail.dsn().decode())
        assert (done.exit_code, done.output) == (0, "")

    assert is_suppressed(ada)
    assert is_suppressed(grace)


@pytest.fixture
def pipe(app: Flask, settings: Settings) -> Callable[..., "subprocess.CompletedProcess[bytes]"]:
    """`newsletter bounces take < message`, as a mail server starts it."""

    def take(message: bytes, *options: str, database_url: str = "") -> "subprocess.CompletedProcess[bytes]":
        environment = {
            **os.environ,
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "DATABASE_URL": database_url or settings.database_url,
        }
        command = [str(Path(sys.executable).with_name("newsletter")), "bounces", "take", *options]
        return subprocess.run(command, input=message, env=environment, capture_output=True, timeout=60, check=False)

    return take


Pipe = Callable[..., "subprocess.CompletedProcess[bytes]"]


def test_the_pipe_takes_a_bounce_and_does_it_once(pipe: Pipe) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    bounce = returned_mail.dsn(mailings.return_address(mailing, ada))

    for _ in range(2):  # the mail server may ask again: it does not know whether we had finished
        done = pipe(bounce)
        assert (done.returncode, done.stdout) == (0, b"")

    assert is_suppressed(ada)
    assert db.session.scalar(select(func.count()).select_from(Bounce)) == 1


def test_the_pipe_asks_to_try_later_while_the_database_is_away(pipe: Pipe) -> None:
    ada = cast.ada()
    to = mailings.return_address(mailings.sent(), ada)

    done = pipe(returned_mail.dsn(), "--recipient", to, database_url="postgresql://nobody:x@127.0.0.1:1/none")

    assert done.returncode == 75
    assert b"ada" not in done.stderr + done.stdout
    assert b"Traceback" not in done.stderr
    assert not is_suppressed(ada)


def test_the_pipe_takes_a_message_of_any_size_to_its_end(pipe: Pipe) -> None:
    ada = cast.ada()
    to = mailings.return_address(mailings.sent(), ada)

    done = pipe(returned_mail.dsn() + b"x" * 20_000_000, "--recipient", to)

    assert done.returncode == 0
    assert is_suppressed(ada)
