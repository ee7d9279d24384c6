"""Limits, back-off and warm-up, through real mail servers, Redis and PostgreSQL."""

import socket
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import redis
import time_machine
from sqlalchemy import func, select

from newsletter import clock, config
from newsletter.db import db
from newsletter.limits import Limits
from newsletter.sending import control, lanes, queries
from newsletter.sending.models import Chunk, Lane, LaneUse, MailingState
from newsletter.subscribers import notices
from newsletter.subscribers.models import NoticeKind
from tests.doubles import JobQueue
from tests.smtp_sink import Orders, SmtpSink
from tests.worker.lane_house import Configure, Watched, begin_anew, go_on, readers
from tests.worker.lane_house import configure as configure
from tests.worker.test_deliver import outcomes, send_now, the_mailing

pytestmark = pytest.mark.slow

BERLIN = ZoneInfo("Europe/Berlin")  # the publication's


def at(sink: SmtpSink, domain: str) -> int:
    return sum(recipient.endswith(f"@{domain}") for recipient, _ in sink.accepted)


def used(lane: str) -> int:
    return db.session.scalar(select(func.sum(LaneUse.taken)).where(LaneUse.lane == lane)) or 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def lane(name: str) -> Lane:
    return db.session.scalars(select(Lane).where(Lane.name == name).execution_options(populate_existing=True)).one()


# by the second


@pytest.mark.parametrize("has_redis", [True, False])
def test_a_limit_by_the_second_is_held(jobs_queue: JobQueue, configure: Configure, has_redis: bool) -> None:
    redis_url = {} if has_redis else {"redis_url": f"redis://127.0.0.1:{free_port()}/0"}
    with SmtpSink() as sink:
        configure(mail_url=f"{sink.url}?per_second=40", **redis_url)
        readers("example.com", each=120)
        send_now()
        began = time.monotonic()
        jobs_queue.run()
        seconds = time.monotonic() - began

    assert outcomes() == {"accepted": 120}
    assert seconds >= (120 - 20) / 40 - 0.3  # a bucket may have been full: half a second's worth
    assert seconds < 8


def test_others_go_at_full_speed_past_a_group_that_is_slow(jobs_queue: JobQueue, configure: Configure) -> None:
    with SmtpSink() as sink:
        configure(mail_url=sink.url, destination_limits="google: 10/s")
        readers("gmail.com", "example.com", each=40)
        send_now()
        jobs_queue.run()
        order = [recipient.endswith("gmail.com") for recipient, _ in sink.accepted]

    assert outcomes() == {"accepted": 80}
    assert max(sink.copies.values()) == 1
    others_done = max(place for place, is_google in enumerate(order) if not is_google)
    assert sum(order[:others_done]) <= 15


# by the hour and the day


def test_a_limit_by_the_day_survives_a_redis_that_loses_everything(
    jobs_queue: JobQueue, configure: Configure, settings: config.Settings
) -> None:
    with SmtpSink() as sink:
        configure(mail_url=f"{sink.url}?per_day=30")
        readers("example.com", each=80)
        send_now()
        jobs_queue.run()
        assert len(sink.accepted) == 30

        redis.Redis.from_url(settings.redis_url).flushall()
        begin_anew()
        go_on(jobs_queue)
        assert len(sink.accepted) == 30
        assert used(f"127.0.0.1:{sink.port}") == 30

        with time_machine.travel(clock.now() + timedelta(days=1), tick=True):
            begin_anew()
            go_on(jobs_queue)
            assert len(sink.accepted) == 60

        with time_machine.travel(clock.now() + timedelta(days=2), tick=True):
            begin_anew()
            go_on(jobs_queue)

    assert outcomes() == {"accepted": 80}
    assert max(sink.copies.values()) == 1
    assert the_mailing().state is MailingState.FINISHED


