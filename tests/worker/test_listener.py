"""Our small mail server for what comes back, as a process of its own, spoken to over a socket."""

import re
import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.config import Settings
from newsletter.db import db
from newsletter.links import Purpose, sign
from newsletter.sending.models import Bounce, InboundEvent
from newsletter.subscribers.models import Subscriber, SubscriberState
from tests import cast, returned_mail
from tests.journeys.processes import Process, wait_for
from tests.sending import mailings
from tests.sending.mailings import is_suppressed
from worker import listener

pytestmark = [pytest.mark.usefixtures("bounce_domain"), pytest.mark.slow]

Listen = Callable[..., tuple[Process, int]]


@pytest.fixture
def listen(app: Flask, settings: Settings) -> Iterator[Listen]:
    """Starts `newsletter bounces listen` on a free port of this machine."""
    with ExitStack() as started:

        def start(*options: str, database_url: str = "") -> tuple[Process, int]:
            process = started.enter_context(
                Process(
                    settings,
                    "smtp://127.0.0.1:1",
                    *("newsletter.cli", "bounces", "listen", *options, "--port", "0"),
                    BOUNCE_DOMAIN="bounces.example.org",
                    PYTHONUNBUFFERED="1",
                    DATABASE_URL=database_url or settings.database_url,
                )
            )
            wait_for(lambda: "Taking mail on" in process.output, 20, "a listener", process)
            found = re.search(r"Taking mail on 127\.0\.0\.1:(\d+)", process.output)
            assert found, process.output
            return process, int(found[1])

        yield start


def said(call: Callable[[], object]) -> tuple[int, str]:
    """What the server refused with."""
    try:
        call()
    except smtplib.SMTPRecipientsRefused as error:
        ((code, words),) = error.recipients.values()
        return code, words.decode()
    except smtplib.SMTPResponseException as error:
        return error.smtp_code, str(error.smtp_error)
    raise AssertionError("nothing was refused")


def test_a_bounce_is_in_the_database_when_it_is_answered(listen: Listen) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    to = mailings.return_address(mailing, ada)
    process, port = listen()

    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        assert client.sendmail("", [to], returned_mail.dsn()) == {}
        assert is_suppressed(ada)
        client.sendmail("", [to], returned_mail.dsn())  # once more on the same connection

    assert db.session.scalar(select(func.count()).select_from(Bounce)) == 1
    process.stop(20)


def test_only_our_own_addresses_are_taken_and_nothing_is_relayed(listen: Listen) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    _, port = listen()

    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        for address in (
            "ken@letters.example.org",
            "victim@elsewhere.example",
            f"b+{'a' * 40}@bounces.example.org",
            f"leave+{mailings.token(mailing, ada)}@letters.example.org",
        ):
            code, words = said(lambda to=address: client.sendmail("", [to], returned_mail.dsn()))  # type: ignore[misc]
            assert (code, words.partition(" ")[0]) == (550, "5.1.1"), address


def test_a_mailbox_for_reports_takes_reports_and_no_other_mail(listen: Listen) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    about = returned_mail.dsn(message_id=mailings.message_id(mailing, ada))
    _, port = listen()

    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        spam = returned_mail.letter("postmaster@bounces.example.org", "Buy this.")
        code, _ = said(lambda: client.sendmail("x@example.com", ["postmaster@bounces.example.org"], spam))
        assert code == 550
        client.sendmail("", ["complaints@bounces.example.org"], about)

    assert is_suppressed(ada)


def test_a_letter_to_leave_takes_its_reader_off(listen: Listen) -> None:
    ada = cast.ada()
    db.session.commit()
    token = sign(Purpose.LEAVE, ada.id, ada.newsletters[0].id, 0)
    _, port = listen()

    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail("ada@example.com", [f"leave+{token}@letters.example.org"], b"Subject: leave\r\n\r\n")

    db.session.expire_all()
    assert db.session.get_one(Subscriber, ada.id).state is SubscriberState.LEFT


def test_while_the_database_is_away_the_sender_is_asked_to_come_again(listen: Listen) -> None:
    ada = cast.ada()
    to = mailings.return_address(mailings.sent(), ada)
    process, port = listen(database_url="postgresql://nobody:x@127.0.0.1:1/none")

    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        code, words = said(lambda: client.sendmail("", [to], returned_mail.dsn()))

    assert code == 451
    assert "example.com" not in words + process.output
    assert not is_suppressed(ada)


def test_lmtp_answers_for_each_recipient(listen: Listen) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = mailings.sent()
    to = [mailings.return_address(mailing, reader) for reader in (ada, grace)]
    _, port = listen("--lmtp")

    with smtplib.LMTP("127.0.0.1", port) as client:
        client.ehlo_or_helo_if_needed()
        client.mail("")
        for address in (to[0], "postmaster@bounces.example.org", to[1]):
            assert client.rcpt(address)[0] == 250
        assert client.docmd("DATA")[0] == 354
        client.send(returned_mail.letter("", "I am a person.", Auto_Submitted="auto-replied") + b"\r\n.\r\n")
        assert [client.getreply()[0] for _ in range(3)] == [250, 550, 250]


def test_what_is_too_large_or_too_long_is_not_kept_in_memory(listen: Listen) -> None:
    ada = cast.ada()
    to = mailings.return_address(mailings.sent(), ada)
    _, port = listen()

    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        large = returned_mail.dsn() + b"x" * 70 + b"\r\n" * 1 + (b"x" * 998 + b"\r\n") * 11_000
        assert said(lambda: client.sendmail("", [to], large))[0] == 552
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        broken = returned_mail.dsn() + b"y" * 50_000 + b"\r\n"  # a server that folds nothing
        client.sendmail("", [to], broken)

    assert is_suppressed(ada)


def test_more_connections_than_there_is_room_for_are_sent_away(listen: Listen) -> None:
    _, port = listen()
    with ExitStack() as open_ones:
        held = []
        for _ in range(listener.MOST_CONNECTIONS):
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", port), 20))
            assert connection.recv(4) == b"220 "
            held.append(connection)
        with socket.create_connection(("127.0.0.1", port), 20) as one_more:
            assert one_more.recv(100).startswith(b"421 4.3.2")
        held.pop().close()

        def is_room() -> bool:
            with socket.create_connection(("127.0.0.1", port), 20) as again:
                return again.recv(4) == b"220 "

        wait_for(is_room, 10, "room again")


def test_a_message_cut_off_in_the_middle_changes_nothing(listen: Listen) -> None:
    ada = cast.ada()
    to = mailings.return_address(mailings.sent(), ada)
    process, port = listen()

    client = smtplib.SMTP("127.0.0.1", port, timeout=20)
    client.ehlo()
    client.mail("")
    client.rcpt(to)
    client.docmd("DATA")
    client.send(returned_mail.dsn()[:-20])
    client.close()

    process.stop(20)
    assert db.session.scalar(select(func.count()).select_from(InboundEvent)) == 0
    assert not is_suppressed(ada)


def test_a_port_that_is_taken_is_said_in_one_sentence(listen: Listen, settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = ("newsletter.cli", "bounces", "listen", "--port", port)
        with Process(settings, "smtp://127.0.0.1:1", *command) as process:
            assert process.popen is not None
            assert process.popen.wait(20) == 1
            assert process.output.strip().startswith(f"Nothing can listen on 127.0.0.1:{port}")
