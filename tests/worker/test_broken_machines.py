"""Processes, machines and disks that fail at the worst moment: nobody is missed, nobody is mailed twice."""

import errno
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from newsletter import config
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import journal, ledger, queries, resume, start
from newsletter.sending.journal import Answer, Journal, PutOff
from newsletter.sending.ledger import Claim
from newsletter.sending.models import Chunk, Outcome, Waiting
from newsletter.subscribers import notices
from newsletter.subscribers.models import Notice, NoticeKind, NoticeState
from tests import cast, factories
from tests.doubles import JobQueue, Outbox
from tests.worker.test_deliver import outcomes, send_now
from worker import deliver, tasks


def begin(jobs_queue: JobQueue) -> Journal:
    """A mailing that has started, and the journal of one who is about to claim its chunk."""
    send_now()
    tasks.run(Job.START_DUE_MAILINGS)
    jobs_queue.waiting.clear()
    return Journal()


def claimed(journal_: Journal) -> Claim:
    claim = ledger.claim(1, journal_.token)
    assert claim
    return claim


def the_lease_runs_out() -> None:
    past = func.now() - timedelta(seconds=1)
    db.session.execute(update(Chunk).values(lease_until=past))
    db.session.execute(update(Notice).where(Notice.lease_until.is_not(None)).values(lease_until=past))
    db.session.commit()


def the_machine_is_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_boot", lambda: "tomorrow")


def numbers() -> tuple[int, int, int, int]:
    told = queries.progress(1)
    return told.accepted, told.unconfirmed, told.waiting, told.remaining


