"""The mailbox that is looked into once a minute, over a real socket."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from newsletter import config
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import inbound
from newsletter.sending.models import Bounce, InboundEvent, Reply
from tests import cast, returned_mail
from tests.doubles import JobQueue, Outbox
from tests.imap_server import ImapServer
from tests.sending import mailings
from tests.sending.mailings import is_suppressed
from worker import mailbox, tasks
from worker.mailbox import Account, NoMailbox

SEEN, FLAGGED = {"\\Seen"}, {"\\Flagged"}


@pytest.fixture
def server(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImapServer]:
    with ImapServer() as server:
        use(monkeypatch, server)
        yield server
    monkeypatch.undo()
    config.settings.cache_clear()


def use(monkeypatch: pytest.MonkeyPatch, server: ImapServer, **other: str) -> None:
    given = {"user": server.user, "password": server.password, "folder": "INBOX", **other}
    user, password, folder = (quote(given[name], safe="") for name in ("user", "password", "folder"))
    monkeypatch.setenv("IMAP_URL", f"imap://{user}:{password}@127.0.0.1:{server.port}/{folder}")
    config.settings.cache_clear()


def bounces_count() -> int:
    return db.session.scalar(select(func.count()).select_from(Bounce)) or 0


def test_bounces_and_answers_are_taken_from_the_mailbox_and_marked(
    server: ImapServer, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = mailings.sent()
    jobs_queue.waiting.clear()
    server.put(
        returned_mail.dsn(message_id=mailings.message_id(mailing, ada)),
        returned_mail.letter(
            "", "Hi.", sender="grace@example.com", In_Reply_To=f"<{mailings.message_id(mailing, grace)}>"
        ),
        returned_mail.letter("", "Do you want to buy this?", sender="stranger@example.com"),
    )

    tasks.run(Job.FETCH_MAIL)
    jobs_queue.run()

    assert is_suppressed(ada)
    assert db.session.scalars(select(Reply.subscriber_id)).all() == [grace.id]
    assert outbox.addresses == ["ken@letters.example.org"]
    assert server.flags == [SEEN, SEEN, FLAGGED]  # a person may want to read the last one


def test_what_is_marked_is_not_fetched_again(server: ImapServer) -> None:
    cast.ada()
    mailings.sent()
    server.put(returned_mail.dsn(), returned_mail.letter("", "Hi."))
    assert mailbox.fetch() == 2

    assert mailbox.fetch() == 0

    assert server.log.count("FETCH") == 2


def test_a_crash_between_commit_and_mark_changes_nothing(server: ImapServer) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    server.put(returned_mail.dsn(message_id=mailings.message_id(mailing, ada)))
    server.breaks_off_at = "STORE"
    with pytest.raises(NoMailbox):
        mailbox.fetch()
    assert is_suppressed(ada)
    assert server.flags == [set()]

    server.breaks_off_at = ""
    mailbox.fetch()

    assert server.flags == [SEEN]
    assert bounces_count() == 1


def test_nothing_is_marked_before_it_is_in_the_database(server: ImapServer, app: Flask) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    server.put(returned_mail.dsn(message_id=mailings.message_id(mailing, ada)))
    known: list[int] = []

    def look() -> None:
        with app.app_context():
            known.append(db.session.scalar(select(func.count()).select_from(InboundEvent)) or 0)

    server.before_store = look

    mailbox.fetch()

    assert known == [1]


def test_while_the_database_is_away_nothing_is_marked(server: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    server.put(returned_mail.dsn(message_id=mailings.message_id(mailing, ada)))
    with monkeypatch.context() as broken:

        def away() -> None:
            raise OperationalError("COMMIT", {}, ConnectionError())

        broken.setattr(db.session, "commit", away)
        with pytest.raises(OperationalError):
            mailbox.fetch()
    db.session.rollback()
    assert server.flags == [set()]

    mailbox.fetch()

    assert is_suppressed(ada)
    assert server.flags == [SEEN]


def test_one_message_that_cannot_be_digested_does_not_keep_the_others(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = cast.ada()
    mailing = mailings.sent()
    server.put(b"Subject: poison\r\n\r\n", returned_mail.dsn(message_id=mailings.message_id(mailing, ada)))
    digest = inbound.take

    def picky(raw: bytes, recipient: str = "") -> inbound.Taken:
        if b"poison" in raw:
            raise ValueError("a bug")
        return digest(raw, recipient)

    monkeypatch.setattr(inbound, "take", picky)

    assert mailbox.fetch() == 2

    assert server.flags == [FLAGGED, SEEN]
    assert is_suppressed(ada)


def test_one_look_is_bounded(server: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MOST_AT_ONCE", 3)
    cast.ada()
    mailings.sent()
    server.put(*[returned_mail.dsn() for _ in range(5)])

    assert [mailbox.fetch(), mailbox.fetch(), mailbox.fetch()] == [3, 2, 0]


def test_a_huge_message_is_only_read_as_far_as_it_matters(server: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "LARGEST", 10_000)
    ada = cast.ada()
    mailing = mailings.sent()
    server.put(returned_mail.dsn(message_id=mailings.message_id(mailing, ada)) + b"x" * 5_000_000)

    mailbox.fetch()

    assert is_suppressed(ada)


@pytest.mark.parametrize(
    ("wrong", "said"), [({"password": "no"}, "AUTHENTICATIONFAILED"), ({"folder": "Elsewhere"}, "“Elsewhere”")]
)
def test_what_is_wrong_is_said_without_the_password(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], said: str
) -> None:
    use(monkeypatch, server, **wrong)

    with pytest.raises(NoMailbox) as error:
        mailbox.fetch()
    tasks.run(Job.FETCH_MAIL)  # a job that is said no to does not fail: the next minute comes

    assert said in error.value.sentence
    assert server.password not in error.value.sentence


def test_without_a_mailbox_there_is_nothing_to_do(app: Flask) -> None:
    assert mailbox.fetch() == 0


def test_how_a_mailbox_is_named() -> None:
    read = Account.read("imaps://me%40example.org:a%2Fb@imap.example.org/Returned%20mail")

    assert (read.host, read.port, read.user, read.password) == ("imap.example.org", 993, "me@example.org", "a/b")
    assert (read.folder, read.is_tls, read.is_here) == ("Returned mail", True, False)
    for wrong in ("https://me:x@example.org", "imaps://example.org/INBOX", "imaps://me:x@"):
        with pytest.raises(NoMailbox):
            Account.read(wrong)
