"""What people are told of a mailing: every number counts recorded outcomes."""

from datetime import timedelta

import pytest

from newsletter import clock
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending import ledger, queries, rehearsal, start
from newsletter.sending.journal import Answer, PutOff
from newsletter.sending.models import Mailing, Outcome
from tests import cast, factories

pytestmark = pytest.mark.usefixtures("jobs_queue")


def begin() -> Mailing:
    post = factories.post()
    publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
    mailing = start.start(post.id)
    db.session.commit()
    assert mailing is not None
    return mailing


def test_parts_and_the_rest_add_up_to_the_audience() -> None:
    readers = [factories.subscriber(f"r{number}@example.com") for number in range(5)]
    mailing = begin()
    claim = ledger.claim(mailing.id, "a token")
    assert claim is not None
    ledger.record(
        claim,
        [Answer(readers[0].id, Outcome.ACCEPTED), Answer(readers[1].id, Outcome.UNCONFIRMED, "no answer")],
        [PutOff(readers[2].id, "451 later")],
    )

    told = queries.progress(mailing.id)

    assert (told.due, told.accepted, told.unconfirmed, told.waiting, told.remaining) == (5, 1, 1, 1, 2)
    assert [line.reply for line in queries.waiting(mailing.id)] == ["451 later"]
    assert [line.address for line in queries.troubled(mailing.id, Outcome.UNCONFIRMED)] == ["r1@example.com"]


def test_an_outcome_is_written_once_and_only_a_doubt_may_become_known() -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = begin()
    claim = ledger.claim(mailing.id, "a token")
    assert claim is not None
    ledger.record(claim, [Answer(ada.id, Outcome.UNCONFIRMED), Answer(grace.id, Outcome.ACCEPTED)])

    ledger.record(claim, [Answer(ada.id, Outcome.ACCEPTED, "250 late"), Answer(grace.id, Outcome.REFUSED)])
    ledger.record(claim, [Answer(ada.id, Outcome.UNCONFIRMED)])

    told = queries.progress(mailing.id)
    assert (told.accepted, told.refused, told.unconfirmed) == (2, 0, 0)


def test_a_second_start_of_the_same_post_does_nothing() -> None:
    cast.ada()
    mailing = begin()
    assert start.start(mailing.post_id) is None


def test_a_test_mail_leads_nowhere_if_it_is_forwarded(jobs_queue: object) -> None:
    notice = rehearsal.send_test(factories.post(), "ken@example.com", "Ken")
    message = (notice.message or b"").decode()
    assert "[Test]" in message
    assert "/leave/" not in message
    assert "/preferences/" not in message


def test_a_preview_never_raises_for_what_was_typed() -> None:
    factories.newsletter()
    post = publishing.write("---\ntitle: T\n---\n\n:::nonsense\n")
    shown = rehearsal.preview(post)
    assert shown.html == ""
    assert [problem.level for problem in shown.problems] == ["error"]
