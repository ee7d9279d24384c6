"""From a due post to an outcome for every reader, through the real database and the ledger."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

from newsletter import clock
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.posts import publishing
from newsletter.posts.models import PostAudience
from newsletter.sending import control, letters, queries
from newsletter.sending import start as start_mailing
from newsletter.sending.ledger import Reader
from newsletter.sending.models import Chunk, Delivery, Instance, Mailing, MailingState, Outcome, Waiting
from newsletter.subscribers import notices, suppression
from newsletter.subscribers.models import NoticeKind, Subscriber, Subscription, SuppressionReason
from newsletter.tiers.access import OPEN_TO
from tests import cast, factories
from tests.doubles import JobQueue, Outbox, text_of
from worker import tasks
from worker.transports import Deferred, NoAnswer, Refused, Unavailable

DEFERRED = Deferred("451 4.7.1 greylisted")
REFUSED = Refused("550 5.1.1 no such user")


def send_now(**given: Any) -> None:
    post = factories.post(**given)
    publishing.schedule(post, clock.now(), "Europe/Berlin")
    db.session.commit()


def the_mailing() -> Mailing:
    return db.session.scalars(select(Mailing).order_by(Mailing.id)).all()[0]


def outcomes(mailing_id: int = 1) -> dict[str, int]:
    rows = db.session.execute(
        select(Delivery.outcome, func.count()).where(Delivery.mailing_id == mailing_id).group_by(Delivery.outcome)
    )
    return {outcome.value: count for outcome, count in rows}


def chunk_is_due_now() -> None:
    db.session.execute(update(Chunk).values(send_after=func.now()))
    db.session.execute(update(Waiting).values(send_after=func.now()))
    db.session.commit()


def test_every_reader_gets_the_post_once(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada(), cast.grace(), cast.linus()
    send_now()

    jobs_queue.run()

    assert sorted(outbox.addresses) == ["ada@example.com", "grace@example.com"]
    assert "Hello Ada" in text_of(outbox.to("ada@example.com")[0])
    assert the_mailing().state is MailingState.FINISHED
    assert outcomes() == {"accepted": 2}


def test_the_same_job_five_times_mails_nobody_twice(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada(), cast.grace()
    send_now()
    for job in list(jobs_queue.waiting) * 5:
        jobs_queue.ring(job[0], *job[1])

    jobs_queue.run()

    assert sorted(outbox.addresses) == ["ada@example.com", "grace@example.com"]


def test_a_post_for_paying_readers_goes_to_nobody_else(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada(), cast.grace()
    send_now(source="---\ntitle: For supporters\nsubtitle: A secret\naudience: paying\n---\n\nThe secret.\n")

    jobs_queue.run()

    assert outbox.addresses == ["grace@example.com"]


def test_who_leaves_after_the_start_is_skipped_and_recorded(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada, _ = cast.ada(), cast.grace()
    send_now()
    start = jobs_queue.waiting.popleft()
    tasks.run(start[0], *start[1])
    db.session.execute(update(Subscription).where(Subscription.subscriber_id == ada.id).values(left_at=func.now()))
    db.session.commit()

    jobs_queue.run()

    assert outbox.addresses == ["grace@example.com"]
    assert outcomes() == {"accepted": 1, "skipped": 1}
    assert the_mailing().state is MailingState.FINISHED


def test_who_signs_up_after_the_start_is_not_in_the_audience(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    send_now()
    start = jobs_queue.waiting.popleft()
    tasks.run(start[0], *start[1])
    cast.grace()
    db.session.commit()

    jobs_queue.run()

    assert outbox.addresses == ["ada@example.com"]


def test_an_address_barred_while_it_was_being_imported_is_not_written_to(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada, _ = cast.ada(), cast.grace()
    suppression.suppress(ada.email_key or "", SuppressionReason.BOUNCED, ada.publication_id)
    db.session.execute(update(Subscriber).values(suppressed_at=None))
    send_now()

    jobs_queue.run()

    assert outbox.addresses == ["grace@example.com"]
    assert outcomes() == {"accepted": 1, "skipped": 1}


def test_a_confirmation_overtakes_a_mailing(jobs_queue: JobQueue, outbox: Outbox) -> None:
    weekly = factories.newsletter()
    for number in range(600):
        factories.subscriber(f"r{number}@example.com", on=[weekly])
    send_now()
    start = jobs_queue.waiting.popleft()
    tasks.run(start[0], *start[1])
    notices.owe(
        NoticeKind.ALREADY_SUBSCRIBED, address="ada@example.com", newsletter=weekly, values={"newsletters": [1]}
    )
    db.session.commit()

    jobs_queue.run()

    assert 0 < outbox.addresses.index("ada@example.com") < 600
    assert len(outbox) == 601


def test_a_post_that_cannot_start_keeps_no_other_waiting(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.ada()
    send_now(title="First")
    send_now(title="Second")
    start_one = start_mailing.start

    def broken(post_id: int) -> object:
        if post_id == 1:
            raise RuntimeError("a bug")
        return start_one(post_id)

    monkeypatch.setattr(start_mailing, "start", broken)
    jobs_queue.run()

    assert [message["Subject"] for message in outbox.to("ada@example.com")] == ["Second"]


def test_a_refusal_is_recorded_with_the_servers_words(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada(), cast.grace()
    outbox.answers["ada@example.com"] = [REFUSED]
    send_now()

    jobs_queue.run()

    assert outcomes() == {"accepted": 1, "refused": 1}
    assert queries.troubled(1, Outcome.REFUSED)[0].reply == "550 5.1.1 no such user"


def test_a_deferred_reader_is_tried_again_later_and_nobody_else_is(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada(), cast.grace()
    outbox.answers["ada@example.com"] = [DEFERRED]
    send_now()

    jobs_queue.run()
    progress = queries.progress(1)
    assert (progress.accepted, progress.waiting, progress.remaining, progress.is_over) == (1, 1, 0, False)
    assert queries.waiting(1)[0].at > clock.now() + timedelta(minutes=4)

    chunk_is_due_now()
    jobs_queue.ring(Job.SWEEP)
    jobs_queue.run()
    assert outbox.addresses == ["grace@example.com", "ada@example.com"]
    assert the_mailing().state is MailingState.FINISHED


def test_a_reader_deferred_past_the_deadline_is_expired(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    outbox.answers["ada@example.com"] = [DEFERRED]
    send_now()
    jobs_queue.run()

    db.session.execute(update(Mailing).values(expires_at=clock.now() - timedelta(minutes=1)))
    chunk_is_due_now()
    jobs_queue.ring(Job.SWEEP)
    jobs_queue.run()

    assert outcomes() == {"expired": 1}
    assert the_mailing().state is MailingState.FINISHED


def test_no_answer_after_the_dot_is_unconfirmed_and_never_sent_again_by_itself(
    jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.ada(), cast.grace()
    outbox.answers["ada@example.com"] = [NoAnswer("connection reset")]
    send_now()

    jobs_queue.run()

    assert outcomes() == {"accepted": 1, "unconfirmed": 1}
    assert outbox.addresses == ["grace@example.com"]


def test_the_author_may_send_the_unconfirmed_again_under_the_same_message_id(
    jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.ada(), cast.grace()
    outbox.answers["ada@example.com"] = [NoAnswer("connection reset")]
    send_now()
    jobs_queue.run()
    expected = letters.load(1).message_for(Reader(1, "ada@example.com", "Ada", "free", True)).content

    control.send_doubtful_again(the_mailing())
    control.send_doubtful_again(the_mailing())
    db.session.commit()
    jobs_queue.run()

    assert outbox.addresses == ["grace@example.com", "ada@example.com"]
    assert outbox.received[1][1] == expected
    assert the_mailing().doubts_settled_at


def test_a_server_that_is_down_delays_and_loses_nobody(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada(), cast.grace()
    outbox.answers["ada@example.com"] = [Unavailable("421 4.3.2 shutting down")]
    send_now()

    jobs_queue.run()
    assert queries.progress(1).trouble == "421 4.3.2 shutting down"
    assert outbox.addresses == []

    chunk_is_due_now()
    jobs_queue.ring(Job.SWEEP)
    jobs_queue.run()
    assert sorted(outbox.addresses) == ["ada@example.com", "grace@example.com"]
    assert queries.progress(1).trouble == ""


def test_pause_holds_everything_and_going_on_reaches_exactly_the_rest(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada(), cast.grace()
    send_now()
    start = jobs_queue.waiting.popleft()
    tasks.run(start[0], *start[1])
    control.pause(the_mailing())
    db.session.commit()
    jobs_queue.run()
    assert outbox.addresses == []

    control.go_on(the_mailing())
    db.session.commit()
    jobs_queue.run()
    assert sorted(outbox.addresses) == ["ada@example.com", "grace@example.com"]


def test_stop_records_the_rest_as_skipped_and_they_can_be_reached_later(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada(), cast.grace()
    send_now()
    start = jobs_queue.waiting.popleft()
    tasks.run(start[0], *start[1])
    control.stop(the_mailing())
    db.session.commit()
    jobs_queue.run()
    assert outbox.addresses == []
    assert outcomes() == {"skipped": 2}
    assert the_mailing().finished_at

    control.send_to_unreached(the_mailing())
    db.session.commit()
    jobs_queue.run()
    assert sorted(outbox.addresses) == ["ada@example.com", "grace@example.com"]


def test_a_post_due_long_ago_is_held_until_the_author_says_go(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    post = factories.post()
    with time_machine.travel(clock.now() - timedelta(hours=7), tick=True):
        publishing.schedule(post, clock.now(), "UTC")
    db.session.commit()

    jobs_queue.run()
    assert the_mailing().state is MailingState.HELD
    assert outbox.addresses == []

    control.go_on(the_mailing())
    db.session.commit()
    jobs_queue.run()
    assert outbox.addresses == ["ada@example.com"]


def test_a_restored_database_holds_its_open_mailings(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    send_now()
    start = jobs_queue.waiting.popleft()
    tasks.run(start[0], *start[1])
    assert control.hold_if_restored() == 0
    db.session.execute(update(Instance).values(cluster="another cluster"))
    db.session.commit()

    assert control.hold_if_restored() == 1
    db.session.commit()
    jobs_queue.run()
    assert outbox.addresses == []
    assert the_mailing().state is MailingState.HELD
    assert control.hold_if_restored() == 0


def test_a_reader_whose_name_or_address_cannot_be_written_harms_nobody_else(
    jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.ada()
    odd = factories.subscriber("odd@example.com")
    db.session.execute(
        update(Subscriber).where(Subscriber.id == odd.id).values(email="o\r\nBcc: x@example.com", name="x\r\nBcc: y")
    )
    send_now()

    jobs_queue.run()

    assert outbox.addresses == ["ada@example.com"]
    assert outcomes() == {"accepted": 1, "refused": 1}


@pytest.mark.slow
def test_two_thousand_readers_are_three_chunks_and_add_up(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_mailing, "SMALLEST_CHUNK", 1000)  # more than are read at once
    weekly = factories.newsletter()
    for number in range(2100):
        db.session.add(
            Subscriber(
                publication_id=weekly.publication_id,
                email=f"r{number}@example.com",
                email_key=f"r{number}@example.com",
                confirmed_at=clock.now(),
                subscriptions=[Subscription(newsletter_id=weekly.id)],
            )
        )
    send_now()

    jobs_queue.run()

    assert db.session.scalar(select(func.count()).select_from(Chunk)) == 3
    assert len(outbox) == len(set(outbox.addresses)) == 2100
    progress = queries.progress(1)
    assert progress.accepted == progress.due == 2100


def test_audience_words_and_the_rule_of_access_are_the_same_set() -> None:
    assert set(OPEN_TO) == {audience.value for audience in PostAudience}


def test_with_everyone_reached_there_is_nobody_to_send_to_again(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    send_now()
    jobs_queue.run()

    with pytest.raises(control.NotNow, match="Everyone was reached"):
        control.send_to_unreached(the_mailing())