def test_a_limit_by_the_hour_of_one_group_leaves_the_others_alone(jobs_queue: JobQueue, configure: Configure) -> None:
    with SmtpSink() as sink:
        configure(mail_url=sink.url, destination_limits="google: 7/h; yahoo: 1000/h")
        readers("gmail.com", "yahoo.com", "example.com", each=20)
        send_now()
        jobs_queue.run()
        assert (at(sink, "gmail.com"), at(sink, "yahoo.com"), at(sink, "example.com")) == (7, 20, 20)

        progress = queries.progress(1)
        assert (progress.trouble, progress.remaining, progress.waiting) == ("", 13, 0)
        assert used("yahoo") == 20, "what was reserved and not used is given back"

        with time_machine.travel(clock.now() + timedelta(hours=1), tick=True):
            go_on(jobs_queue)
        assert at(sink, "gmail.com") == 14


def test_a_chunk_that_waits_for_its_lane_is_looked_at_again_later(jobs_queue: JobQueue, configure: Configure) -> None:
    with SmtpSink() as sink:
        configure(mail_url=f"{sink.url}?per_hour=5")
        readers("example.com", each=20)
        send_now()
        jobs_queue.run()

    hour_ends = lanes.span(lanes.zone(), clock.now()).hour_ends
    expected = min(timedelta(minutes=10), max(timedelta(seconds=1), hour_ends - clock.now()))
    due = db.session.scalar(select(Chunk.send_after - func.now()))
    assert due is not None
    assert abs(due - expected) < timedelta(seconds=5)


# what servers say


def test_a_group_that_says_421_is_slowed_down_and_the_others_are_not(
    jobs_queue: JobQueue, configure: Configure
) -> None:
    with SmtpSink() as sink:
        configure(mail_url=sink.url)
        readers("gmail.com", "example.com", each=120)
        sink.orders["r0@gmail.com"] = Orders(at_dot="421 4.7.28 unusual rate of unsolicited mail", times=1)
        send_now()
        jobs_queue.run()

        slowed = lane(f"127.0.0.1:{sink.port}/google")
        assert (slowed.pace, slowed.closed_until) == (0.5, None)
        assert slowed.words.startswith("421 4.7.28")
        assert db.session.scalars(select(Lane.name)).all() == [f"127.0.0.1:{sink.port}/google"]
        assert at(sink, "example.com") == 120
        assert at(sink, "gmail.com") == 119
        assert queries.progress(1).waiting == 1, "who was put off is tried again later, as ever"
        go_on(jobs_queue)
    assert outcomes() == {"accepted": 240}
    assert max(sink.copies.values()) == 1


def test_pace_is_halved_by_each_bad_minute_and_comes_back_slowly(app: object) -> None:
    begin = datetime(2026, 11, 30, 9, tzinfo=UTC)

    def pace(minutes: float) -> float:
        with time_machine.travel(begin + timedelta(minutes=minutes), tick=False):
            found = lanes.conditions().get("relay/google")
            return found.pace_at(clock.now()) if found else 1.0

    with time_machine.travel(begin, tick=False):
        lanes.slow_down("relay/google", "421 4.7.0 slow down")
        lanes.slow_down("relay/google", "421 4.7.0 slow down")  # another connection, at the same moment
    assert pace(0) == 0.5
    with time_machine.travel(begin + timedelta(minutes=2), tick=False):
        lanes.slow_down("relay/google", "421 4.7.0 slow down")
    assert [round(pace(minutes), 3) for minutes in (2, 3, 5, 8)] == [0.35, 0.45, 0.65, 0.95]
    assert pace(9) == 1.0

    for minute in range(20, 22):
        with time_machine.travel(begin + timedelta(minutes=minute), tick=False):
            lanes.close("relay/google", timedelta(hours=1), "550 5.7.1 blocked")
    assert pace(20) == pace(79) == 1 / 16
    with time_machine.travel(begin + timedelta(minutes=81), tick=False):
        lanes.close("relay/google", timedelta(hours=1), "550 5.7.1 blocked")
    closed = lane("relay/google").closed_until
    assert closed == begin + timedelta(minutes=81) + timedelta(hours=4)