def test_of_a_dead_process_the_answered_are_known_and_the_rest_is_reached(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada, grace, ken = cast.ada(), cast.grace(), factories.subscriber("ken@example.com")
    dying = begin(jobs_queue)
    claimed(dying)
    dying.handing_over(ada.id, None)
    dying.answered(Answer(ada.id, Outcome.ACCEPTED, "250 ok"))
    dying.handing_over(grace.id, None)
    dying.close(forget=False)

    assert resume.take_back() == 1
    jobs_queue.ring(Job.DELIVER, 1)
    jobs_queue.run()

    assert outbox.addresses == [ken.email]
    assert outcomes() == {"accepted": 2, "unconfirmed": 1}


def test_a_process_that_dies_just_after_its_claim_has_written_to_nobody(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada(), cast.grace()
    dying = begin(jobs_queue)
    claimed(dying)
    dying.close(forget=False)

    assert resume.take_back() == 1
    jobs_queue.ring(Job.DELIVER, 1)
    jobs_queue.run()

    assert outcomes() == {"accepted": 2}


@pytest.mark.parametrize("its_lease", ["in the future", "over"])
def test_a_clock_that_was_set_ends_the_lease_of_a_living_process_which_then_hands_nothing_over(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch, its_lease: str
) -> None:
    ada, grace = cast.ada(), cast.grace()
    living = begin(jobs_queue)
    claim = claimed(living)
    living.handing_over(ada.id, None)
    assert not living.is_sealed
    hours = 1 if its_lease == "in the future" else -1  # the database's clock is set back an hour, or forward
    db.session.execute(update(Chunk).values(lease_until=func.now() + timedelta(hours=hours)))
    db.session.commit()

    assert resume.take_back() == 1
    claim.check()  # by its own clock it may go on,
    assert living.is_sealed  # but what it writes from now on is in no replay
    work = deliver.Round(claim, living, deliver.Turn(1, time.monotonic() + 60))
    with pytest.raises(ledger.LeaseLost):
        work.go()
    assert len(outbox) == 0
    jobs_queue.ring(Job.DELIVER, 1)
    jobs_queue.run()

    assert outbox.addresses == [grace.email]
    assert outcomes() == {"accepted": 1, "unconfirmed": 1}


def test_a_lease_that_still_runs_is_nobody_elses(jobs_queue: JobQueue) -> None:
    cast.ada()
    living = begin(jobs_queue)
    claimed(living)

    assert resume.take_back() == 0
    assert not living.is_sealed
    living.close(forget=True)


def test_a_clock_that_is_set_back_makes_no_chunk_wait(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada, grace = cast.ada(), cast.grace()
    holder = begin(jobs_queue)
    claim = claimed(holder)
    ledger.record(claim, [Answer(ada.id, Outcome.ACCEPTED, "250 ok")])
    ledger.release(claim)
    holder.close(forget=True)

    assert db.session.scalar(select(Chunk.send_after)) is None  # "at once", and not a moment of that clock
    jobs_queue.ring(Job.DELIVER, 1)
    jobs_queue.run()
    assert outbox.addresses == [grace.email]


def test_what_a_power_cut_took_from_the_journal_is_in_doubt_and_no_more_than_that(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "CHUNK", 3)
    ada, _, _ = cast.ada(), cast.grace(), factories.subscriber("ken@example.com")
    late = factories.subscriber("late@example.com")
    dying = begin(jobs_queue)
    claim = claimed(dying)
    ledger.record(claim, [Answer(ada.id, Outcome.ACCEPTED, "250 ok")])
    dying.close(forget=False)  # and what it wrote about Grace and Ken never reached the disk
    the_machine_is_started_anew(monkeypatch)

    assert resume.take_back() == 1
    jobs_queue.ring(Job.DELIVER, 1)
    jobs_queue.run()

    assert outbox.addresses == [late.email]
    assert outcomes() == {"accepted": 2, "unconfirmed": 2}


def test_a_journal_that_became_nonsense_is_read_as_far_as_it_goes_and_holds_nobody_up(
    jobs_queue: JobQueue, outbox: Outbox
) -> None:
    ada, grace, ken = cast.ada(), cast.grace(), factories.subscriber("ken@example.com")
    dying = begin(jobs_queue)
    claimed(dying)
    dying.handing_over(ada.id, None)
    dying.answered(Answer(ada.id, Outcome.ACCEPTED, "250 ok"))
    dying.write("\0\0\0\0")
    dying.handing_over(grace.id, None)
    dying.close(forget=False)

    assert resume.take_back() == 1
    assert outcomes() == {"accepted": 1, "unconfirmed": 2}  # of Grace and of Ken nobody knows
    assert ken.id


def test_who_was_passed_over_for_a_limit_is_in_no_less_doubt_than_who_came_after_them(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "WINDOW", 1)
    cast.ada(), cast.grace(), factories.subscriber("ken@example.com")
    dying = begin(jobs_queue)
    claim = claimed(dying)
    ledger.record(claim, [Answer(claim.reader_ids[1], Outcome.ACCEPTED, "250 ok")])
    dying.close(forget=False)  # the third was handed over as well, and the first still waits
    journal.forget(dying.token)
    db.session.execute(update(Chunk).values(lease_until=func.now() - timedelta(minutes=61)))
    db.session.commit()

    assert resume.take_back() == 1
    jobs_queue.ring(Job.DELIVER, 1)
    jobs_queue.run()
    assert len(outbox) == 0
    assert outcomes() == {"accepted": 1, "unconfirmed": 2}


def test_a_notice_whose_journal_a_power_cut_has_emptied_is_in_doubt(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed = _a_notice()
    dying = Journal()
    assert notices.claim(dying.token)
    dying.close(forget=False)
    the_machine_is_started_anew(monkeypatch)

    resume.take_back()
    jobs_queue.ring(Job.SEND_NOTICES)
    jobs_queue.run()

    db.session.refresh(owed)
    assert owed.state is NoticeState.UNCONFIRMED
    assert len(outbox) == 0


def test_a_notice_whose_process_died_before_the_hand_over_is_tried_again(jobs_queue: JobQueue) -> None:
    owed = _a_notice()
    dying = Journal()
    assert notices.claim(dying.token)
    dying.close(forget=False)

    resume.take_back()

    db.session.refresh(owed)
    assert owed.state is NoticeState.WAITING


def _a_notice() -> Notice:
    owed = notices.owe(
        NoticeKind.WELCOME, address="ada@example.com", subscriber=cast.ada(), newsletter=factories.newsletter(slug="n")
    )
    db.session.commit()
    return owed


def test_a_machine_that_does_not_come_back_leaves_no_more_than_its_chunk_in_doubt(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "CHUNK", 1)
    cast.ada(), cast.grace()
    gone = begin(jobs_queue)
    claimed(gone)
    gone.close(forget=True)  # its disk is not here
    db.session.execute(update(Chunk).values(host="elsewhere", lease_until=func.now() - timedelta(minutes=50)))
    db.session.commit()
    assert resume.take_back() == 0  # it may come back

    db.session.execute(update(Chunk).values(lease_until=func.now() - timedelta(minutes=61)))
    db.session.commit()
    assert resume.take_back() == 1
    jobs_queue.ring(Job.DELIVER, 1)
    jobs_queue.run()

    assert outbox.addresses == ["grace@example.com"]
    assert outcomes() == {"accepted": 1, "unconfirmed": 1}


def test_who_takes_over_may_die_while_doing_so(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = cast.ada(), cast.grace()
    dying = begin(jobs_queue)
    claimed(dying)
    dying.handing_over(ada.id, None)
    dying.close(forget=False)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "_give_back", _lose_the_connection)
        with pytest.raises(OperationalError):
            resume.take_back()
    db.session.rollback()

    assert resume.take_back() == 1
    jobs_queue.ring(Job.DELIVER, 1)
    jobs_queue.run()

    assert outcomes() == {"accepted": 1, "unconfirmed": 1}


def _lose_the_connection(*_: object) -> None:
    raise OperationalError("", {}, Exception("terminating connection due to administrator command"))


def test_who_cannot_record_what_it_heard_writes_to_nobody_else_until_it_can(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.ada(), cast.grace(), factories.subscriber("ken@example.com")
    monkeypatch.setattr(start, "CHUNK", 1)
    send_now()
    tasks.run(Job.START_DUE_MAILINGS)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "_append", _lose_the_connection)
        for _ in range(3):
            with pytest.raises(OperationalError):
                tasks.run(Job.DELIVER, 1)
    assert len(outbox) == 1

    jobs_queue.run()

    assert len(outbox) == len(set(outbox.addresses)) == 3
    assert outcomes() == {"accepted": 3}


def test_jobs_that_fail_at_once_do_not_chase_each_other(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.ada()
    send_now()
    tasks.run(Job.START_DUE_MAILINGS)
    jobs_queue.waiting.clear()

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "readers", broken)
        with pytest.raises(RuntimeError):
            tasks.run(Job.DELIVER, 1)
    assert not jobs_queue.waiting, "whoever looks for work rings again, in its time"

    tasks.run(Job.DELIVER, 1)
    assert outbox.addresses == ["ada@example.com"]


def test_an_unreadable_journal_keeps_no_chunk_from_being_taken_back(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    unreadable = begin(jobs_queue)
    claimed(unreadable)
    unreadable.close(forget=False)
    next(journal.folder().glob(f"{unreadable.token}*")).write_text("not a journal\n")
    readable = begin(jobs_queue)
    assert ledger.claim(2, readable.token)
    readable.close(forget=False)

    assert resume.take_back() == 2
    assert (queries.progress(1).unconfirmed, queries.progress(2).unconfirmed) == (1, 0)


def test_a_journal_that_finds_no_room_stops_the_hand_over_and_stays_readable(jobs_queue: JobQueue) -> None:
    ada, grace = cast.ada(), cast.grace()
    with Journal() as full:
        full.handing_over(ada.id, None)
        size = next(journal.folder().glob(f"{full.token}*")).stat().st_size
        lines = journal.handed_over(grace.id, None) * size
        with _no_more_room_than(size + 3), pytest.raises(OSError, match="File too large"):
            full.write(lines)
        assert journal.replay(full.token).in_doubt == [ada.id]  # all of the lines, or none of them

        full.write(lines)
        assert journal.replay(full.token).in_doubt == [ada.id, grace.id]


def test_what_the_server_said_is_recorded_even_when_the_journal_has_no_room_for_it(
    jobs_queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.ada(), cast.grace()
    send_now()
    tasks.run(Job.START_DUE_MAILINGS)
    write = Journal.write

    def no_room_for_a_second_hand_over(self: Journal, lines: str) -> None:
        if len(outbox) and '"H"' in lines:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, lines)

    with monkeypatch.context() as full:
        full.setattr(Journal, "write", no_room_for_a_second_hand_over)
        with pytest.raises(OSError, match="No space left"):
            tasks.run(Job.DELIVER, 1)
    assert outcomes() == {"accepted": 1}

    assert resume.take_back() == 1
    tasks.run(Job.DELIVER, 1)
    assert outcomes() == {"accepted": 2}
    assert len(outbox) == 2


@contextmanager
def _no_more_room_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_all_processes_of_a_machine_agree_on_its_name_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        elsewhere = config.settings().model_copy(update={"data_dir": tmp_path / str(number)})
        monkeypatch.setattr(journal, "settings", lambda elsewhere=elsewhere: elsewhere)
        with ThreadPoolExecutor(8) as processes:
            names = set(processes.map(lambda _: journal.host.__wrapped__(), range(8)))

        assert len(names) == 1
        assert names != {""}


def test_a_late_temporary_refusal_does_not_make_an_answered_reader_wait(jobs_queue: JobQueue) -> None:
    ada, _ = cast.ada(), cast.grace()
    frozen = begin(jobs_queue)
    claim = claimed(frozen)
    frozen.handing_over(ada.id, None)
    the_lease_runs_out()
    assert resume.take_back() == 1
    assert numbers() == (0, 1, 0, 1)

    ledger.record(claim, [], [PutOff(ada.id, "451 later")])  # it wakes, and hears this

    assert numbers() == (0, 1, 0, 1)
    assert db.session.scalar(select(func.count()).select_from(Waiting)) == 0
    frozen.close(forget=True)


def test_a_late_acceptance_settles_the_doubt(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada, _ = cast.ada(), cast.grace()
    frozen = begin(jobs_queue)
    claim = claimed(frozen)
    frozen.handing_over(ada.id, None)
    the_lease_runs_out()
    resume.take_back()
    jobs_queue.ring(Job.DELIVER, 1)
    jobs_queue.run()

    for _ in range(2):
        ledger.record(claim, [Answer(ada.id, Outcome.ACCEPTED, "250 ok")])

    assert numbers() == (2, 0, 0, 0)
    assert outbox.addresses == ["grace@example.com"]
    frozen.close(forget=True)


def test_a_commit_whose_answer_is_lost_is_told_again_without_harm(jobs_queue: JobQueue, outbox: Outbox) -> None:
    ada, grace = cast.ada(), cast.grace()
    dying = begin(jobs_queue)
    claim = claimed(dying)
    yes, later = Answer(ada.id, Outcome.ACCEPTED, "250 ok"), PutOff(grace.id, "451 later")
    for said in (yes, later):
        dying.handing_over(said.reader_id, None)
        dying.answered(said)
    ledger.record(claim, [yes], [later])
    dying.close(forget=False)

    jobs_queue.ring(Job.SWEEP)
    jobs_queue.run()

    assert numbers() == (1, 0, 1, 0)
    assert outbox.addresses == []
