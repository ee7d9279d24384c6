"""From the form to the list: only by the button behind the link in the mail."""

from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from newsletter import clock
from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.subscribers import suppression
from newsletter.subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Notice,
    NoticeState,
    Subscriber,
    SubscriberState,
    SuppressionReason,
)
from tests import cast
from tests.doubles import JobQueue, Outbox, text_of
from tests.public.steps import form_token, link_in, subscribe


def events(subscriber: Subscriber) -> list[ConsentEvent]:
    query = select(ConsentEvent).where(ConsentEvent.subscriber_id == subscriber.id).order_by(ConsentEvent.id)
    return list(db.session.scalars(query))


def the(email: str) -> Subscriber:
    db.session.expire_all()
    found = Subscriber.by_key(email)
    assert found
    return found


def test_a_reader_confirms_by_the_button_behind_the_link(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    answer = subscribe(client, "Ada@Example.com", name="Ada")
    jobs_queue.run()

    assert answer.status_code == 303
    assert answer.location == "/subscribe/inbox"
    assert the("ada@example.com").state is SubscriberState.PENDING

    link = link_in(outbox[0], "confirm")
    assert "Yes, send it to me" in client.get(link).text
    assert the("ada@example.com").state is SubscriberState.PENDING

    page = client.post(link)
    jobs_queue.run()

    ada = the("ada@example.com")
    assert "You are on the list" in page.text
    assert ada.state is SubscriberState.ACTIVE
    assert (ada.email, ada.name) == ("Ada@example.com", "Ada")
    assert [message["Subject"] for message in outbox.to("Ada@example.com")] == [
        "Confirm that you want The Weekly",
        "Welcome to The Weekly",
    ]


def test_pressing_the_button_twice_says_the_same_and_welcomes_once(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, "ada@example.com")
    jobs_queue.run()
    link = link_in(outbox[0], "confirm")

    first, second = client.post(link), client.post(link)
    jobs_queue.run()

    assert first.data == second.data
    assert len(outbox) == 2
    assert [event.kind for event in events(the("ada@example.com"))] == [ConsentKind.ASKED, ConsentKind.CONFIRMED]


def test_an_old_link_does_not_bring_back_who_has_left_since(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, "ada@example.com")
    jobs_queue.run()
    link = link_in(outbox[0], "confirm")
    client.post(link)
    jobs_queue.run()
    client.post(link_in(outbox[1], "leave"))

    page = client.post(link)

    assert "You have left since" in page.text
    assert the("ada@example.com").state is SubscriberState.LEFT


def test_the_proof_of_consent_keeps_what_was_seen_and_little_of_who_saw_it(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    client.post(
        "/subscribe",
        data={"email": "ada@example.com", "newsletter": "weekly", "token": form_token()},
        headers={"Referer": "http://letters.example.org/p/on-slow-mail", "User-Agent": "Lynx/2.9"},
        environ_base={"REMOTE_ADDR": "203.0.113.77"},
    )
    jobs_queue.run()
    client.post(link_in(outbox[0], "confirm"), environ_base={"REMOTE_ADDR": "2001:db8:1:2::7"})

    asked, confirmed = events(the("ada@example.com"))
    page = client.get("/").text
    assert asked.wording in page
    assert "The Weekly from Slow Letters by email" in asked.wording
    assert asked.newsletter_ids == [weekly.id]
    assert asked.form_url == "http://letters.example.org/p/on-slow-mail"
    assert (asked.network, asked.user_agent) == ("203.0.113.0/24", "Lynx/2.9")
    assert confirmed.network == "2001:db8:1::/48"
    assert f"<{confirmed.detail['message_id']}@letters.example.org>" == outbox[0]["Message-ID"]


def test_the_mail_carries_nothing_that_a_stranger_typed(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, "ada@example.com", name="WIN A PRIZE\r\nBcc: linus@example.com")
    jobs_queue.run()

    assert b"PRIZE" not in outbox.received[0][1]
    assert b"Bcc" not in outbox.received[0][1]
    assert outbox.addresses == ["ada@example.com"]


def test_a_name_with_line_ends_becomes_one_line(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, "ada@example.com", name="Ada\r\nBcc: linus@example.com\u2028<b>")
    jobs_queue.run()
    client.post(link_in(outbox[0], "confirm"))

    assert the("ada@example.com").name == "Ada Bcc: linus@example.com <b>"


def test_one_address_gets_one_message_a_day_whatever_is_asked_for(
    client: FlaskClient, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    for spelling in ("ada@example.com", "ADA@example.com", "Ada@EXAMPLE.com"):
        subscribe(client, spelling, "weekly")
        subscribe(client, spelling, "daily")
    jobs_queue.run()
    assert len(outbox) == 1

    with time_machine.travel(clock.now() + timedelta(hours=25)):
        subscribe(client, "ada@example.com", "daily")
        jobs_queue.run()
    assert len(outbox) == 2


def test_who_never_answers_is_left_in_peace_after_the_third_message(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    for days in range(6):
        with time_machine.travel(clock.now() + timedelta(days=2 * days)):
            subscribe(client, "ada@example.com")
            jobs_queue.run()

    assert len(outbox) == 3


def test_the_link_is_good_for_seven_days_and_then_offers_the_form(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, "ada@example.com")
    jobs_queue.run()
    link = link_in(outbox[0], "confirm")

    with time_machine.travel(clock.now() + timedelta(days=8)):
        for page in (client.get(link), client.post(link)):
            assert page.status_code == 410
            assert "seven days" in page.text
            assert 'action="/subscribe"' in page.text
    assert the("ada@example.com").confirmed_at is None


def test_a_reader_who_asks_again_is_told_that_all_is_well(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.ada()
    db.session.commit()

    subscribe(client, "ada@example.com")
    jobs_queue.run()

    assert outbox[0]["Subject"] == "You already get The Weekly"
    assert client.get(link_in(outbox[0], "preferences")).status_code == 200


def test_a_reader_who_asks_for_one_more_gets_it_by_confirming_and_not_before(
    client: FlaskClient, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.ada()
    db.session.commit()

    subscribe(client, "ada@example.com", "weekly", "daily")
    jobs_queue.run()
    assert [each.slug for each in the("ada@example.com").newsletters] == ["weekly"]

    assert "Do you want The Daily by email?" in text_of(outbox[0])
    client.post(link_in(outbox[0], "confirm"))
    assert [each.slug for each in the("ada@example.com").newsletters] == ["weekly", "daily"]


def test_who_asked_for_two_and_confirms_one_gets_one(
    client: FlaskClient, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, "ada@example.com", "weekly")
    jobs_queue.run()
    with time_machine.travel(clock.now() + timedelta(days=2)):
        subscribe(client, "ada@example.com", "daily")
        jobs_queue.run()
        client.post(link_in(outbox[1], "confirm"))

    assert [each.slug for each in the("ada@example.com").newsletters] == ["daily"]
    client.post(link_in(outbox[0], "confirm"))
    assert [each.slug for each in the("ada@example.com").newsletters] == ["weekly", "daily"]


def test_someone_who_left_comes_back_by_confirming(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    linus = cast.linus()
    db.session.commit()

    subscribe(client, "linus@example.com")
    jobs_queue.run()
    assert linus.state is SubscriberState.LEFT

    client.post(link_in(outbox[0], "confirm"))
    assert the("linus@example.com").state is SubscriberState.ACTIVE


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_a_suppressed_address_gets_nothing_and_is_not_kept(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox, reason: SuppressionReason
) -> None:
    suppression.suppress("ada@example.com", reason, weekly.publication_id)
    db.session.commit()

    subscribe(client, "ada@example.com", name="Ada")
    jobs_queue.run()

    notice = db.session.scalars(select(Notice)).one()
    assert len(outbox) == 0
    assert Subscriber.by_key("ada@example.com") is None
    assert (notice.state, notice.address, notice.address_key, notice.values) == (NoticeState.SKIPPED, "", "", {})


def test_it_was_not_me_erases_the_request_and_bars_the_address(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, "ada@example.com")
    jobs_queue.run()
    refuse, confirm = link_in(outbox[0], "refuse"), link_in(outbox[0], "confirm")

    assert "never write to me again" in client.get(refuse).text
    assert not suppression.is_suppressed("ada@example.com")

    first, again = client.post(refuse), client.post(refuse)
    assert first.data == again.data
    assert suppression.is_suppressed("ada@example.com")
    assert Subscriber.by_key("ada@example.com") is None
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 0
    assert client.get(refuse).status_code == 200
    assert client.post(confirm).status_code == 404

    with time_machine.travel(clock.now() + timedelta(days=2)):
        subscribe(client, "ada@example.com")
        jobs_queue.run()
    assert len(outbox) == 1


def test_it_was_not_me_takes_nothing_from_who_reads_us_already(
    client: FlaskClient, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.ada()
    db.session.commit()
    subscribe(client, "ada@example.com", "daily")
    jobs_queue.run()

    assert "nothing changes for you" in client.get(link_in(outbox[0], "refuse")).text
    client.post(link_in(outbox[0], "refuse"))

    assert the("ada@example.com").state is SubscriberState.ACTIVE
    assert client.post(link_in(outbox[0], "confirm")).status_code == 404


def test_wrong_addresses_come_back_with_a_sentence_and_what_was_typed(client: FlaskClient, weekly: Newsletter) -> None:
    page = subscribe(client, "ada@@example", name="Ada <b>")

    assert page.status_code == 422
    assert 'value="ada@@example"' in page.text
    assert 'value="Ada &lt;b&gt;"' in page.text
    assert 'role="alert"' in page.text


def test_no_newsletter_chosen_is_said(client: FlaskClient, daily: Newsletter) -> None:
    fields = {"email": "ada@example.com", "token": form_token(), "offered": "weekly daily"}

    page = client.post("/subscribe", data=fields)

    assert page.status_code == 422
    assert "Choose at least one newsletter." in page.text


def test_an_archived_newsletter_cannot_be_asked_for(
    client: FlaskClient, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    daily.archived_at = clock.now()
    db.session.commit()

    subscribe(client, "ada@example.com", "daily", "weekly")
    jobs_queue.run()
    client.post(link_in(outbox[0], "confirm"))

    assert [each.slug for each in the("ada@example.com").newsletters] == ["weekly"]


def test_a_machine_that_fills_every_field_is_thanked_and_forgotten(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue
) -> None:
    human = subscribe(client, "ada@example.com")
    machine = subscribe(client, "grace@example.com", website="http://spam.example")

    assert (machine.status_code, machine.data) == (human.status_code, human.data)
    assert db.session.scalars(select(Notice.address)).all() == ["ada@example.com"]


@pytest.mark.parametrize(("age", "words"), [(0, "very quick"), (4 * 24 * 3600, "open for days")])
def test_a_form_too_fresh_or_too_old_asks_for_one_more_press_and_then_works(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, age: int, words: str
) -> None:
    page = subscribe(client, "ada@example.com", token=form_token(seconds_ago=age))
    assert page.status_code == 422
    assert words in page.text
    assert 'value="ada@example.com"' in page.text
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 0

    assert subscribe(client, "ada@example.com").status_code == 303


def test_a_confirmation_that_could_never_be_sent_may_be_asked_for_again(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, "ada@example.com")
    db.session.execute(update(Notice).values(expires_at=clock.now()))
    db.session.commit()
    jobs_queue.run()

    subscribe(client, "ada@example.com")
    jobs_queue.run()

    assert len(outbox) == 1
