"""Our engine end to end, beside smtp-source and a plain loop, into the same servers."""

import json
from pathlib import Path

from emails.personalise import MARK
from tests.benchmarks import machine, readers
from tests.benchmarks.bench import Bench
from tests.benchmarks.house import Mailed, family_costs
from tests.benchmarks.sinks import FastSink, PostfixSink, Sink, smtp_source

KEYS = ("engine_vs_smtp_source", "fast_sink_vs_smtp_source", "engine_vs_plain_python", "worker_cpu_us_per_message")


def measure(bench: Bench) -> None:
    """One run of each, one after the other."""
    with PostfixSink() as sink:
        mailed, costs = _mail(bench, sink)
        message = bench.house.message(mailed.mailing_id)
        source = smtp_source(sink.port, bench.sizes.source, len(message))
        plain = bench.rival("plain", sink.url, str(_letter(bench, mailed)), str(bench.sizes.plain))
    bench.say(f"into smtp-sink: we {mailed.per_second:,.0f}/s, smtp-source {source:,.0f}/s, a loop {plain:,.0f}/s")
    bench.results.add(
        engine_vs_smtp_source=mailed.per_second / source,
        engine_vs_plain_python=mailed.per_second / plain,
        engine_per_second=mailed.per_second,
        smtp_source_per_second=source,
        plain_python_per_second=plain,
        message_kb=len(message) / 1000,
        **{f"{who}_cpu_us_per_message": cost for who, cost in costs.items()},
    )
    with FastSink(bench.fastsink) as fast:
        mailed, costs = _mail(bench, fast)
        source = smtp_source(fast.port, 2 * bench.sizes.source, len(message))
    bench.say(f"into the fast sink: we {mailed.per_second:,.0f}/s, smtp-source {source:,.0f}/s")
    bench.results.add(
        fast_sink_vs_smtp_source=mailed.per_second / source,
        engine_per_second_fast_sink=mailed.per_second,
        smtp_source_per_second_fast_sink=source,
        **{f"{who}_cpu_us_per_message_fast_sink": cost for who, cost in costs.items()},
    )


def _mail(bench: Bench, sink: Sink) -> tuple[Mailed, dict[str, float]]:
    with bench.house.worker(sink.url) as worker:
        costs: machine.Costs = family_costs(bench.house, worker, sink.pid)
        mailed = bench.house.mail(readers.AUDIENCE, worker)
        return mailed, costs.microseconds_each(mailed.messages)


def _letter(bench: Bench, mailed: Mailed) -> Path:
    """What the plain loop starts from: the same words, compiled once, with marks to replace."""
    compiled, sender = bench.house.templates(mailed.mailing_id)
    name = next(found[0] for found in MARK.finditer(compiled.text) if found[1].startswith("NAME_"))
    letter = {
        "sender": sender,
        "subject": compiled.subject,
        "text": compiled.text,
        "html": compiled.html,
        "name_mark": name,
        "leave_mark": "__UNSUBSCRIBE_URL__",
    }
    path = bench.folder / "letter.json"
    path.write_text(json.dumps(letter))
    return path
