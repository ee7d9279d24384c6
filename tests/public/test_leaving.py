"""Leaving works at once, from every mail program, for ever, and can be undone by who pressed the button."""

from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.subscribers import erasure, letters, preferences, suppression
from newsletter.subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Subscriber,
    SubscriberState,
    Subscription,
    SuppressionReason,
)
from tests import cast, factories
from tests.public.steps import button_in

MAILING = 7


def leave_url(reader: Subscriber, newsletter: Newsletter, mailing_id: int = MAILING) -> str:
    values = letters.Values(letters.home(newsletter), mailing_id).of(reader, "m1")
    db.session.commit()
    return values.unsubscribe_url


def standing(reader: Subscriber) -> dict[str, bool]:
    db.session.expire_all()
    rows = db.session.scalars(select(Subscription).where(Subscription.subscriber_id == reader.id))
    return {row.newsletter.slug: row.left_at is None for row in rows}


@pytest.fixture
def ada(weekly: Newsletter, daily: Newsletter) -> Subscriber:
    return factories.subscriber("ada@example.com", on=[weekly, daily])


def test_the_page_shows_one_big_button_and_no_address(client: FlaskClient, ada: Subscriber, weekly: Newsletter) -> None:
    page = client.get(leave_url(ada, weekly))

    assert "Leave The Weekly" in page.text
    assert "Leave everything from Slow Letters" in page.text
    assert "a•••@example.com" in page.text
    assert "ada@" not in page.text
    assert standing(ada) == {"weekly": True, "daily": True}


def test_a_person_leaves_one_newsletter_and_stays_on_the_other(
    client: FlaskClient, ada: Subscriber, weekly: Newsletter
) -> None:
    page = client.post(leave_url(ada, weekly), data={"scope": "one"})

    left = db.session.scalars(select(Subscription).where(Subscription.left_at.is_not(None))).one()
    assert "You have left The Weekly" in page.text
    assert standing(ada) == {"weekly": False, "daily": True}
    assert left.left_by_mailing_id == MAILING


def test_a_person_leaves_everything(client: FlaskClient, ada: Subscriber, weekly: Newsletter) -> None:
    page = client.post(leave_url(ada, weekly), data={"scope": "all"})

    assert "You have left everything from Slow Letters" in page.text
    assert standing(ada) == {"weekly": False, "daily": False}


