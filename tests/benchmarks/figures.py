"""The figures of the benchmark: what each is, the bar it is held against, and the one table."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.table import Table

from newsletter.terminal.screen import table


@dataclass(frozen=True)
class Figure:
    key: str
    what: str
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def bar(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""

    def is_met(self, value: float) -> bool | None:
        """None where there is no bar."""
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.at_most if self.at_most is not None else None


FIGURES = (
    Figure("engine_vs_smtp_source", "our engine / smtp-source, into smtp-sink", at_least=1.0),
    Figure("fast_sink_vs_smtp_source", "our engine / smtp-source, into the fast sink", at_least=0.7),
    Figure("engine_vs_plain_python", "our engine / a plain Python loop, into smtp-sink", at_least=8),
    Figure("rtt20_vs_smtplib", "our transport / smtplib.send_message, 20 ms away", at_least=4),
    Figure("rtt20_vs_sendmail", "our transport / smtplib.sendmail, 20 ms away (4.0 is the limit)"),
    Figure("worker_cpu_us_per_message", "CPU a message: our workers, into smtp-sink", "µs", at_most=120),
    Figure("postgres_cpu_us_per_message", "CPU a message: PostgreSQL", "µs"),
    Figure("redis_cpu_us_per_message", "CPU a message: Valkey", "µs"),
    Figure("sink_cpu_us_per_message", "CPU a message: smtp-sink", "µs"),
    Figure("worker_cpu_us_per_message_fast_sink", "CPU a message: our workers, into the fast sink", "µs", at_most=120),
    Figure("postgres_cpu_us_per_message_fast_sink", "CPU a message: PostgreSQL, fast sink", "µs"),
    Figure("redis_cpu_us_per_message_fast_sink", "CPU a message: Valkey, fast sink", "µs"),
    Figure("sink_cpu_us_per_message_fast_sink", "CPU a message: the fast sink", "µs"),
    Figure("engine_per_second", "our engine, into smtp-sink", "messages/s"),
    Figure("smtp_source_per_second", "smtp-source, into smtp-sink", "messages/s"),
    Figure("engine_per_second_fast_sink", "our engine, into the fast sink", "messages/s"),
    Figure("smtp_source_per_second_fast_sink", "smtp-source, into the fast sink", "messages/s"),
    Figure("plain_python_per_second", "a plain Python loop: EmailMessage, send_message", "messages/s"),
    Figure("rtt20_per_second", "our transport, 20 ms away", "messages/s"),
    Figure("rtt20_smtplib_per_second", "smtplib.send_message, 20 ms away", "messages/s"),
    Figure("message_kb", "size of one message", "KB"),
    Figure("dkim_vs_openssl", "CPU of a signature / openssl speed rsa2048", at_most=1.15),
    Figure("dkim_cpu_us_per_message", "CPU of a signature", "µs"),
    Figure("openssl_rsa2048_us", "openssl speed rsa2048, a process a worker", "µs"),
    Figure("start_1m_readers_s", "starting a mailing to the largest audience", "s", at_most=5),
    Figure("cost_1m_vs_10k", "CPU a message: largest audience / 10,000 readers", at_most=1.1),
    Figure("worker_memory_mb_10k", "memory of a worker process at most, 10,000 readers", "MB", at_most=120),
    Figure("worker_memory_mb_1m", "memory of a worker process at most, largest audience", "MB", at_most=120),
    Figure("worker_memory_growth", "memory: largest audience / 10,000 readers", at_most=1.1),
    Figure("worker_pss_mb_10k", "… with shared pages divided (PSS), 10,000 readers", "MB"),
    Figure("worker_pss_mb_1m", "… with shared pages divided (PSS), largest audience", "MB"),
    Figure("progress_page_ms", "the page of the largest mailing while it runs, median", "ms", at_most=50),
    Figure("progress_page_p99_ms", "… 99th percentile", "ms"),
    Figure("progress_part_ms", "… its changing part alone, median", "ms", at_most=50),
    Figure("million_per_second", "our engine, largest audience, into the fast sink", "messages/s"),
    Figure("notice_latency_median_s", "notice: from the sign-up’s commit to the 250, median", "s"),
    Figure("notice_latency_p99_s", "notice: … 99th percentile", "s"),
    Figure("notices_overtaking", "share of confirmations that overtook the mailing", at_least=1.0),
    Figure("signups_per_second", "sign-ups a second in that burst", "1/s"),
    Figure("mailing_left_after_burst", "readers of the mailing still to come after them"),
    Figure("compile_vs_plain", "all letters of a post of 2,000 words / one by plain mjml2html and Premailer"),
    Figure("compile_ms", "… all letters, proven to say the same", "ms"),
    Figure("compile_plain_ms", "… one by plain mjml2html and Premailer", "ms"),
    Figure("splice_vs_email_message", "an EmailMessage for a reader / our splice of the same letter", at_least=50),
    Figure("splice_us", "… our splice", "µs"),
    Figure("email_message_us", "… EmailMessage", "µs"),
)


@dataclass
class Results:
    """What was measured, run by run, and what could not be."""

    runs: dict[str, list[float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, **values: float) -> None:
        for key, value in values.items():
            if key not in _BY_KEY:
                raise KeyError(key)
            self.runs.setdefault(key, []).append(value)

    def cannot(self, why: str, *keys: str) -> None:
        self.notes |= dict.fromkeys(keys, why)

    def as_json(self) -> dict[str, object]:
        """For each figure: value (the median), lowest, highest, runs, unit, bar, is_met; nulls where it is missing."""
        return {figure.key: self._entry(figure) for figure in FIGURES}

    def as_table(self) -> Table:
        made = table("", "median", "lowest–highest", "runs", "bar", "met", "unit", numbers=("median", "runs", "bar"))
        for figure in FIGURES:
            runs = self.runs.get(figure.key)
            if runs:
                value = median(runs)
                met = {True: "[green]yes[/]", False: "[bold red]no[/]", None: ""}[figure.is_met(value)]
                spread = f"{rounded(min(runs))}–{rounded(max(runs))}"
                made.add_row(figure.what, rounded(value), spread, str(len(runs)), figure.bar, met, figure.unit)
            elif figure.key in self.notes:
                made.add_row(figure.what, "–", "not available", "", figure.bar, "", figure.unit)
        return made

    def _entry(self, figure: Figure) -> dict[str, object]:
        runs = self.runs.get(figure.key, [])
        value = median(runs) if runs else None
        return {
            "what": figure.what,
            "value": value,
            "lowest": min(runs, default=None),
            "highest": max(runs, default=None),
            "runs": runs,
            "unit": figure.unit,
            "bar": figure.bar,
            "is_met": figure.is_met(value) if value is not None else None,
            "note": self.notes.get(figure.key, "" if runs else "not measured in this run"),
        }


_BY_KEY = {figure.key: figure for figure in FIGURES}


def write(path: Path, results: Results, about: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**about, "figures": results.as_json()}, indent=2, ensure_ascii=False) + "\n")


def rounded(value: float) -> str:
    """Three digits that mean something."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 4)}f}"


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
