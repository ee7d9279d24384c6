"""Leaving by mail: the address is the proof, the rest is not believed."""

from newsletter.db import db
from newsletter.links import Purpose, sign
from newsletter.subscribers.models import Subscriber, SubscriberState
from tests import cast
from tests.cli.conftest import Newsletter


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
