"""A refusal to our face means the same as a bounce that comes later."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from newsletter import clock
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending import control, refusals, returned
from newsletter.sending.models import Bounce, BounceKind, Delivery, Mailing, MailingState, Outcome
from newsletter.subscribers import suppression
from newsletter.subscribers.models import ConsentEvent, ConsentKind, SuppressionReason
from tests import cast, factories
from tests.doubles import JobQueue, Outbox
from tests.sending.mailings import is_suppressed, sent, state_of
from worker import sweep
from worker.transports import Refused


def send_now(**given: object) -> None:
    publishing.schedule(factories.post(**given), clock.now(), "Europe/Berlin")
    db.session.commit()


def the_mailing() -> Mailing:
    return db.session.scalars(select(Mailing).order_by(Mailing.id.desc())).first() or pytest.fail("no mailing")


def test_who_is_refused_for_good_is_not_written_to_again(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada, grace = cast.ada(), cast.grace()
    outbox.answers["ada@example.com"] = [Refused("550 5.1.1 no such user here")]
    send_now()

    jobs_queue.run()

    assert is_suppressed(ada)
    assert not is_suppressed(grace)
    assert suppression.known(["ada@example.com"])["ada@example.com"].reason is SuppressionReason.BOUNCED
    (line,) = returned.lines(the_mailing().id, BounceKind.HARD, 10)
    assert (line.address, line.status, line.words) == ("ada@example.com", "5.1.1", "550 5.1.1 no such user here")
    send_now(title="The second")
    jobs_queue.run()
    assert outbox.addresses == ["grace@example.com", "grace@example.com"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("554 5.7.1 relay access denied", BounceKind.BLOCKED),
        ("550 5.7.26 unauthenticated", BounceKind.BLOCKED),
        ("552 5.2.2 mailbox full", BounceKind.SOFT),
    ],
)
def test_a_refusal_that_is_not_about_the_mailbox_takes_nobody_off(
    jobs_queue: JobQueue, outbox: Outbox, reply: str, kind: BounceKind
) -> None:
    ada = cast.ada()
    outbox.answers["ada@example.com"] = [Refused(reply)]
    send_now()

    jobs_queue.run()

    assert list(returned.counts(the_mailing().id)) == [kind]
    assert not is_suppressed(ada)


def test_a_bad_list_holds_itself_while_it_is_sent_and_spares_the_rest(jobs_queue: JobQueue, outbox: Outbox) -> None:
    for number in range(1000):
        factories.subscriber(f"reader{number}@example.com")
        outbox.answers[f"reader{number}@example.com"] = [Refused("550 5.1.1 no such user")]
    send_now()

    jobs_queue.run()

    mailing = the_mailing()
    assert state_of(mailing) is MailingState.HELD
    tried = db.session.scalar(select(func.count()).where(Delivery.mailing_id == mailing.id)) or 0
    print(f"{tried} of 1,000 were tried before it was held")
    assert 10 <= tried < 1000
    assert db.session.scalar(select(func.count()).select_from(Bounce)) == tried


def test_what_a_crash_left_unclassified_is_found_by_the_sweep(jobs_queue: JobQueue) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = sent((Outcome.REFUSED, "550 5.1.1 no such user"), (Outcome.EXPIRED, "450 4.2.2 full"))

    sweep.find(), sweep.find()

    assert is_suppressed(ada)
    assert not is_suppressed(grace)
    assert returned.counts(mailing.id) == {BounceKind.HARD: 1, BounceKind.SOFT: 1}
    events = db.session.scalars(select(ConsentEvent.kind)).all()
    assert events == [ConsentKind.BOUNCED]


def test_what_we_refused_ourselves_or_no_server_answered_is_no_bounce(jobs_queue: JobQueue) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = sent(
        (Outcome.REFUSED, "This address cannot be written to."), (Outcome.EXPIRED, "The mail server did not take it.")
    )

    sweep.find()

    assert returned.counts(mailing.id) == {}
    assert not is_suppressed(ada)
    assert not is_suppressed(grace)


def test_put_off_to_the_end_is_never_for_good(jobs_queue: JobQueue) -> None:
    ada = cast.ada()
    mailing = sent((Outcome.EXPIRED, "450 5.1.1 no such user, says a confused server"))

    sweep.find()

    assert returned.counts(mailing.id) == {BounceKind.SOFT: 1}
    assert not is_suppressed(ada)


def test_many_refusals_are_classified_in_batches(jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "A_BATCH", 7)
    for number in range(30):
        factories.subscriber(f"reader{number}@example.com")
    mailing = sent(*[(Outcome.REFUSED, "550 5.1.1 no such user")] * 30)
    control.pause(mailing)
    db.session.commit()

    sweep.find()

    assert returned.counts(mailing.id) == {BounceKind.HARD: 30}


def test_a_mailing_that_is_long_over_is_not_looked_at_again(jobs_queue: JobQueue) -> None:
    ada = cast.ada()
    mailing = sent((Outcome.REFUSED, "550 5.1.1 no such user"))
    db.session.execute(update(Mailing).values(state=MailingState.FINISHED, finished_at=clock.now() - timedelta(days=2)))
    db.session.commit()

    sweep.find()

    assert returned.counts(mailing.id) == {}
    assert not is_suppressed(ada)
