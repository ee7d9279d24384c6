"""Ten thousand people sign up while a mailing is running: how long each waits for the confirmation to leave."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.sending import control, queries
from newsletter.sending.models import Mailing
from newsletter.subscribers import signup
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.models import Notice, NoticeState
from newsletter.subscribers.signup import SignUp
from tests.benchmarks import readers
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import percentile
from tests.benchmarks.house import House
from tests.benchmarks.sinks import FastSink
from tests.journeys.processes import Process, wait_for

KEYS = ("notice_latency_median_s", "notice_latency_p99_s", "notices_overtaking")
FORMS_AT_ONCE = 4  # threads that write down what forms asked for
PATIENCE = 300.0  # seconds for the last of them


def measure(bench: Bench) -> None:
    log = bench.folder / "taken.log"
    with FastSink(bench.fastsink, log=log) as sink, bench.house.worker(sink.url) as worker:
        mailing, _, _ = bench.house.begin(readers.LARGEST)
        wait_for(lambda: _progress(mailing.id).accepted > 0, 60, "the mailing is under way", worker)
        begun = time.monotonic()
        signed_up = _burst(bench.house, bench.sizes.signups, f"{time.monotonic_ns():x}")
        seconds = time.monotonic() - begun
        wait_for(lambda: _waiting() == 0, PATIENCE, "all confirmations have left", worker)
        left = _progress(mailing.id)
        if left.remaining:
            wait_for(lambda: _progress(mailing.id).recorded > left.recorded, 60, "the mailing goes on", worker)
        _end(mailing.id, worker)
    taken = _taken(log)
    waits = [max(0.0, taken[address] - at) for address, at in signed_up.items()]
    last_of_mailing = max(at for address, at in taken.items() if address not in signed_up)
    overtook = sum(taken[address] < last_of_mailing for address in signed_up) / len(signed_up)
    bench.results.add(
        notice_latency_median_s=median(waits),
        notice_latency_p99_s=percentile(waits, 0.99),
        notices_overtaking=overtook,
        signups_per_second=len(signed_up) / seconds,
        mailing_left_after_burst=left.remaining,
    )
    bench.say(
        f"{len(waits):,} sign-ups in {seconds:.1f} s: median {median(waits):.3f} s, "
        f"p99 {percentile(waits, 0.99):.3f} s, {left.remaining:,} readers of the mailing still to come"
    )


def _burst(house: House, signups: int, run: str) -> dict[str, float]:
    """For each address, when its sign-up was committed (CLOCK_MONOTONIC)."""
    committed: dict[str, float] = {}
    numbers = iter(range(signups))
    lock = threading.Lock()
    errors: list[BaseException] = []

    def sign_up() -> None:
        with house.app.app_context():
            newsletter = Newsletter.by_slug(readers.LARGEST)
            assert newsletter is not None
            while (number := _next(numbers, lock)) is not None:
                address = Address.read(f"newcomer{number}.{run}@example.com")
                signup.sign_up(SignUp(address=address, newsletters=[newsletter], wording="Sign me up"))
                db.session.commit()
                committed[address.email] = time.monotonic()

    def run_it() -> None:
        try:
            sign_up()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run_it) for _ in range(FORMS_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return committed


def _next(numbers: Iterator[int], lock: threading.Lock) -> int | None:
    with lock:
        return next(numbers, None)


def _progress(mailing_id: int) -> queries.Progress:
    db.session.rollback()
    return queries.progress(mailing_id)


def _waiting() -> int:
    db.session.rollback()
    open_states = (NoticeState.WAITING, NoticeState.SENDING)
    return db.session.scalar(select(func.count()).where(Notice.state.in_(open_states))) or 0


def _end(mailing_id: int, worker: Process) -> None:
    """The rest of the mailing is of no use any more."""
    db.session.rollback()
    mailing = db.session.get_one(Mailing, mailing_id, populate_existing=True)
    if mailing.finished_at is None:
        control.stop(mailing)
    db.session.commit()
    wait_for(lambda: _progress(mailing_id).is_over, PATIENCE, "the mailing has been stopped", worker)


def _taken(log: Path) -> dict[str, float]:
    """For each recipient, when the sink took the message (CLOCK_MONOTONIC)."""
    lines = (line.split(" ", 1) for line in log.read_text().splitlines())
    return {address: float(at) for at, address in lines}
