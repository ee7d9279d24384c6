"""What a reader changes without signing in, and what it takes a fresh code for."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter import clock
from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.subscribers import letters, suppression
from newsletter.subscribers.models import Code, ConsentEvent, ConsentKind, Notice, Subscriber, SubscriberState
from newsletter.tiers.models import Membership
from tests import cast, factories
from tests.doubles import JobQueue, Outbox
from tests.public.steps import code_in, link_in, subscribe

NEW = "ada@new.example.com"


@pytest.fixture
def ada(weekly: Newsletter, daily: Newsletter) -> Subscriber:
    reader = factories.subscriber("ada@example.com", on=[weekly], name="Ada Lovelace")
    db.session.commit()
    return reader


@pytest.fixture
def page(ada: Subscriber) -> str:
    return letters.preferences_url(ada.id)


def fresh(reader: Subscriber) -> Subscriber:
    db.session.expire_all()
    return db.session.get_one(Subscriber, reader.id)


def test_the_page_shows_choices_and_nothing_that_a_forwarded_letter_should_not_show(
    client: FlaskClient, page: str
) -> None:
    shown = client.get(page).text

    assert "The Weekly" in shown
    assert "The Daily" in shown
    assert "a•••@example.com" in shown
    assert "ada@example.com" not in shown
    assert "Lovelace" not in shown


def test_a_reader_chooses_newsletters(client: FlaskClient, ada: Subscriber, page: str) -> None:
    answer = client.post(f"{page}/newsletters", data={"newsletter": ["daily"]}, follow_redirects=True)

    assert "Saved. This is what you get from now on." in answer.text
    assert [each.slug for each in fresh(ada).newsletters] == ["daily"]
    kinds = db.session.scalars(select(ConsentEvent.kind).order_by(ConsentEvent.id)).all()
    assert kinds == [ConsentKind.LEFT, ConsentKind.CHANGED]


def test_unticking_all_is_leaving(client: FlaskClient, ada: Subscriber, page: str) -> None:
    client.post(f"{page}/newsletters", data={})

    assert fresh(ada).state is SubscriberState.LEFT


def test_a_reader_changes_or_removes_the_name(client: FlaskClient, ada: Subscriber, page: str) -> None:
    client.post(f"{page}/name", data={"name": " Ada\r\nKing "})
    assert fresh(ada).name == "Ada King"

    client.post(f"{page}/name", data={"name": ""})
    assert fresh(ada).name == ""


def test_a_reader_pauses_until_a_day_and_resumes(client: FlaskClient, ada: Subscriber, page: str) -> None:
    with time_machine.travel(datetime(2026, 12, 31, 12, tzinfo=ZoneInfo("Europe/Berlin")), tick=False):
        answer = client.post(f"{page}/pause", data={"until": "date", "date": "2027-03-03"}, follow_redirects=True)

        assert "You are paused until 3 March 2027." in answer.text
        assert fresh(ada).paused_until == datetime(2027, 3, 3, tzinfo=ZoneInfo("Europe/Berlin"))
        assert fresh(ada).state is SubscriberState.PAUSED

        client.post(f"{page}/resume")
        assert fresh(ada).state is SubscriberState.ACTIVE


def test_a_month_from_the_last_of_january_is_the_last_of_february(
    client: FlaskClient, ada: Subscriber, page: str
) -> None:
    with time_machine.travel(datetime(2027, 1, 31, 12, tzinfo=ZoneInfo("Europe/Berlin"))):
        client.post(f"{page}/pause", data={"until": "1", "date": ""})

    assert fresh(ada).paused_until == datetime(2027, 2, 28, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize("choice", [{}, {"date": "tomorrow"}, {"date": "2001-01-01"}, {"date": "2999-01-01"}])
def test_a_pause_that_makes_no_sense_is_refused_in_words(
    client: FlaskClient, ada: Subscriber, page: str, choice: dict[str, str]
) -> None:
    answer = client.post(f"{page}/pause", data={"until": "date", **choice})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert fresh(ada).paused_until is None


def test_an_address_changes_by_the_code_mailed_to_the_new_one(
    client: FlaskClient, ada: Subscriber, page: str, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    asked = client.post(f"{page}/address", data={"email": NEW}, follow_redirects=True)
    jobs_queue.run()
    assert "a•••@new.example.com" in asked.text
    assert outbox.addresses == [NEW]
    assert fresh(ada).email == "ada@example.com"

    client.post(f"{page}/address/code", data={"code": code_in(outbox[0])})
    jobs_queue.run()

    assert fresh(ada).email == NEW
    assert outbox.addresses == [NEW, "ada@example.com"]
    assert NEW not in str(outbox[1])
    assert fresh(ada).state is SubscriberState.ACTIVE


def test_the_old_mailbox_takes_a_change_back(
    client: FlaskClient, ada: Subscriber, page: str, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    client.post(f"{page}/address", data={"email": NEW})
    jobs_queue.run()
    client.post(f"{page}/address/code", data={"code": code_in(outbox[0])})
    jobs_queue.run()
    undo = link_in(outbox[1], "address")

    assert "Was it not you?" in client.get(undo).text
    assert fresh(ada).email == NEW

    assert client.post(undo).status_code == client.post(undo).status_code == 200
    assert fresh(ada).email == "ada@example.com"


def test_whoever_moved_the_address_cannot_erase_or_move_on_while_it_can_be_taken_back(
    client: FlaskClient, ada: Subscriber, page: str, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    client.post(f"{page}/address", data={"email": NEW})
    jobs_queue.run()
    client.post(f"{page}/address/code", data={"code": code_in(outbox[0])})

    assert client.post(f"{page}/erase").status_code == 409
    assert client.post(f"{page}/address", data={"email": "eve@example.com"}).status_code == 409

    with time_machine.travel(clock.now() + timedelta(days=8)):
        assert client.post(f"{page}/erase").status_code == 303


def test_a_code_is_void_after_five_wrong_ones(
    client: FlaskClient, ada: Subscriber, page: str, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    client.post(f"{page}/address", data={"email": NEW})
    jobs_queue.run()
    code = code_in(outbox[0])
    wrong = f"{(int(code) + 1) % 10**6:06}"

    answers = [client.post(f"{page}/address/code", data={"code": wrong}) for _ in range(5)]
    assert "4 more tries" in answers[0].text
    assert {answer.status_code for answer in answers} == {422}

    assert client.post(f"{page}/address/code", data={"code": code}).status_code == 422
    assert fresh(ada).email == "ada@example.com"


def test_a_code_works_once_in_its_minutes_for_its_purpose(
    client: FlaskClient, ada: Subscriber, page: str, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    client.post(f"{page}/address", data={"email": NEW})
    jobs_queue.run()
    code = code_in(outbox[0])

    assert client.post(f"{page}/erase/code", data={"code": code}).status_code == 422
    with time_machine.travel(clock.now() + timedelta(minutes=16)):
        assert client.post(f"{page}/address/code", data={"code": code}).status_code == 422
    assert client.post(f"{page}/address/code", data={"code": f" {code[:3]} {code[3:]} "}).status_code == 303
    assert client.post(f"{page}/address/code", data={"code": code}).status_code == 422


def test_three_codes_a_day_are_enough(client: FlaskClient, page: str, jobs_queue: JobQueue, outbox: Outbox) -> None:
    answers = [client.post(f"{page}/address", data={"email": f"victim{n}@example.com"}) for n in range(5)]
    jobs_queue.run()

    assert [answer.status_code for answer in answers] == [303, 303, 303, 429, 429]
    assert len(outbox) == 3


def test_codes_are_kept_as_hashes_and_forgotten_once_mailed(
    client: FlaskClient, page: str, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    client.post(f"{page}/erase")
    jobs_queue.run()

    code, notice = code_in(outbox[0]), db.session.scalars(select(Notice)).one()
    assert code.encode() not in db.session.scalars(select(Code.code_hash)).one()
    assert notice.message is None
    assert "code" not in notice.values


def test_an_address_that_reads_us_already_cannot_be_taken_over(
    client: FlaskClient, ada: Subscriber, page: str, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.grace()
    db.session.commit()

    asked = client.post(f"{page}/address", data={"email": "grace@example.com"})
    jobs_queue.run()
    answer = client.post(f"{page}/address/code", data={"code": code_in(outbox[0])})

    assert asked.status_code == 303  # says nothing about who is on the list
    assert answer.status_code == 409
    assert fresh(ada).email == "ada@example.com"


def test_an_unconfirmed_request_gives_way_to_who_reads_that_mailbox(
    client: FlaskClient, ada: Subscriber, page: str, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, NEW)
    client.post(f"{page}/address", data={"email": NEW})
    jobs_queue.run()

    client.post(f"{page}/address/code", data={"code": code_in(outbox[1])})

    assert fresh(ada).email == NEW
    assert db.session.scalar(select(func.count()).select_from(Subscriber)) == 1


def test_erasing_takes_a_code_and_leaves_a_nameless_number(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    grace = cast.grace()
    db.session.add(
        ConsentEvent(subscriber_id=grace.id, kind=ConsentKind.ASKED, network="203.0.113.0/24", user_agent="Lynx")
    )
    db.session.commit()
    page = letters.preferences_url(grace.id)

    client.post(f"{page}/erase")
    jobs_queue.run()
    answer = client.post(f"{page}/erase/code", data={"code": code_in(outbox[0])})

    gone = fresh(grace)
    assert "You are forgotten" in answer.text
    assert gone.state is SubscriberState.ERASED
    assert (gone.email, gone.email_key, gone.name, gone.subscriptions, gone.tags) == (None, None, "", [], [])
    assert suppression.is_suppressed("grace@example.com")
    for emptied in (Membership, Notice, Code):
        assert db.session.scalar(select(func.count()).select_from(emptied)) == 0
    events = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)).all()
    assert [event.kind for event in events] == [ConsentKind.ASKED, ConsentKind.ERASED]
    assert {(event.network, event.user_agent, event.form_url) for event in events} == {("", "", "")}
    assert client.get(page).status_code == 404


def test_nothing_is_mailed_to_who_was_erased(
    client: FlaskClient, ada: Subscriber, page: str, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    client.post(f"{page}/erase")
    jobs_queue.run()
    client.post(f"{page}/erase/code", data={"code": code_in(outbox[0])})

    subscribe(client, "ada@example.com")
    jobs_queue.run()

    assert len(outbox) == 1


def test_a_pending_reader_does_not_confirm_by_choosing(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    subscribe(client, "linus@example.com")
    jobs_queue.run()
    linus = Subscriber.by_key("linus@example.com")
    assert linus

    client.post(f"{letters.preferences_url(linus.id)}/newsletters", data={"newsletter": "weekly"})

    assert fresh(linus).confirmed_at is None
