"""Watching a mailing, and having a say in it."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter import clock
from newsletter.admin import sends
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.publication.models import Newsletter
from newsletter.sending import queries, start
from newsletter.sending.models import Chunk, Delivery, Mailing, MailingState, Outcome, Waiting
from newsletter.subscribers.models import Subscriber
from tests import factories
from tests.admin.conftest import seen
from tests.doubles import JobQueue, Outbox


@pytest.fixture
def mailing(weekly: Newsletter) -> Mailing:
    """On its way to ten readers."""
    for number in range(10):
        factories.subscriber(f"reader{number}@example.com", on=[weekly])
    post = factories.post(title="On slow mail", newsletter=weekly)
    publishing.schedule(post, clock.now() - timedelta(seconds=1), "Europe/Berlin")
    db.session.flush()
    started = start.start(post.id)
    assert started is not None
    db.session.commit()
    return started


def record(mailing: Mailing, *outcomes: tuple[Outcome, str]) -> None:
    """What the worker would have written for the first readers."""
    chunk = db.session.scalars(select(Chunk).where(Chunk.mailing_id == mailing.id)).one()
    for reader_id, (outcome, reply) in zip(chunk.reader_ids, outcomes, strict=False):
        db.session.add(Delivery(mailing_id=mailing.id, subscriber_id=reader_id, outcome=outcome, reply=reply))
        setattr(chunk, outcome.value, getattr(chunk, outcome.value) + 1)
    db.session.commit()


def finish(mailing: Mailing) -> None:
    db.session.execute(update(Mailing).values(state=MailingState.FINISHED, finished_at=clock.now()))
    db.session.commit()


def state_of(mailing: Mailing) -> MailingState:
    db.session.expire_all()
    return db.session.get_one(Mailing, mailing.id).state


def test_a_mailing_is_told_in_numbers_that_add_up(desk: FlaskClient, mailing: Mailing) -> None:
    record(
        mailing,
        (Outcome.ACCEPTED, "250"),
        (Outcome.ACCEPTED, "250"),
        (Outcome.REFUSED, "550 5.1.1 no such user"),
        (Outcome.UNCONFIRMED, "The connection broke."),
    )

    page = seen(desk.get(f"/desk/sends/{mailing.id}"))

    assert "2 accepted of 10 due" in page
    assert "Remaining 6" in page
    assert "Refused: 1 of 10" in page
    assert "550 5.1.1 no such user" in page
    assert "1 message is unconfirmed" in page
    assert "a minute" in page


def test_the_fragment_is_the_page_without_its_frame(desk: FlaskClient, mailing: Mailing) -> None:
    fragment = desk.get(f"/desk/sends/{mailing.id}/progress")

    assert "<html" not in fragment.text
    assert "0 accepted of 10 due" in seen(fragment)
    assert 'data-over="no"' in fragment.text


def test_without_javascript_the_page_refreshes_until_it_is_over(desk: FlaskClient, mailing: Mailing) -> None:
    under_way = desk.get(f"/desk/sends/{mailing.id}").text
    finish(mailing)
    over = desk.get(f"/desk/sends/{mailing.id}").text

    assert '<noscript><meta http-equiv="refresh"' in under_way
    assert "http-equiv" not in over


def test_what_a_mail_server_says_is_shown_as_words(desk: FlaskClient, mailing: Mailing) -> None:
    record(mailing, (Outcome.REFUSED, "550 <script>alert(1)</script> <img src=x onerror=alert(1)>"))
    db.session.execute(update(Mailing).values(trouble="421 <b>busy</b>", trouble_at=clock.now()))
    db.session.commit()

    for path in (f"/desk/sends/{mailing.id}", f"/desk/sends/{mailing.id}/refused", "/desk/readers/1"):
        page = desk.get(path)
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "&lt;script&gt;" in page.text
    assert "421 <b>busy</b>" in seen(desk.get(f"/desk/sends/{mailing.id}"))


def test_readers_who_wait_are_listed_with_the_next_try(desk: FlaskClient, mailing: Mailing) -> None:
    chunk = db.session.scalars(select(Chunk)).one()
    db.session.add(
        Waiting(
            mailing_id=mailing.id,
            subscriber_id=chunk.reader_ids[0],
            chunk_id=chunk.id,
            send_after=clock.now() + timedelta(minutes=5, seconds=20),
            reply="451 try later",
        )
    )
    db.session.commit()

    page = seen(desk.get(f"/desk/sends/{mailing.id}/waiting"))

    assert "1 of 10 due" in page
    assert "reader0@example.com 451 try later in 5 min" in page


def test_a_long_list_of_refused_readers_is_paged(
    desk: FlaskClient, mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sends, "ON_A_PAGE", 4)
    record(mailing, *[(Outcome.REFUSED, "550 no")] * 10)

    shown: list[str] = []
    after = 0
    while page := desk.get(f"/desk/sends/{mailing.id}/refused?after={after}").text:
        shown += [f"reader{number}@example.com" for number in range(10) if f">reader{number}@example.com<" in page]
        if "after=" not in page:
            break
        after = int(page.split("after=")[1].split('"')[0])

    assert shown == [f"reader{number}@example.com" for number in range(10)]


def test_a_mailing_pauses_goes_on_and_stops(desk: FlaskClient, mailing: Mailing) -> None:
    desk.post(f"/desk/sends/{mailing.id}/pause")
    assert state_of(mailing) is MailingState.PAUSED
    assert "Paused since" in seen(desk.get(f"/desk/sends/{mailing.id}"))

    desk.post(f"/desk/sends/{mailing.id}/go-on")
    assert state_of(mailing) is MailingState.SENDING

    desk.post(f"/desk/sends/{mailing.id}/stop")
    assert state_of(mailing) is MailingState.STOPPED


def test_what_cannot_be_done_any_more_is_refused_in_words(desk: FlaskClient, mailing: Mailing) -> None:
    finish(mailing)

    answer = desk.post(f"/desk/sends/{mailing.id}/pause")

    assert answer.status_code == 409
    assert state_of(mailing) is MailingState.FINISHED


def test_a_finished_mailing_says_so_and_what_is_left_to_decide(desk: FlaskClient, mailing: Mailing) -> None:
    record(mailing, *[(Outcome.ACCEPTED, "250")] * 8, (Outcome.UNCONFIRMED, "broke"), (Outcome.REFUSED, "550"))
    finish(mailing)

    page = seen(desk.get(f"/desk/sends/{mailing.id}"))

    assert "Every one of the 10 readers due has an outcome" in page
    assert "Send to those not reached" in page
    assert "See who Send again Leave as is" in page


def test_the_unconfirmed_stay_as_they_are_when_the_author_says_so(
    desk: FlaskClient, mailing: Mailing, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    record(mailing, *[(Outcome.ACCEPTED, "250")] * 9, (Outcome.UNCONFIRMED, "broke"))
    finish(mailing)

    desk.post(f"/desk/sends/{mailing.id}/doubts")
    jobs_queue.run()

    page = seen(desk.get(f"/desk/sends/{mailing.id}"))
    assert "You have decided about them" in page
    assert "Send again" not in page
    assert len(outbox) == 0


def test_the_unconfirmed_get_it_again_when_the_author_says_so(
    desk: FlaskClient, mailing: Mailing, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    record(mailing, *[(Outcome.ACCEPTED, "250")] * 9, (Outcome.UNCONFIRMED, "broke"))
    finish(mailing)

    answer = desk.post(f"/desk/sends/{mailing.id}/doubts", data={"resend": "yes"}, follow_redirects=True)
    jobs_queue.run()

    assert "A new mailing with the same message" in seen(answer)
    assert outbox.addresses == ["reader9@example.com"]


def test_who_was_not_reached_can_be_sent_to_once(
    desk: FlaskClient, mailing: Mailing, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    record(mailing, *[(Outcome.ACCEPTED, "250")] * 8, (Outcome.REFUSED, "550"), (Outcome.EXPIRED, "451"))
    finish(mailing)

    for _ in range(2):
        desk.post(f"/desk/sends/{mailing.id}/unreached")
    jobs_queue.run()

    assert sorted(outbox.addresses) == ["reader8@example.com", "reader9@example.com"]


def test_the_list_of_sends_says_how_each_one_stands(desk: FlaskClient, mailing: Mailing) -> None:
    record(mailing, *[(Outcome.ACCEPTED, "250")] * 7)

    page = seen(desk.get("/desk/sends"))

    assert "On slow mail" in page
    assert "7 of 10" in page


def test_a_real_mailing_is_watched_from_start_to_end(
    desk: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    for number in range(3):
        factories.subscriber(f"reader{number}@example.com", on=[weekly])
    post = factories.post()
    db.session.commit()

    desk.post(f"/desk/posts/{post.id}/schedule", data={"when": "now"})
    jobs_queue.run()

    page = seen(desk.get(f"/desk/sends/{db.session.scalars(select(Mailing.id)).one()}"))
    assert "3 accepted of 3 due" in page
    assert "Finished today" in page
    assert "it is “accepted”" in page


def test_a_post_that_is_about_to_start_is_in_the_list_already(desk: FlaskClient, weekly: Newsletter) -> None:
    post = factories.post(title="On slow mail", newsletter=weekly)
    db.session.commit()

    desk.post(f"/desk/posts/{post.id}/schedule", data={"when": "now"})
    page = desk.get("/desk/sends")

    assert "On slow mail Starting within a minute" in seen(page)
    assert 'data-over="no"' in page.text
    assert 'data-over="no"' in desk.get("/desk/sends/now").text


def test_a_reader_who_was_erased_is_a_number(desk: FlaskClient, mailing: Mailing) -> None:
    record(mailing, (Outcome.REFUSED, "550 no"))
    db.session.execute(update(Subscriber).where(Subscriber.id == 1).values(email=None, email_key=None, name=""))
    db.session.commit()

    assert "erased reader 1" in seen(desk.get(f"/desk/sends/{mailing.id}/refused"))


@pytest.mark.parametrize("path", ["/desk/sends/99", "/desk/sends/99/progress", "/desk/posts/99", "/desk/readers/99"])
def test_what_is_not_there_is_said_plainly(desk: FlaskClient, path: str) -> None:
    answer = desk.get(path)

    assert answer.status_code == 404
    assert "There is no such" in seen(answer)


def test_every_part_of_the_bar_can_be_seen_and_none_sticks_out(mailing: Mailing) -> None:
    record(mailing, *[(Outcome.ACCEPTED, "250")] * 8, (Outcome.REFUSED, "550"), (Outcome.UNCONFIRMED, "?"))

    bar = sends.parts(queries.progress(mailing.id))

    assert [(part.kind, part.count) for part in bar] == [("accepted", 8), ("unconfirmed", 1), ("refused", 1)]
    assert all(part.width >= 4 for part in bar)
    assert bar[-1].start + bar[-1].width <= 1000.1
