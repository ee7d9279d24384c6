"""The judge, on logs as Postfix writes them: when it speaks, and when it must not."""

import gzip
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.publication.models import Newsletter
from newsletter.sending import control, judge, ledger, letters
from newsletter.sending.models import Doubt
from newsletter.sending.postfix_log import Reading, moment
from newsletter.subscribers import notices
from newsletter.subscribers.models import Notice, NoticeKind, NoticeState
from tests import factories
from tests.doubles import JobQueue, Outbox
from tests.sending import doubtful
from worker import tasks

ADA, GRACE = "ada@example.com", "grace@example.com"
ADAS, GRACES = "4jZNG14Rsmz1WmxL", "4jZNG15bcdz1WmxM"  # queue ids
Judge = Callable[[], None]


class Log:
    """What Postfix writes, in local time and whole seconds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()
        self.ahead = timedelta(0)  # of our clock

    def line(self, ago: timedelta, words: str) -> None:
        at = datetime.now().astimezone() - ago + self.ahead
        with self.path.open("a") as file:
            file.write(f"{at:%b %e %H:%M:%S} relay postfix/{words}\n")

    def header(self, reader_id: int, queue_id: str, ago: timedelta = timedelta(minutes=62)) -> None:
        self.line(ago, f"cleanup[7]: {queue_id}: message-id=<{letters.message_id(1, reader_id)}@letters.example.org>")

    def active(self, queue_id: str, ago: timedelta = timedelta(minutes=61)) -> None:
        self.line(ago, f"qmgr[8]: {queue_id}: from=<ken@letters.example.org>, size=2000, nrcpt=1 (queue active)")

    def run_ahead(self, reader_id: int, queue_id: str) -> None:
        self.accepted(reader_id, queue_id)
        self.ahead = timedelta(hours=1)

    def accepted(self, reader_id: int, queue_id: str) -> None:
        self.header(reader_id, queue_id)
        self.active(queue_id)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    made = Log(tmp_path / "maillog")
    made.line(timedelta(hours=3), "master[1]: daemon started")
    return made


@pytest.fixture
def judged(log: Log, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Hold court until it is over, with a mail server that notes that it was called on."""
    changed = {"mail_url": "smtp://127.0.0.1:25", "postfix_log": log.path, "settle_seconds": 60}
    monkeypatch.setattr(judge, "settings", lambda: settings.model_copy(update=changed))
    monkeypatch.setattr(judge, "_ring_the_bell", lambda: log.line(timedelta(0), "smtpd[9]: connect from localhost"))
    monkeypatch.setattr(judge, "_machine_started_at", lambda: clock.now() - timedelta(days=9))
    monkeypatch.setattr(judge, "_held", [])
    monkeypatch.setattr(judge, "_heard", {})

    def hold() -> None:
        judge.hold_court()
        for _ in range(10):
            if judge._held:
                judge.hold_court()
        assert not judge._held

    return hold


def verdict() -> str:
    db.session.rollback()
    return db.session.get_one(Doubt, (1, 1)).verdict


def test_a_queue_id_that_became_active_proves_acceptance(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge
) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    log.accepted(1, ADAS)

    judged()

    assert doubtful.outcomes() == {1: "accepted", 2: "accepted"}


def test_a_log_that_shows_nothing_of_it_proves_that_it_was_not(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge
) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    log.accepted(2, GRACES)

    judged()
    tasks.run(Job.DELIVER, 1)

    assert doubtful.outcomes() == {1: "accepted", 2: "accepted"}
    assert outbox.addresses.count(ADA) == 1


