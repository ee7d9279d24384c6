"""The largest audience beside a small one: the cost of a message, memory, the start, and the page that is watched."""

import http.client
import threading
import time
from statistics import median

from newsletter.accounts import owners, sessions
from newsletter.accounts.models import User
from newsletter.admin import guard
from newsletter.db import db
from newsletter.up import places
from tests.benchmarks import machine, readers
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import percentile
from tests.benchmarks.house import House, family_costs
from tests.benchmarks.sinks import FastSink, Sink
from tests.journeys.processes import Process, wait_for

KEYS = ("start_1m_readers_s", "cost_1m_vs_10k", "worker_memory_mb_10k", "worker_memory_mb_1m", "progress_page_ms")
SMALL_MAILINGS = 3
LOOK_EVERY = 0.2  # seconds between two looks at the page
WEB = ("gunicorn", "--no-control-socket", "--worker-class", "gthread", "--threads", "8", "--workers", "2")
_EMAIL, _PASSWORD = "ken@example.com", "a quiet owl reads"


def measure(bench: Bench) -> None:
    with FastSink(bench.fastsink) as sink:
        small = _small(bench, sink)
        large = _large(bench, sink)
    bench.results.add(cost_1m_vs_10k=large[0] / small[0], worker_memory_growth=large[1] / small[1])


def _small(bench: Bench, sink: Sink) -> tuple[float, float]:
    """Processor time of a message without the sink's, in µs, and memory in MB."""
    house = bench.house
    with house.worker(sink.url) as worker, machine.PssWatch(worker.children()) as watch:
        costs = family_costs(house, worker, sink.pid)
        sent = sum(house.mail(readers.TEN_THOUSAND, worker).messages for _ in range(SMALL_MAILINGS))
        cost = _ours(costs.microseconds_each(sent))
        memory = max(machine.peak_mb(pid) for pid in worker.children())
    bench.results.add(worker_memory_mb_10k=memory, worker_pss_mb_10k=watch.highest_mb)
    bench.say(f"{bench.sizes.ten_thousand:,} readers: {cost:.0f} µs a message, {memory:.0f} MB")
    return cost, memory


def _large(bench: Bench, sink: Sink) -> tuple[float, float]:
    house = bench.house
    with _web(house) as web, house.worker(sink.url) as worker, machine.PssWatch(worker.children()) as watch:
        costs = family_costs(house, worker, sink.pid)
        mailing, begun, start_seconds = house.begin(readers.LARGEST)
        with PageWatch(house.site_port, mailing.id, _cookie()) as page:
            mailed = house.finish(mailing.id, begun, start_seconds, worker)
        cost = _ours(costs.microseconds_each(mailed.messages))
        memory = max(machine.peak_mb(pid) for pid in worker.children())
    if page.trouble:
        raise AssertionError(f"the page could not be seen: {page.trouble}\n{web.output[-2000:]}")
    bench.results.add(
        start_1m_readers_s=start_seconds,
        worker_memory_mb_1m=memory,
        worker_pss_mb_1m=watch.highest_mb,
        million_per_second=mailed.per_second,
        progress_page_ms=median(page.whole),
        progress_page_p99_ms=percentile(page.whole, 0.99),
        progress_part_ms=median(page.part),
    )
    bench.say(
        f"{mailed.messages:,} readers: started in {start_seconds:.2f} s, {mailed.per_second:,.0f}/s, "
        f"{cost:.0f} µs a message, {memory:.0f} MB, page {median(page.whole):.0f} ms ({len(page.whole)} looks)"
    )
    return cost, memory


def _ours(costs: dict[str, float]) -> float:
    return costs["worker"] + costs["postgres"] + costs["redis"]


def _web(house: House) -> Process:
    bind = f"{places.LOOPBACK}:{house.site_port}"
    return Process(house.settings, house.settings.mail_url, *WEB, "--bind", bind, "newsletter.app:create_app()")


def _cookie() -> str:
    if User.by_email(_EMAIL) is None:
        owners.create_owner(_EMAIL, "Ken", _PASSWORD)
        db.session.commit()
    secret = sessions.sign_in(_EMAIL, _PASSWORD).secret
    db.session.commit()
    return f"{guard.cookie_name()}={secret}"


class PageWatch:
    """Looks at the page of a mailing again and again, as its author would: times in ms, from asking to the last byte.

    Over one connection that stays open, from a real web server, in turns at the whole page and at its changing part.
    """

    def __init__(self, port: int, mailing_id: int, cookie: str) -> None:
        self.whole: list[float] = []
        self.part: list[float] = []
        self.trouble = ""
        self._port, self._cookie, self._path = port, cookie, f"/desk/sends/{mailing_id}"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PageWatch":
        wait_for(lambda: places.is_open(self._port), 60, "the web server answers")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        try:
            self._look_again_and_again()
        except (OSError, http.client.HTTPException, AssertionError) as error:
            self.trouble = str(error) or type(error).__name__

    def _look_again_and_again(self) -> None:
        connection = http.client.HTTPConnection(places.LOOPBACK, self._port, timeout=30)
        for _ in range(4):  # the first looks of each web process load its templates
            self._look(connection, self._path)
        while True:
            self.whole.append(self._look(connection, self._path))
            self.part.append(self._look(connection, f"{self._path}/progress"))
            if self._done.wait(LOOK_EVERY):
                connection.close()
                return

    def _look(self, connection: http.client.HTTPConnection, path: str) -> float:
        begun = time.monotonic()
        connection.request("GET", path, headers={"Cookie": self._cookie})
        response = connection.getresponse()
        response.read()
        assert response.status == 200, f"{path} answers {response.status}"
        return (time.monotonic() - begun) * 1000
