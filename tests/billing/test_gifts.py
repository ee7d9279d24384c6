"""A tier given away: bought, mailed on its day, taken once, and gone when the money goes back."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from newsletter import clock
from newsletter.billing import dunning, gifts
from newsletter.billing.models import Gift, Payment, PaymentKind
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.subscribers import suppression
from newsletter.subscribers.models import Notice, NoticeKind, Subscriber, SuppressionReason
from newsletter.tiers import access
from newsletter.tiers.models import Cadence, Membership, MembershipKind, Price
from tests import factories
from tests.billing.conftest import GOOD, House, serve_pages
from tests.doubles import Outbox, text_of
from worker import tasks

ADA, GRACE = "ada@example.com", "grace@example.com"


def give(house: House, months: int = 12, email: str = ADA, **form: str) -> int:
    """As Grace does it: our form, the till's page. The status of our answer."""
    cadence = Cadence.YEAR if months == 12 else Cadence.MONTH
    price = db.session.scalars(select(Price).where(Price.cadence == cadence)).one()
    fields = {"what": f"{price.id}-{months}", "giver": "Grace", "email": email, **form}
    answer = house.client.post("/support/gift", data=fields)
    if answer.status_code != 303:
        return answer.status_code
    found = re.search(r"/checkout/(cs_test_\w+)$", answer.location)
    assert found
    serve_pages(house.till).post(f"/checkout/{found[1]}", data={"email": GRACE, "number": GOOD, "expires": "12/34"})
    house.deliver()
    return 303


def mail(outbox: Outbox, address: str) -> list[str]:
    """The texts that came for somebody, oldest first."""
    tasks.run(Job.SEND_NOTICES)
    received = (outbox[at] for at in range(len(outbox)))
    return [text_of(message) for message in received if str(message["To"]) == address]


def link(words: str) -> str:
    found = re.search(r"http://letters\.example\.org(/gifts/\w+)", words)
    assert found, words
    return found[1]


def the_gift() -> Gift:
    db.session.expire_all()
    return db.session.scalars(select(Gift)).one()


def held_by(email: str) -> list[Membership]:
    db.session.expire_all()
    query = select(Membership).join(Subscriber, Subscriber.id == Membership.subscriber_id)
    return list(db.session.scalars(query.where(Subscriber.email == email).order_by(Membership.id)).unique())


def test_a_gift_is_bought_mailed_and_taken(house: House, outbox: Outbox) -> None:
    give(house, message="For the long evenings.")

    (letter,) = mail(outbox, ADA)
    assert "Grace gives you Patrons, for a year." in letter
    assert "For the long evenings." in letter
    receipt = next(words for words in mail(outbox, GRACE) if "€50.00 received" in words)
    assert "Patrons for a year, for ada@example.com. It is on its way there." in " ".join(receipt.split())
    assert link(receipt) == link(letter)
    payment = db.session.scalars(select(Payment)).one()
    assert (payment.kind, payment.amount, payment.tier_id) == (PaymentKind.GIFT, 5000, the_gift().tier_id)

    page = house.client.get(link(letter)).text
    assert "For the long evenings." in page
    assert held_by(ADA) == []  # looking takes nothing
    taken = house.client.post(link(letter), data={"email": ADA}).text
    assert "It is yours" in taken
    (membership,) = held_by(ADA)
    assert membership.kind is MembershipKind.GIFT
    assert membership.ends_at
    assert timedelta(days=364) < membership.ends_at - clock.now() < timedelta(days=367)
    assert access.audience_of(membership.subscriber_id).value == "paying"
    assert the_gift().recipient_email == ""  # not needed any more
    assert any("nothing is charged to you" in " ".join(words.split()) for words in mail(outbox, ADA))


def test_a_gift_is_taken_once(house: House, app: Flask, outbox: Outbox) -> None:
    give(house)
    way = link(mail(outbox, ADA)[0])

    assert house.client.post(way, data={"email": ADA}).status_code == 200
    again = app.test_client().post(way, data={"email": "mallory@example.com"})

    assert again.status_code == 409
    assert "It has been taken" in again.text
    assert db.session.scalar(select(func.count(Membership.id))) == 1


def test_before_it_is_paid_there_is_no_gift_and_nobody_is_mailed(house: House, outbox: Outbox) -> None:
    price = db.session.scalars(select(Price).where(Price.cadence == Cadence.MONTH)).one()
    house.client.post("/support/gift", data={"what": f"{price.id}-3", "giver": "Grace", "email": ADA})
    unpaid = the_gift()

    assert unpaid.amount == 1500
    assert house.client.get(f"/gifts/{gifts.url(unpaid).rpartition('/')[2]}").status_code == 404
    dunning.remind()
    assert mail(outbox, ADA) == []
    with time_machine.travel(clock.now() + timedelta(days=4)):
        dunning.remind()
    db.session.commit()
    assert db.session.scalar(select(func.count(Gift.id))) == 0  # and the address of the third person with it