def test_a_group_that_blocks_us_is_closed_before_the_list_is_burnt(jobs_queue: JobQueue, configure: Configure) -> None:
    with SmtpSink(delay=0.02) as sink:
        configure(mail_url=sink.url)
        readers("gmail.com", "example.com", each=150)
        blocked = "550 5.7.1 likely unsolicited mail, this message has been blocked"
        sink.orders.update({f"r{number}@gmail.com": Orders(at_dot=blocked, times=1) for number in range(150)})
        send_now()
        jobs_queue.run()

        told = outcomes()
        assert told["accepted"] == at(sink, "example.com") == 150
        assert 1 <= told["refused"] <= 8  # what was in flight on four connections
        closed = lane(f"127.0.0.1:{sink.port}/google")
        assert closed.closed_until
        assert timedelta(minutes=59) < closed.closed_until - clock.now() <= timedelta(hours=1)

        before = len(sink.accepted)
        begin_anew()  # another process, that has heard nothing itself
        go_on(jobs_queue)
        assert outcomes() == told
        assert len(sink.accepted) == before

        sink.orders.clear()
        with time_machine.travel(clock.now() + timedelta(hours=2), tick=True):
            begin_anew()
            go_on(jobs_queue)
    assert outcomes() == {"accepted": 300 - told["refused"], "refused": told["refused"]}
    assert the_mailing().state is MailingState.FINISHED


def test_yahoo_gets_the_two_hours_it_asks_for(jobs_queue: JobQueue, configure: Configure) -> None:
    with SmtpSink() as sink:
        configure(mail_url=sink.url)
        readers("yahoo.com", each=30)
        words = "421 4.7.0 [TSS04] Messages from 203.0.113.9 temporarily deferred due to user complaints"
        sink.orders["r3@yahoo.com"] = Orders(at_rcpt=words, times=1)
        send_now()
        jobs_queue.run()

        closed = lane(f"127.0.0.1:{sink.port}/yahoo")
    assert closed.closed_until
    assert timedelta(minutes=119) < closed.closed_until - clock.now() <= timedelta(hours=2)
    assert len(sink.accepted) < 30
    assert queries.progress(1).trouble == ""


