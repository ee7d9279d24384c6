"""What is in doubt, is proved, handed back, or sent once more."""

import threading

from flask import Flask
from sqlalchemy import text

from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import control, doubts, journal, ledger, queries
from newsletter.sending.models import MailingState
from tests.doubles import JobQueue, Outbox
from tests.sending import doubtful
from worker import tasks
from worker.transports import NoAnswer

ADA, GRACE = "ada@example.com", "grace@example.com"


def test_a_doubt_remembers_where_it_was_handed_over(jobs_queue: JobQueue, outbox: Outbox) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)

    (found,) = doubts.unsettled(doubtful.HOUR / 60, doubtful.HOUR, doubtful.HOUR * 24)

    assert found.host == journal.host()
    assert found.message_id.startswith("m1.")
    assert "broke off" in found.reply


def test_what_is_proved_becomes_accepted_with_words_and_once(jobs_queue: JobQueue, outbox: Outbox) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)

    settled = [doubts.prove(1, {1: "It is in the log.", 2: "Nonsense."}) for _ in range(2)]
    db.session.commit()

    told = queries.progress(1)
    assert settled == [1, 0]
    assert (told.accepted, told.unconfirmed) == (2, 0)
    (line,) = queries.history_of(1)
    assert line.reply == "It is in the log."


def test_what_is_handed_back_goes_out_again_as_the_same_message(jobs_queue: JobQueue, outbox: Outbox) -> None:
    mailing = doubtful.mailing(jobs_queue, outbox, ADA, GRACE)

    assert doubts.hand_back(1, [1, 2]) == 2
    db.session.commit()
    assert (mailing.state, mailing.finished_at) == (MailingState.SENDING, None)
    tasks.run(Job.DELIVER, 1)

    db.session.refresh(mailing)
    assert mailing.state is MailingState.FINISHED
    assert doubtful.outcomes() == {1: "accepted", 2: "accepted"}
    assert sorted(outbox.addresses) == [ADA, GRACE]
    assert str(outbox.to(ADA)[0]["Message-ID"]).startswith("<m1.")


def test_who_left_meanwhile_gets_nothing_more(jobs_queue: JobQueue, outbox: Outbox) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    db.session.execute(text("UPDATE subscription SET left_at = now() WHERE subscriber_id = 1"))

    doubts.hand_back(1, [1])
    db.session.commit()
    tasks.run(Job.DELIVER, 1)

    assert outbox.to(ADA) == []
    assert doubtful.outcomes()[1] == "skipped"


def test_nothing_is_handed_back_that_the_author_has_ended(jobs_queue: JobQueue, outbox: Outbox) -> None:
    mailing = doubtful.mailing(jobs_queue, outbox, ADA)

    control.leave_doubtful(mailing)
    db.session.commit()
    assert doubts.hand_back(1, [1]) == 0
    db.session.execute(text("UPDATE mailing SET doubts_settled_at = NULL, state = 'stopped'"))
    assert doubts.hand_back(1, [1]) == 0
    assert doubts.unsettled(doubtful.HOUR / 60, doubtful.HOUR, doubtful.HOUR * 24) == []


def test_a_guess_is_made_once_and_never_twice(jobs_queue: JobQueue, outbox: Outbox) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    first = doubts.hand_back(1, [1], by_guess=True)
    db.session.commit()
    outbox.answers[ADA] = [NoAnswer("Again.")]
    tasks.run(Job.DELIVER, 1)

    assert first == 1
    assert doubts.unjudged(doubtful.HOUR * 0, by_log=False) == {}
    assert doubts.hand_back(1, [1], by_guess=True) == 0
    assert doubtful.outcomes()[1] == "unconfirmed"


def test_two_at_once_hand_back_once(app: Flask, jobs_queue: JobQueue, outbox: Outbox) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA, GRACE)
    found: list[int] = []

    def hand_back() -> None:
        with app.app_context():
            found.append(doubts.hand_back(1, [1, 2]))
            db.session.commit()

    threads = [threading.Thread(target=hand_back) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    told = queries.progress(1)
    assert sorted(found) == [0, 0, 0, 2]
    assert (told.unconfirmed, told.remaining) == (0, 2)


def test_a_mailing_does_not_finish_over_a_chunk_that_is_opened_again(
    app: Flask, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    db.session.execute(text("UPDATE mailing SET state = 'sending', finished_at = NULL"))
    db.session.commit()
    finished: list[bool] = []

    def finish() -> None:
        with app.app_context():
            finished.append(ledger.finish(1))

    doubts.hand_back(1, [1])  # not committed yet: the other one still sees everything done
    thread = threading.Thread(target=finish)
    thread.start()
    thread.join(1)
    assert thread.is_alive(), "it did not wait for the row"
    db.session.commit()
    thread.join()

    assert finished == [False]
    assert queries.progress(1).finished_at is None
