"""Providers that are set up, with keys that openssl made, and a message of ours that they can tell about."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import select

from newsletter import clock, config
from newsletter.config import Settings
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending import ledger, start
from newsletter.sending.journal import Answer
from newsletter.sending.models import InboundEvent, Outcome
from newsletter.subscribers import return_path
from newsletter.webhooks import sns
from tests import cast, factories
from tests.doubles import JobQueue
from tests.webhooks import openssl
from tests.webhooks.openssl import Signer
from tests.webhooks.sns_host import HOST, SnsHost

TOPIC = "arn:aws:sns:eu-central-1:123456789012:letters-events"
PASSWORD = "a long password for Postmark"
MAILGUN_KEY = "key-for-mailgun-hooks"
RESEND_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="session")
def sendgrid_key(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return openssl.p256(tmp_path_factory.mktemp("sendgrid"))


@pytest.fixture(scope="session")
def amazon_key(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """With which the fake SNS signs its messages, and proves who it is."""
    return openssl.rsa(tmp_path_factory.mktemp("amazon"), "sns", host=HOST)


@pytest.fixture
def sns_host(amazon_key: Signer, monkeypatch: pytest.MonkeyPatch) -> Iterator[SnsHost]:
    host = SnsHost(amazon_key)
    monkeypatch.setattr(sns, "amazon", host.amazon())
    yield host
    host.close()


@pytest.fixture
def hooks(settings: Settings, sendgrid_key: Signer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """All five providers are set up."""
    return use(
        monkeypatch,
        settings,
        ses_topics=(TOPIC,),
        postmark_hook_password=SecretStr(PASSWORD),
        mailgun_hook_key=SecretStr(MAILGUN_KEY),
        sendgrid_hook_key=sendgrid_key.public,
        resend_hook_secret=SecretStr(RESEND_SECRET),
    )


def use(monkeypatch: pytest.MonkeyPatch, settings: Settings, **given: Any) -> Settings:
    changed = settings.model_copy(update=given)
    monkeypatch.setattr(config, "settings", lambda: changed)
    return changed


@pytest.fixture
def token(app: Flask, jobs_queue: JobQueue) -> str:
    """What names the message that Ada was sent."""
    ada = cast.ada()
    post = factories.post()
    publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
    mailing = start.start(post.id)
    assert mailing
    claim = ledger.claim(mailing.id, "a token")
    assert claim
    ledger.record(claim, [Answer(ada.id, Outcome.ACCEPTED, "250 OK")])
    db.session.commit()
    return return_path.token(mailing_id=mailing.id, subscriber_id=ada.id)


def heard(source: str) -> list[str]:
    """The events of one source that were taken in and committed."""
    db.session.rollback()
    told = select(InboundEvent.event_id).where(InboundEvent.source == source).order_by(InboundEvent.event_id)
    return [event_id for event_id in db.session.scalars(told) if not event_id.startswith("signature/")]


def altered(content: bytes, step: int = 1) -> Iterator[bytes]:
    """The same with one byte changed, for every byte (or every so manyth)."""
    for at in range(0, len(content), step):
        yield content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