def test_another_process_hears_of_a_closed_lane_within_seconds(
    jobs_queue: JobQueue, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.gate.PATIENCE", 0.5)
    with SmtpSink(delay=0.1) as sink:
        configure(mail_url=f"{sink.url}?connections=1")
        readers("gmail.com", each=60)
        send_now()
        name = f"127.0.0.1:{sink.port}/google"
        sink.accepted = Watched(5, lambda: _closed_elsewhere(name))
        jobs_queue.run()

    assert 5 <= len(sink.accepted) < 45
    assert queries.progress(1).remaining > 0


def _closed_elsewhere(name: str) -> None:
    import psycopg

    with psycopg.connect(config.settings().database_url.replace("+psycopg", "")) as connection:
        connection.execute(
            "INSERT INTO lane (name, pace, closed_until, words) VALUES (%s, 0.1, now() + interval '1 hour', '421 no')",
            (name,),
        )


# warm-up


def test_a_new_address_sends_a_little_more_each_day(jobs_queue: JobQueue, configure: Configure) -> None:
    first_day = clock.now()
    with SmtpSink() as sink:
        configure(mail_url=sink.url, warm_up_since=first_day.astimezone(BERLIN).date().isoformat())
        weekly = readers("example.com", each=200)
        send_now(title="The first", newsletter=weekly)
        send_now(title="The second", newsletter=weekly)
        jobs_queue.run()
        sent = [len(sink.accepted)]
        for day in (0, 1, 2):
            with time_machine.travel(first_day + timedelta(days=day), tick=True):
                begin_anew()
                go_on(jobs_queue)
                sent.append(len(sink.accepted))

    assert sent == [50, 50, 150, 400]
    assert set(sink.copies.values()) == {2}
    assert set(db.session.scalars(select(Chunk.state))) == {"done"}


def test_whoever_waits_for_the_warm_up_beyond_the_deadline_gets_it_all_the_same(
    jobs_queue: JobQueue, configure: Configure
) -> None:
    first_day = clock.now()
    with SmtpSink() as sink:
        configure(mail_url=sink.url, warm_up_since=first_day.astimezone(BERLIN).date().isoformat())
        readers("example.com", each=80)
        sink.orders["r0@example.com"] = Orders(at_rcpt="451 4.2.0 later")
        send_now()
        jobs_queue.run()
        assert len(sink.accepted) == 49

        with time_machine.travel(first_day + timedelta(days=4), tick=True):
            begin_anew()
            go_on(jobs_queue)

    assert outcomes() == {"accepted": 79, "expired": 1}
    assert the_mailing().state is MailingState.FINISHED


def test_notices_are_not_held_back_by_a_warm_up_but_count(jobs_queue: JobQueue, configure: Configure) -> None:
    with SmtpSink() as sink:
        configure(mail_url=sink.url, warm_up_since=clock.now().astimezone(BERLIN).date().isoformat())
        weekly = readers("example.com", each=80)
        send_now(newsletter=weekly)
        jobs_queue.run()
        assert len(sink.accepted) == 50

        notices.owe(
            NoticeKind.ALREADY_SUBSCRIBED, address="ada@gmail.com", newsletter=weekly, values={"newsletters": [1]}
        )
        db.session.commit()
        jobs_queue.run()

    assert at(sink, "gmail.com") == 1
    assert used("warm-up") == 51


# the author


@pytest.mark.parametrize(("act", "state"), [(control.pause, "paused"), (control.stop, "stopped")])
def test_a_mailing_that_waits_for_its_lane_can_be_paused_and_stopped(
    jobs_queue: JobQueue, configure: Configure, act: object, state: str
) -> None:
    with SmtpSink() as sink:
        configure(mail_url=f"{sink.url}?per_second=5")
        readers("example.com", each=60)
        send_now()
        sink.accepted = Watched(6, lambda: _moved(state))
        began = time.monotonic()
        jobs_queue.run()

        assert time.monotonic() - began < 5
        assert 6 <= len(sink.accepted) <= 10
    assert the_mailing().state.value == state
    if state == "stopped":
        assert outcomes()["skipped"] == 60 - len(sink.accepted)


def _moved(state: str) -> None:
    import psycopg

    with psycopg.connect(config.settings().database_url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE mailing SET state = %s", (state,))


def test_what_nobody_asks_about_any_more_is_forgotten(app: object) -> None:
    begin = clock.now() - timedelta(days=10)
    with time_machine.travel(begin, tick=False):
        lanes.slow_down("relay/google", "421 4.7.0")
        lanes.reserve("relay", 5, Limits(per_day=10), lanes.span(lanes.zone(), begin))
    lanes.close("relay/yahoo", timedelta(hours=1), "421 4.7.0 [TSS04]")

    lanes.forget_old()
    db.session.commit()

    assert db.session.scalars(select(Lane.name)).all() == ["relay/yahoo"]
    assert used("relay") == 0


def test_two_who_reserve_the_last_of_a_day_do_not_get_it_twice(app: object) -> None:
    at_that_time = lanes.span(lanes.zone(), clock.now())
    limits = Limits(per_hour=100, per_day=25)

    got = [lanes.reserve("relay", 10, limits, at_that_time) for _ in range(4)]

    assert got == [10, 10, 5, 0]
    lanes.count("relay", -5, at_that_time)
    assert lanes.reserve("relay", 10, limits, at_that_time) == 5


def test_where_nothing_is_limited_nobody_is_asked(jobs_queue: JobQueue, configure: Configure) -> None:
    from worker import lanes as at_work

    with SmtpSink() as sink:
        configure(mail_url=sink.url)
        readers("gmail.com", each=3)
        send_now()
        jobs_queue.run()
        assert at_work.ours().is_free
    assert db.session.scalar(select(func.count()).select_from(LaneUse)) == 0
