"""The numbers of /metrics, for Prometheus. Made anew from the database for each scrape: any number of web processes
says the same, and none has to keep anything.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from newsletter.db import db
from newsletter.watch import readiness, work

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LIVELY = 60.0  # seconds since the last sign of life of a process that counts as running


def exposition(*, has_database: bool = True) -> bytes:
    """Raises SQLAlchemyError when the database does not answer; then ask for what is left without it."""
    registry = CollectorRegistry()
    registry.register(_Collected(_all(has_database=has_database)))
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _all(*, has_database: bool) -> Iterator[Metric]:
    yield _gauge("build_info", "The version that runs.", [(1, version_of_ours())], "version")
    yield _gauge(
        "redis_up", "1 if Redis answers. Without it mail goes out all the same.", [(readiness.redis_answers(),)]
    )
    yield _gauge("database_up", "1 if PostgreSQL answers.", [(has_database,)])
    if has_database:
        readiness.limit_statements()
        yield from _of_work(work.look())
        yield from _of_lanes(work.lanes())
        yield from _of_processes(work.processes())
        db.session.rollback()


def _of_work(now: work.Work) -> Iterator[Metric]:
    outcomes = CounterMetricFamily(
        "newsletter_deliveries", "Messages of mailings by what became of them, for good.", labels=["outcome"]
    )
    for outcome, number in now.outcomes.items():
        outcomes.add_metric([outcome], number)
    yield outcomes
    yield _gauge("unconfirmed", "Messages that may or may not have left, undecided.", [(now.unconfirmed,)])
    yield _gauge("waiting", "Messages that a mail server put off, to be tried again.", [(now.waiting,)])
    yield _gauge("open_readers", "Readers of mailings under way who have no outcome yet.", [(now.open_readers,)])
    states = [(now.mailings.get(state, 0), state) for state in ("sending", "paused", "held", "stopped")]
    yield _gauge("mailings_open", "Mailings that are not over, by state.", states, "state")
    owed = [(now.notices.get(state, 0), state) for state in ("waiting", "sending")]
    yield _gauge("notices_open", "Notices (mail owed to one person) that have not ended, by state.", owed, "state")
    late = [(seconds, kind) for kind, seconds in now.oldest_due.items()]
    yield _gauge("oldest_due_seconds", "For how long the oldest work of a kind has been due.", late, "work")


def _of_lanes(lanes: list[work.LaneNow]) -> Iterator[Metric]:
    yield _gauge("lane_open", "0 while a mail server's words keep a lane closed.", _each(lanes, "is_open"), "lane")
    yield _gauge("lane_pace", "Share of its ordinary speed that a lane goes at.", _each(lanes, "pace"), "lane")
    yield _gauge("lane_taken_hour", "Messages that took a lane in this hour.", _each(lanes, "taken_hour"), "lane")
    yield _gauge("lane_taken_day", "Messages that took a lane in 24 hours.", _each(lanes, "taken_day"), "lane")


def _of_processes(processes: list[work.ProcessNow]) -> Iterator[Metric]:
    youngest: dict[tuple[str, str], float] = {}
    for each in processes:
        key = (each.kind, each.host)
        youngest[key] = min(each.seconds_ago, youngest.get(key, each.seconds_ago))
    seen = GaugeMetricFamily(
        "newsletter_seen_seconds", "Since the last sign of life, by kind of process.", labels=["process", "host"]
    )
    for (kind, host), seconds in youngest.items():
        seen.add_metric([kind, host], seconds)
    yield seen
    workers = sum(each.kind == "worker" and each.seconds_ago < LIVELY for each in processes)
    yield _gauge("workers", "Worker processes seen in the last minute.", [(workers,)])
    yield _gauge("pools_stuck", "Workers that live, and take no work from the queue.", [(len(stuck(processes)),)])


def stuck(processes: list[work.ProcessNow]) -> list[work.ProcessNow]:
    """Workers that live but have not taken work for a while, although there was some."""
    pools = {(each.host, each.number): each.seconds_ago for each in processes if each.kind == "pool"}
    return [
        each
        for each in processes
        if each.kind == "worker"
        and each.seconds_ago < LIVELY
        and pools.get((each.host, each.number), 0.0) > each.seconds_ago + LIVELY
    ]


@cache
def version_of_ours() -> str:
    try:
        return version("newsletter")
    except PackageNotFoundError:
        return "unknown"


def _each(lanes: list[work.LaneNow], what: str) -> list[tuple[float, str]]:
    return [(float(getattr(lane, what)), lane.name) for lane in lanes]


def _gauge(name: str, told: str, values: Iterable[tuple[float, str] | tuple[float]], label: str = "") -> Metric:
    made = GaugeMetricFamily(f"newsletter_{name}", told, labels=[label] if label else [])
    for value, *labels in values:
        made.add_metric([str(each) for each in labels], float(value))
    return made