def test_a_header_alone_is_no_acceptance(jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    log.accepted(2, GRACES)
    log.header(1, ADAS)

    judged()

    assert doubtful.outcomes() == {2: "accepted"}


def test_a_header_says_nothing_while_others_of_ours_are_still_queueing(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge
) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    log.header(1, ADAS)
    log.header(2, GRACES)

    judged()

    assert "still be on its way" in verdict()
    assert doubtful.outcomes()[1] == "unconfirmed"


@pytest.mark.parametrize(
    ("words", "spoil"),
    [
        ("does not reach back", lambda log: log.path.write_text("")),
        ("nothing of this mailing", lambda log: None),
        ("short queue ids", lambda log: log.accepted(2, "4A1B2C3D5E")),
        ("another clock", lambda log: log.run_ahead(2, GRACES)),
    ],
)
def test_a_log_that_may_not_have_all_judges_nobody(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge, words: str, spoil: Callable[[Log], object]
) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    spoil(log)
    if "reach back" in words:
        log.header(2, GRACES, timedelta(minutes=30))
        log.active(GRACES, timedelta(minutes=30))

    judged()

    assert words in verdict()
    assert doubtful.outcomes()[1] == "unconfirmed"


def test_a_log_that_nobody_writes_to_any_more_judges_nobody(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "_ring_the_bell", lambda: None)
    doubtful.mailing(jobs_queue, outbox, ADA)
    log.accepted(2, GRACES)

    judged()

    assert "another log" in verdict()


def test_a_log_that_cannot_be_read_judges_nobody(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "_ring_the_bell", lambda: None)
    doubtful.mailing(jobs_queue, outbox, ADA)
    log.path.unlink()

    judged()

    assert "cannot be read: no such file" in verdict()


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("another machine", "UPDATE doubt SET host = 'elsewhere'"),
        ("started anew", f"UPDATE delivery SET reply = '{ledger.LOST}' WHERE outcome = 'unconfirmed'"),
    ],
)
def test_silence_proves_nothing_for_another_machine_or_after_a_crash_of_this_one(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge, words: str, change: str
) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    db.session.execute(text(change))
    db.session.commit()
    log.accepted(2, GRACES)

    judged()

    assert words in verdict()


def test_a_machine_that_was_started_since_may_have_lost_lines(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "_machine_started_at", lambda: clock.now() - timedelta(minutes=30))
    doubtful.mailing(jobs_queue, outbox, ADA)
    log.accepted(2, GRACES)

    judged()

    assert "started anew" in verdict()


def test_mail_that_leaves_by_a_server_elsewhere_is_not_judged_by_our_log(
    jobs_queue: JobQueue,
    outbox: Outbox,
    log: Log,
    judged: Judge,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)
    log.accepted(2, GRACES)
    urls = "smtp://127.0.0.1:25 smtp://mail.example.net"
    two = settings.model_copy(update={"mail_url": urls, "postfix_log": log.path, "settle_seconds": 60})
    monkeypatch.setattr(judge, "settings", lambda: two)

    judged()

    assert "not here" in verdict()


def test_fresh_doubts_and_those_the_author_has_decided_are_left_alone(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge
) -> None:
    mailing = doubtful.mailing(jobs_queue, outbox, ADA)
    control.leave_doubtful(mailing)
    db.session.commit()
    log.accepted(1, ADAS)

    judged()

    assert doubtful.outcomes()[1] == "unconfirmed"


