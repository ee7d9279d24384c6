"""Several relays share the work by weight and stand in for each other; nobody is lost, nobody gets two."""

import socket
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from newsletter.sending import queries
from newsletter.sending.models import MailingState
from tests.doubles import JobQueue
from tests.smtp_sink import SmtpSink
from tests.worker.lane_house import Configure, Watched, go_on, readers
from tests.worker.lane_house import configure as configure
from tests.worker.test_deliver import outcomes, send_now, the_mailing
from worker.relays import down

pytestmark = pytest.mark.slow


@pytest.fixture
def two(configure: Configure) -> Iterator[tuple[SmtpSink, SmtpSink]]:
    with SmtpSink() as first, SmtpSink() as second:
        configure(mail_url=f"{first.url}?weight=3 {second.url}")
        yield first, second


def copies(*sinks: SmtpSink) -> Counter[str]:
    return sum((sink.copies for sink in sinks), Counter())


def dies_after(sink: SmtpSink, messages: int) -> None:
    """Somebody will pull the plug."""
    sink.accepted = Watched(messages, sink.stop)


def test_relays_share_the_messages_by_their_weights(two: tuple[SmtpSink, SmtpSink], jobs_queue: JobQueue) -> None:
    readers("example.com", each=800)
    send_now()

    jobs_queue.run()

    shares = [len(sink.accepted) for sink in two]
    assert sum(shares) == 800
    assert 0.72 < shares[0] / 800 < 0.78
    assert set(copies(*two).values()) == {1}


def test_when_one_relay_dies_the_other_carries_on(two: tuple[SmtpSink, SmtpSink], jobs_queue: JobQueue) -> None:
    readers("example.com", each=800)
    send_now()
    dies_after(two[0], 100)

    jobs_queue.run()
    go_on(jobs_queue)  # who was put off because the connection broke has another turn

    got = copies(*two)
    told = outcomes()
    assert max(got.values()) == 1
    assert told["accepted"] + told.get("unconfirmed", 0) == 800
    assert told.get("unconfirmed", 0) <= 4  # one for each connection that broke
    assert len(got) >= told["accepted"]
    assert len(two[1].accepted) > 400
    assert the_mailing().state is MailingState.FINISHED
    assert queries.progress(1).trouble == ""


def test_when_both_die_it_is_said_and_when_they_return_everyone_gets_it(
    two: tuple[SmtpSink, SmtpSink], jobs_queue: JobQueue
) -> None:
    readers("example.com", each=600)
    send_now()
    for sink in two:
        dies_after(sink, 60)

    jobs_queue.run()
    progress = queries.progress(1)

    assert "nothing listens there" in progress.trouble
    assert progress.remaining > 0

    with SmtpSink(port=two[0].port) as first, SmtpSink(port=two[1].port) as second:
        down.forget()  # their pauses are over
        go_on(jobs_queue)
        go_on(jobs_queue)
        got = copies(*two, first, second)
        assert len(first.accepted) > len(second.accepted) > 0
    told = outcomes()
    put_off = queries.progress(1).waiting  # at whom a relay stumbled as it died
    assert told["accepted"] + told.get("unconfirmed", 0) + put_off == 600
    assert max(got.values()) == 1
    assert len(got) >= told["accepted"]
    assert queries.progress(1).trouble == ""


def test_a_relay_that_is_down_is_left_alone_and_tried_again(jobs_queue: JobQueue, configure: Configure) -> None:
    with SmtpSink() as sink:
        pass
    with SmtpSink() as other:
        configure(mail_url=f"{sink.url} {other.url}")
        readers("example.com", each=10)
        send_now()
        jobs_queue.run()

        assert outcomes() == {"accepted": 10}
        assert [relay.url for relay in down.worth_a_try()] == [other.url]
        for _ in range(8):
            down.failed(f"127.0.0.1:{sink.port}")
        pause = down._until[f"127.0.0.1:{sink.port}"] - time.monotonic()
        assert 295 < pause <= 300


def test_a_relay_of_weight_0_is_used_only_when_no_other_takes_anything(
    jobs_queue: JobQueue, configure: Configure
) -> None:
    with SmtpSink() as first, SmtpSink() as standby:
        configure(mail_url=f"{first.url} {standby.url}?weight=0")
        readers("example.com", each=300)
        send_now()
        jobs_queue.run()
        assert (len(first.accepted), len(standby.accepted)) == (300, 0)

        first.stop()
        send_now(title="The second one")
        jobs_queue.run()

    assert len(standby.accepted) == 300
    assert outcomes(2) == {"accepted": 300}


def test_nobody_waits_for_a_relay_that_says_nothing(jobs_queue: JobQueue, configure: Configure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, SmtpSink() as sink:
        configure(mail_url=f"smtp://127.0.0.1:{silent.getsockname()[1]}?weight=10 {sink.url}", smtp_timeout="20")
        readers("example.com", each=300)
        send_now()
        began = time.monotonic()

        jobs_queue.run()

        assert time.monotonic() - began < 8
        assert outcomes() == {"accepted": 300}
        assert len(sink.accepted) == 300
        silent.close()