def test_it_is_mailed_on_its_day_and_once_more_if_nobody_takes_it(house: House, outbox: Outbox) -> None:
    day = (clock.now() + timedelta(days=10)).date()
    give(house, day=day.isoformat())
    assert mail(outbox, ADA) == []

    for days, letters in ((9, 0), (11, 1), (20, 1), (26, 2), (60, 2)):
        with time_machine.travel(clock.now() + timedelta(days=days)):
            for _ in range(2):
                dunning.remind()
                db.session.commit()
            assert len(mail(outbox, ADA)) == letters, days
    assert "last time we write about it" in " ".join(mail(outbox, ADA)[-1].split())


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"message": "Look at https://evil.example/x"}, "no web addresses"),
        ({"message": "Look at WWW.evil.example"}, "no web addresses"),
        ({"giver": "win at casino.com"}, "no web addresses"),
        ({"message": "x" * 501}, "500 letters"),
        ({"giver": " "}, "Say your name"),
        ({"email": "nobody"}, "does not work"),
        ({"day": "2020-01-01"}, "from today on"),
        ({"day": "2099-01-01"}, "from today on"),
        ({"day": "tomorrow"}, "Choose a day"),
        ({"what": "1-7"}, "Choose what to give"),
        ({"what": "999-12"}, "Choose what to give"),
    ],
)
def test_what_cannot_be_given_is_refused_and_nothing_typed_is_lost(
    house: House, form: dict[str, str], sentence: str
) -> None:
    fields = {"what": "1-12", "giver": "Grace", "email": ADA, "message": "Read this"} | form
    price = db.session.scalars(select(Price).where(Price.cadence == Cadence.YEAR)).one()
    if "what" not in form:
        fields["what"] = f"{price.id}-12"

    answer = house.client.post("/support/gift", data=fields)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert fields["message"] in answer.text
    assert db.session.scalar(select(func.count(Gift.id))) == 0


def test_whoever_said_never_to_write_is_not_written_to(house: House, outbox: Outbox) -> None:
    suppression.suppress(ADA, SuppressionReason.COMPLAINED)
    db.session.commit()

    give(house)

    assert mail(outbox, ADA) == []
    assert any("hand over yourself" in " ".join(words.split()) for words in mail(outbox, GRACE))  # and is not told why


def test_who_pays_already_loses_nothing_by_a_gift(house: House, outbox: Outbox) -> None:
    give(house)
    house.buy(ADA)
    house.deliver()
    way = link(mail(outbox, ADA)[0])

    refused = house.client.post(way, data={"email": ADA})

    assert refused.status_code == 409
    assert "The gift stays good" in refused.text
    assert the_gift().redeemed_at is None


def test_a_second_gift_begins_when_the_first_ends(house: House, outbox: Outbox) -> None:
    for _ in range(2):
        give(house, months=3)
    ways = {link(words) for words in mail(outbox, ADA)}
    for way in ways:
        house.client.post(way, data={"email": ADA})

    first, second = held_by(ADA)
    assert second.started_at == first.ends_at


def test_when_the_money_goes_back_the_gift_ends(house: House, outbox: Outbox) -> None:
    give(house)
    house.client.post(link(mail(outbox, ADA)[0]), data={"email": ADA})
    give(house, months=3)
    for payment in db.session.scalars(select(Payment)).all():
        house.stripe.refund(payment.charge, f"refund {payment.id}")
    house.deliver()

    assert all((each.ends_at or clock.now()) <= clock.now() for each in held_by(ADA))
    assert house.client.get(link(mail(outbox, ADA)[-1])).status_code == 404


def test_its_end_is_told_a_week_before_and_when_it_has_come(house: House, outbox: Outbox) -> None:
    give(house, months=3)
    house.client.post(link(mail(outbox, ADA)[0]), data={"email": ADA})
    (membership,) = held_by(ADA)
    assert membership.ends_at

    for moment, kinds in ((-10, set()), (-6, {NoticeKind.GIVEN_ENDING}), (0.1, {NoticeKind.MEMBERSHIP_ENDED})):
        with time_machine.travel(membership.ends_at + timedelta(days=moment)):
            before = set(db.session.scalars(select(Notice.id)))
            for _ in range(2):
                dunning.remind()
                db.session.commit()
            told = db.session.scalars(select(Notice.kind).where(Notice.id.not_in(before))).all()
            assert set(told) == kinds
            assert len(told) == len(kinds)


def test_a_tier_given_for_a_week_by_hand_ends_with_a_letter_and_without_a_warning(house: House, outbox: Outbox) -> None:
    reader = factories.subscriber(ADA)
    membership = factories.member(reader, ends_at=clock.now() + timedelta(days=6))
    db.session.commit()
    dunning.remind()
    db.session.commit()
    assert mail(outbox, ADA) == []

    membership.ends_at = clock.now() - timedelta(minutes=1)
    db.session.commit()
    dunning.remind()
    db.session.commit()
    assert access.audience_of(reader.id).value == "free"
    assert len(mail(outbox, ADA)) == 1
    assert db.session.get_one(Membership, membership.id).ended_at == membership.ends_at


def test_two_rounds_at_once_tell_of_an_end_once(app: Flask, house: House) -> None:
    factories.member(factories.subscriber(ADA), ends_at=clock.now() - timedelta(minutes=1))
    db.session.commit()

    def round_of_another() -> None:
        with app.app_context():
            dunning.remind()
            db.session.commit()

    dunning.remind()  # not committed yet: the other one still sees it run
    thread = threading.Thread(target=round_of_another)
    thread.start()
    thread.join(2)
    db.session.commit()
    thread.join()

    assert db.session.scalars(select(Notice.kind)).all() == [NoticeKind.MEMBERSHIP_ENDED]