def test_without_a_log_a_doubt_is_sent_once_more_if_the_author_wants_it_so(
    jobs_queue: JobQueue, outbox: Outbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = settings.model_copy(update={"doubts": "resend", "settle_seconds": 60})
    monkeypatch.setattr(judge, "settings", lambda: wanted)
    doubtful.mailing(jobs_queue, outbox, ADA)

    for _ in range(3):
        judge.hold_court()
        tasks.run(Job.DELIVER, 1)

    assert doubtful.outcomes() == {1: "accepted", 2: "accepted"}
    assert outbox.addresses.count(ADA) == 1


def test_by_default_nothing_is_sent_by_guess(jobs_queue: JobQueue, outbox: Outbox) -> None:
    doubtful.mailing(jobs_queue, outbox, ADA)

    judge.hold_court()

    assert doubtful.outcomes()[1] == "unconfirmed"


# notices


def notice_in_doubt(kind: NoticeKind = NoticeKind.WELCOME) -> Notice:
    reader = factories.subscriber(ADA)
    notice = notices.owe(kind, address=ADA, newsletter=Newsletter.open()[0], subscriber=reader)
    notice.state, notice.reply = NoticeState.UNCONFIRMED, ledger.NO_ANSWER
    notice.created_at = clock.now() - timedelta(minutes=62)
    notice.ended_at = clock.now() - timedelta(minutes=61)
    db.session.commit()
    return notice


def test_a_notice_is_judged_as_well(jobs_queue: JobQueue, log: Log, judged: Judge) -> None:
    notice = notice_in_doubt()
    log.line(timedelta(minutes=61), f"cleanup[7]: {ADAS}: message-id=<{notice.message_id}@letters.example.org>")
    log.active(ADAS)

    judged()

    db.session.refresh(notice)
    assert notice.state is NoticeState.ACCEPTED


@pytest.mark.parametrize(
    ("kind", "state"), [(NoticeKind.WELCOME, NoticeState.WAITING), (NoticeKind.ERASE_CODE, NoticeState.EXPIRED)]
)
def test_a_notice_that_was_not_accepted_goes_out_again_if_it_can_be_made_again(
    jobs_queue: JobQueue, log: Log, judged: Judge, kind: NoticeKind, state: NoticeState
) -> None:
    notice = notice_in_doubt(kind)
    log.accepted(2, GRACES)  # the log knows others of ours

    judged()

    db.session.refresh(notice)
    assert notice.state is state


# the log


def read_all(path: Path, since: timedelta, *wanted: str) -> Reading:
    reading = Reading(path, datetime.now(UTC) - since, wanted)
    while not reading.read(100):
        pass
    reading.close()
    return reading


def test_a_log_is_read_over_its_rotated_and_compressed_files(app: object, log: Log, tmp_path: Path) -> None:
    wanted = letters.message_id(1, 1)
    log.accepted(1, ADAS)
    with gzip.open(tmp_path / "maillog.1.gz", "wb") as packed:
        packed.write(log.path.read_bytes())
    hour_ago = (datetime.now(UTC) - timedelta(minutes=61)).timestamp()
    os.utime(tmp_path / "maillog.1.gz", (hour_ago, hour_ago))
    log.path.write_text("")
    log.line(timedelta(minutes=60), "master[1]: reload")

    reading = read_all(log.path, timedelta(hours=2), wanted)

    assert reading.accepted == {wanted: ADAS}
    assert reading.begins_at is not None
    assert reading.begins_at < datetime.now(UTC) - timedelta(hours=2)


def test_a_file_missing_between_two_others_is_noticed(app: object, log: Log, tmp_path: Path) -> None:
    older = tmp_path / "maillog.2"
    older.write_bytes(log.path.read_bytes())
    long_ago = (datetime.now(UTC) - timedelta(hours=2)).timestamp()
    os.utime(older, (long_ago, long_ago))
    log.path.write_text("")
    log.line(timedelta(minutes=30), "master[1]: reload")

    reading = read_all(log.path, timedelta(hours=1))

    assert reading.begins_at is not None
    assert reading.begins_at > datetime.now(UTC) - timedelta(minutes=31)


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(app: object, log: Log) -> None:
    wanted = letters.message_id(1, 1)
    log.header(1, ADAS)
    whole = log.path.read_bytes()
    log.active(ADAS)
    last = log.path.read_bytes()[len(whole) :]
    log.path.write_bytes(whole + last[:40])
    reading = Reading(log.path, datetime.now(UTC) - timedelta(hours=2), [wanted])

    reading.read(1 << 20)
    first = dict(reading.accepted)
    with log.path.open("ab") as file:
        file.write(last[40:])
    reading.read(1 << 20)
    reading.close()

    assert first == {}
    assert reading.accepted == {wanted: ADAS}


def test_a_long_log_is_not_read_from_its_start_for_its_end(app: object, log: Log) -> None:
    for minutes in range(60 * 24 * 6, 60 * 12, -1):
        log.line(timedelta(minutes=minutes), f"smtpd[9]: connect from somewhere{'.' * 200}")
    log.accepted(1, ADAS)
    size = log.path.stat().st_size
    reading = Reading(log.path, datetime.now(UTC) - timedelta(hours=2), [letters.message_id(1, 1)])

    assert reading.read(256 * 1024), f"a quarter of a MB was not enough of {size} bytes"
    reading.close()
    assert reading.accepted


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"2026-11-25T10:00:00.25+02:00 relay postfix/qmgr", datetime(2026, 11, 25, 8, 0, 0, 250000, tzinfo=UTC)),
        (b"Dec 31 23:59:59 relay postfix/qmgr", datetime(2025, 12, 31, 23, 59, 59).astimezone(UTC)),
        (b"Jan  2 03:04:05 relay postfix/qmgr", datetime(2026, 1, 2, 3, 4, 5).astimezone(UTC)),
        (b"nonsense", None),
        (b"", None),
    ],
)
def test_moments_are_read_in_both_forms_and_over_the_turn_of_a_year(line: bytes, expected: datetime | None) -> None:
    assert moment(line, datetime(2026, 1, 3, tzinfo=UTC) if b"2026-11" not in line else datetime.now(UTC)) == expected


def test_judging_twice_at_once_on_one_disk_is_judging_once(
    jobs_queue: JobQueue, outbox: Outbox, log: Log, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "_ring_the_bell", lambda: None)  # it is waited for
    doubtful.mailing(jobs_queue, outbox, ADA)
    judge.hold_court()
    first = [*judge._held] or pytest.fail("nobody sits")

    judge._held.clear()
    judge.hold_court()

    assert judge._held == []
    for each in first:
        each.close()
