"""A connected account at the practice till, over HTTP and through the provider's own SDK."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter import config
from newsletter.billing import connecting
from newsletter.billing import stripe as provider
from newsletter.billing.models import Account
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.publication.models import Newsletter, Publication
from newsletter.tiers import catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Tier
from newsletter.up.till import serve
from newsletter.up.till.state import DAY, Thing, Till
from tests import factories
from tests.doubles import Outbox
from worker import tasks

KEY = "sk_test_practice_of_the_tests"
GOOD, DECLINED, FAILS_LATER = "4242424242424242", "4000000000000002", "4000000000000341"


@dataclass
class House:
    """The publication and its till, which a test moves on together."""

    till: Till
    url: str
    client: FlaskClient
    rung: list[Thing] = field(default_factory=list)

    def open(self) -> None:
        """As new: a publication with one tier, and a till that holds nothing but that."""
        self.till.__init__()  # type: ignore[misc]  # behind the same server
        Newsletter.by_slug("weekly") or factories.newsletter()
        patrons = Listing(name="Patrons", prices={(Cadence.MONTH, "EUR"): 500, (Cadence.YEAR, "EUR"): 5000})
        catalogue.add(Publication.current(), patrons)
        db.session.commit()
        self.till.ring = self.rung.append
        connecting.connect(Publication.current(), KEY)
        db.session.commit()
        self.rung.clear()

    @property
    def account(self) -> Account:
        return Account.connected() or pytest.fail("not connected")

    @property
    def stripe(self) -> provider.Stripe:
        return provider.of(self.account)

    def buy(self, email: str, tier: str = "Patrons", cadence: Cadence = Cadence.MONTH, card: str = GOOD) -> int:
        """As a visitor does it: our button, the till's page. The status of its answer."""
        price = next(p for t in Tier.in_order() if t.name == tier for p in t.prices if p.cadence is cadence)
        answer = self.client.post(f"/support/tiers/{price.id}")
        assert answer.status_code == 303, answer.get_data(as_text=True)
        found = re.search(r"/checkout/(cs_test_\w+)$", answer.location) or pytest.fail(answer.location)
        pages = serve_pages(self.till)
        paid = pages.post(f"/checkout/{found[1]}", data={"email": email, "number": card, "expires": "12/34"})
        return paid.status_code

    def deliver(self, order: Callable[[list[Thing]], list[Thing]] = list) -> None:
        """Everything that was rung since the last time reaches the webhook, and is looked into."""
        waiting, self.rung[:] = list(self.rung), []
        for event in order(waiting):
            if event["type"] in provider.EVENTS:
                assert self.ring(event) == 200
        tasks.run(Job.TAKE_PAYMENT_EVENTS)

    def ring(self, event: Thing, secret: str = "") -> int:
        hook = self.till.all("webhook_endpoint")[0]
        body, signature = serve.signed(event, secret or hook["secret"])
        return self.client.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": signature}).status_code

    def days_pass(self, days: float) -> None:
        self.till.move_to(self.till.now() + round(days * DAY))


def serve_pages(till: Till) -> FlaskClient:
    app = serve.application(KEY)
    app.config["TILL"] = till
    return app.test_client()


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[str, Till]]:
    server, till = serve.start(KEY)
    yield f"http://127.0.0.1:{server.server_port}", till
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(
    app: Flask, outbox: Outbox, client: FlaskClient, served: tuple[str, Till], monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    url, till = served
    monkeypatch.setenv("BILLING", "test")
    monkeypatch.setenv("TILL_URL", url)
    config.settings.cache_clear()
    made = House(till, url, client)
    made.open()
    yield made
    monkeypatch.undo()
    config.settings.cache_clear()
