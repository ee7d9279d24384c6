"""newsletter mailings: watched to the end, paused, stopped, sent again to those not reached."""

import pytest

from newsletter.db import db
from newsletter.posts.models import Post
from tests import cast, factories
from tests.cli.conftest import Newsletter
from tests.doubles import JobQueue, Outbox
from worker.transports import Refused


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
    outbox.answers["ada@example.com"] = [Refused("550 5.1.1 no such mailbox")]
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
