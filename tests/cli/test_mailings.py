"""newsletter mailings: watched to the end, paused, stopped, sent again to those not reached."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from newsletter.db import db
from newsletter.posts.models import Post
from tests import cast, factories
from tests.cli.conftest import Newsletter
from tests.doubles import JobQueue, Outbox
from worker.transports import NoAnswer, Refused


@pytest.fixture
def scheduled(newsletter: Newsletter) -> Post:
    cast.ada()
    cast.grace()
    post = factories.post(title="On slow mail")
    db.session.commit()
    return post


def send(newsletter: Newsletter, post: Post) -> None:
    assert newsletter("posts", "schedule", post.slug, "--at", "now").exit_code == 0


def test_a_mailing_is_watched_to_its_end(
    newsletter: Newsletter, scheduled: Post, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    send(newsletter, scheduled)
    jobs_queue.run()

    done = newsletter("mailings", "watch", 1)

    assert done.exit_code == 0, done.output
    assert "2 accepted" in done.output
    assert "On slow mail" in newsletter("mailings", "list").output


def test_watching_tells_who_was_not_reached_and_ends_with_1(
    newsletter: Newsletter, scheduled: Post, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    outbox.answers["ada@example.com"] = [Refused("550 5.1.1 no such mailbox")]
    send(newsletter, scheduled)
    jobs_queue.run()

    done = newsletter("mailings", "watch", 1)

    assert done.exit_code == 1
    assert "ada@example.com" in done.output
    assert "no such mailbox" in done.output
    assert "1 accepted, 1 refused" in done.stderr


def test_those_not_reached_get_it_later(
    newsletter: Newsletter, scheduled: Post, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    outbox.answers["ada@example.com"] = [Refused("550 5.7.1 not from you")]
    send(newsletter, scheduled)
    jobs_queue.run()

    again = newsletter("mailings", "retry", 1)
    jobs_queue.run()

    assert "goes to 1 reader" in again.output
    assert sorted(outbox.addresses) == ["ada@example.com", "grace@example.com"]


def test_a_mailing_can_be_paused_resumed_and_stopped(
    newsletter: Newsletter, scheduled: Post, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    send(newsletter, scheduled)
    from newsletter.sending import start

    start.start(scheduled.id)
    db.session.commit()

    assert "is paused" in newsletter("mailings", "pause", 1).output
    assert "on its way again" in newsletter("mailings", "resume", 1).output
    assert "is stopped" in newsletter("mailings", "stop", 1, "--yes").output
    jobs_queue.run()
    assert outbox.addresses == []


def test_an_unknown_mailing_is_one_sentence(newsletter: Newsletter) -> None:
    done = newsletter("mailings", "watch", 7)

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)


def in_doubt(newsletter: Newsletter, scheduled: Post, jobs_queue: JobQueue, outbox: Outbox) -> None:
    outbox.answers["ada@example.com"] = [NoAnswer("The mail server broke off before it answered.")]
    send(newsletter, scheduled)
    jobs_queue.run()


def test_what_is_in_doubt_is_sent_once_more(
    newsletter: Newsletter, scheduled: Post, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    in_doubt(newsletter, scheduled, jobs_queue, outbox)

    done = newsletter("mailings", "resolve", 1, "--resend")
    jobs_queue.run()

    assert "1 message to be sent again, as mailing 2" in done.output
    assert sorted(outbox.addresses) == ["ada@example.com", "grace@example.com"]
    assert newsletter("mailings", "resolve", 1, "--resend").exit_code == 1


def test_what_is_in_doubt_is_left(
    newsletter: Newsletter, scheduled: Post, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    in_doubt(newsletter, scheduled, jobs_queue, outbox)

    assert newsletter("mailings", "resolve", 1).exit_code == 2
    assert "left as before" in newsletter("mailings", "resolve", 1, "--leave").output
    again = newsletter("mailings", "resolve", 1, "--resend")

    assert (again.exit_code, again.stderr) == (1, "This has been decided already.\n")
    assert outbox.addresses == ["grace@example.com"]


def test_a_ledger_that_adds_up_gets_a_statement_that_can_be_checked(
    newsletter: Newsletter, scheduled: Post, jobs_queue: JobQueue, outbox: Outbox, tmp_path: Path
) -> None:
    in_doubt(newsletter, scheduled, jobs_queue, outbox)

    done = newsletter("mailings", "verify", 1)
    file = tmp_path / "statement.json"
    file.write_text(done.stdout)
    said = json.loads(done.stdout)["statement"]

    assert done.exit_code == 0, done.stderr
    assert (said["audience"], said["accepted"], said["unconfirmed"], said["open"]) == (2, 1, 1, 0)
    assert newsletter("mailings", "verify", "--check", file).exit_code == 0
    file.write_text(done.stdout.replace('"accepted": 1', '"accepted": 2'))
    forged = newsletter("mailings", "verify", "--check", file)
    assert (forged.exit_code, forged.stderr) == (1, "This statement was changed after it was signed.\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DELETE FROM delivery WHERE subscriber_id = 1", "No outcome: 1."),
        ("DELETE FROM delivery WHERE subscriber_id = 1", "The mailing is over, and 1 readers have no outcome."),
        ("UPDATE delivery SET subscriber_id = 77 WHERE subscriber_id = 1", "An outcome, and not in the audience: 77."),
        ("UPDATE delivery SET outcome = 'accepted'", "Chunk 0 has 2 accepted, and says 1."),
        ("UPDATE chunk SET reader_ids = '{1,2,2}'", "In the audience twice: 2."),
        ("UPDATE mailing SET audience_count = 3", "The audience was 3, and its chunks have 2 readers."),
        (
            "INSERT INTO waiting (mailing_id, subscriber_id, chunk_id, send_after, attempts, reply) "
            "VALUES (1, 2, 1, now(), 1, '')",
            "Waiting, although there is an outcome: 2.",
        ),
    ],
)
def test_what_does_not_add_up_is_named_by_number(
    newsletter: Newsletter, scheduled: Post, jobs_queue: JobQueue, outbox: Outbox, change: str, words: str
) -> None:
    in_doubt(newsletter, scheduled, jobs_queue, outbox)
    db.session.execute(text(change))
    db.session.commit()

    done = newsletter("mailings", "verify", 1)

    assert done.exit_code == 1
    assert words in done.stderr.splitlines()
    assert words in json.loads(done.stdout)["statement"]["differences"]


def test_a_statement_of_somebody_else_is_not_ours(newsletter: Newsletter, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    said = {"format": "newsletter mailing statement 1", "mailing": 1}
    signature = key.sign(json.dumps(said, sort_keys=True, separators=(",", ":")).encode())
    told = {
        "statement": said,
        "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        "signature": base64.b64encode(signature).decode(),
    }
    file = tmp_path / "statement.json"
    file.write_text(json.dumps(told))

    assert "was not signed here" in newsletter("mailings", "verify", "--check", file).stderr
    file.write_text("{}")
    assert "not a statement" in newsletter("mailings", "verify", "--check", file).stderr