@pytest.mark.parametrize("encoding", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_of_a_mail_program_needs_nothing_but_the_address(
    client: FlaskClient, ada: Subscriber, weekly: Newsletter, encoding: str
) -> None:
    url = leave_url(ada, weekly)

    answers = [client.post(url, data={"List-Unsubscribe": "One-Click"}, content_type=encoding) for _ in range(3)]

    assert {(answer.status_code, answer.data) for answer in answers} == {(200, b"You have left.\n")}
    assert not any(answer.headers.getlist("Set-Cookie") for answer in answers)
    assert standing(ada) == {"weekly": False, "daily": True}
    events = db.session.scalars(select(ConsentEvent)).all()
    assert [(event.kind, event.detail) for event in events] == [
        (ConsentKind.LEFT, {"mailing_id": MAILING, "way": "one-click"})
    ]


def test_one_click_without_any_body_works_too(client: FlaskClient, ada: Subscriber, weekly: Newsletter) -> None:
    assert client.post(leave_url(ada, weekly)).status_code == 200
    assert standing(ada)["weekly"] is False


def test_who_left_gets_no_more_of_a_mailing_on_its_way(
    client: FlaskClient, ada: Subscriber, weekly: Newsletter
) -> None:
    reachable = select(Subscriber.id).where(Subscriber.may_be_mailed(weekly.id))
    assert db.session.scalars(reachable).all() == [ada.id]

    client.post(leave_url(ada, weekly))

    assert db.session.scalars(reachable).all() == []


def test_undo_on_the_same_page_brings_back_exactly_what_was_left(
    client: FlaskClient, ada: Subscriber, weekly: Newsletter
) -> None:
    page = client.post(leave_url(ada, weekly), data={"scope": "one"})
    undo = button_in(page, "undo")

    assert client.get(undo).status_code == 200
    assert standing(ada)["weekly"] is False

    assert "You are back" in client.post(undo).text
    assert standing(ada) == {"weekly": True, "daily": True}


def test_an_old_undo_does_not_undo_a_later_leaving(client: FlaskClient, ada: Subscriber, weekly: Newsletter) -> None:
    undo = button_in(client.post(leave_url(ada, weekly), data={"scope": "one"}), "undo")
    client.post(undo)
    client.post(leave_url(ada, weekly))

    page = client.post(undo)

    assert "Nothing to undo any more" in page.text
    assert standing(ada)["weekly"] is False


def test_undo_ends_after_a_day(client: FlaskClient, ada: Subscriber, weekly: Newsletter) -> None:
    undo = button_in(client.post(leave_url(ada, weekly), data={"scope": "one"}), "undo")

    with time_machine.travel(clock.now() + timedelta(hours=25)):
        client.post(undo)

    assert standing(ada)["weekly"] is False


def test_a_reason_is_kept_where_the_author_looks(client: FlaskClient, ada: Subscriber, weekly: Newsletter) -> None:
    page = client.post(leave_url(ada, weekly), data={"scope": "one"})

    thanks = client.post(button_in(page, "undo") + "/reason", data={"reason": "Too <many>\r\nletters. " + "x" * 900})

    left = db.session.scalars(select(Subscription).where(Subscription.left_at.is_not(None))).one()
    assert "Thank you" in thanks.text
    assert left.reason.startswith("Too <many> letters. xxx")
    assert len(left.reason) == 500


def test_links_in_ten_year_old_letters_still_work(client: FlaskClient, ada: Subscriber, weekly: Newsletter) -> None:
    url = leave_url(ada, weekly)

    with time_machine.travel(clock.now() + timedelta(days=3650)):
        client.post(url)

    assert standing(ada)["weekly"] is False


@pytest.mark.parametrize("state", ["paused", "suppressed", "erased", "gone"])
def test_leaving_works_for_readers_in_every_state(
    client: FlaskClient, ada: Subscriber, weekly: Newsletter, state: str
) -> None:
    url = leave_url(ada, weekly)
    if state == "paused":
        ada.paused_until = clock.now() + timedelta(days=9)
    elif state == "suppressed":
        suppression.suppress("ada@example.com", SuppressionReason.BOUNCED)
    elif state == "erased":
        erasure.forget(ada)
    else:
        db.session.delete(ada)
    db.session.commit()

    assert client.get(url).status_code == 200
    assert client.post(url).data == b"You have left.\n"
    assert "You have left The Weekly" in client.post(url, data={"scope": "one"}).text
    assert not standing(ada).get("weekly", False)


def test_what_is_no_link_of_ours_gets_the_same_quiet_page(
    client: FlaskClient, ada: Subscriber, weekly: Newsletter
) -> None:
    token = leave_url(ada, weekly).rpartition("/")[2]

    pages = [
        client.open(f"/leave/{wrong}", method=method)
        for method in ("GET", "POST")
        for wrong in (token[:-2], "x" * len(token), "1", "%00", token + "aa")
    ]

    assert {page.data for page in pages} == {pages[0].data}
    assert [page.status_code for page in pages] == [200] * 5 + [404] * 5  # a mail program must see that it failed
    assert "did not reach us whole" in pages[0].text
    assert standing(ada)["weekly"] is True


def test_a_mail_to_the_leave_address_is_enough(ada: Subscriber, weekly: Newsletter) -> None:
    mailto = letters.Values(letters.home(weekly), MAILING).of(ada, "m1").unsubscribe_mailto
    assert mailto
    address = mailto.partition("?")[0]

    assert preferences.leave_by_mail(address.upper())

    assert standing(ada) == {"weekly": False, "daily": True}
    assert preferences.leave_by_mail(address)
    assert not preferences.leave_by_mail("leave+aaaaaaaa@letters.example.org")
    assert not preferences.leave_by_mail("ken@letters.example.org")


def test_the_leave_address_fits_into_a_mailbox_name_whatever_the_numbers(weekly: Newsletter) -> None:
    class Far:
        id = 2**40
        email = "ada@example.com"
        name = ""

    values = letters.Values(letters.Home(2**24, "letters.example.org"), 2**32).of(Far(), "m1")

    assert values.unsubscribe_mailto
    assert len(values.unsubscribe_mailto.partition("@")[0]) <= 64


def test_someone_who_left_is_shown_as_left(client: FlaskClient, weekly: Newsletter) -> None:
    linus = cast.linus()

    client.post(leave_url(linus, weekly))

    assert linus.state is SubscriberState.LEFT
    assert db.session.scalars(select(ConsentEvent)).all() == []
