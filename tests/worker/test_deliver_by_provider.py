"""The whole engine, from a scheduled post to a finished mailing, by ways out that are not SMTP."""

import mailbox
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from newsletter import clock, config
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.posts import publishing
from newsletter.sending import queries
from newsletter.sending.models import Chunk, Delivery, Mailing, MailingState, Outcome, Waiting
from newsletter.subscribers import return_path
from tests import factories
from tests.doubles import JobQueue
from tests.providers import CUT_AFTER, FakeMailgun, FakePostmark, FakeResend, FakeSes, Provider, Said
from worker.fleet import fleet
from worker.relays import down, relays
from worker.transports import provider

pytestmark = pytest.mark.slow

COUNT = 230


@pytest.fixture
def send_by(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets MAIL_URL."""

    def set_to(url: str) -> None:
        forget()
        monkeypatch.setattr(config.settings(), "__dict__", config.settings().__dict__ | {"mail_url": url})

    yield set_to
    forget()


@pytest.fixture(params=[FakeSes, FakePostmark, FakeMailgun, FakeResend])
def fake(
    request: pytest.FixtureRequest, send_by: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Provider]:
    """A provider, and the engine set to it."""
    monkeypatch.setattr(provider, "PAUSES", (0.01, 0.01))
    with request.param() as here:
        send_by(here.url)
        yield here


def forget() -> None:
    """What is known of ways out."""
    fleet.close()
    relays.cache_clear()
    for relay in relays():
        down.served(relay.name)
    relays.cache_clear()


def send_to(count: int) -> None:
    weekly = factories.newsletter()
    for number in range(count):
        factories.subscriber(f"r{number}@example.com", on=[weekly])
    publishing.schedule(factories.post(), clock.now(), "Europe/Berlin")
    db.session.commit()


def outcomes() -> dict[str, int]:
    rows = db.session.execute(select(Delivery.outcome, func.count()).group_by(Delivery.outcome))
    return {outcome.value: count for outcome, count in rows}


def state() -> MailingState:
    return db.session.scalars(select(Mailing.state)).one()


def later(jobs_queue: JobQueue) -> None:
    for table in (Chunk, Waiting):
        db.session.execute(update(table).values(send_after=func.now()))
    db.session.commit()
    for relay in relays():
        down.served(relay.name)
    jobs_queue.ring(Job.SWEEP)
    jobs_queue.run()


def test_a_mailing_leaves_whole_and_each_message_can_be_told_by_its_token(jobs_queue: JobQueue, fake: Provider) -> None:
    send_to(COUNT)
    jobs_queue.run()

    assert (state(), outcomes()) == (MailingState.FINISHED, {"accepted": COUNT})
    assert len(fake.copies) == COUNT
    assert set(fake.copies.values()) == {1}
    sent = [return_path.read(token_of(said)) for _, said in fake.accepted]
    assert all(each is not None and each.mailing_id == 1 for each in sent)
    assert len({each.subscriber_id for each in sent if each}) == COUNT


def test_a_lost_answer_ends_as_doubt_by_name_and_the_rest_leaves(jobs_queue: JobQueue, fake: Provider) -> None:
    fake.orders.extend([None, CUT_AFTER, CUT_AFTER, CUT_AFTER])
    send_to(COUNT)
    jobs_queue.run()
    later(jobs_queue)

    known = outcomes()
    assert state() is MailingState.FINISHED
    assert sum(known.values()) == COUNT
    doubts, batch = known.get("unconfirmed", 0), 1 if isinstance(fake, FakeSes | FakeMailgun) else 100
    assert doubts <= 3 * batch  # as many requests as were cut
    assert len(queries.troubled(1, Outcome.UNCONFIRMED, limit=COUNT)) == doubts
    assert set(fake.copies.values()) == {1}
    assert len(fake.copies) == COUNT


def test_a_provider_that_takes_nothing_is_waited_for_and_nobody_is_lost(jobs_queue: JobQueue, fake: Provider) -> None:
    fake.orders.extend(
        [Said(429, {"message": "slow", "ErrorCode": 429, "Message": "slow"}, {"Retry-After": "900"})] * 4
    )
    send_to(COUNT)
    jobs_queue.run()
    for _ in range(5):
        later(jobs_queue)

    assert (state(), outcomes()) == (MailingState.FINISHED, {"accepted": COUNT})
    assert set(fake.copies.values()) == {1}


def test_a_folder_gets_a_whole_mailing(jobs_queue: JobQueue, tmp_path: Path, send_by: Callable[[str], None]) -> None:
    send_by(f"files:{tmp_path}/mail")
    send_to(COUNT)
    jobs_queue.run()

    assert (state(), outcomes()) == (MailingState.FINISHED, {"accepted": COUNT})
    messages = list(mailbox.Maildir(tmp_path / "mail", create=False))
    assert len({message["Delivered-To"] for message in messages}) == len(messages) == COUNT


def token_of(said: dict[str, Any]) -> str:
    """Where each provider was told to keep it."""
    tags = said.get("EmailTags") or said.get("tags")
    if tags:
        return str(tags[0].get("Value") or tags[0].get("value"))
    return str(said["Metadata"]["token"]) if "Metadata" in said else said["v:token"].decode()
