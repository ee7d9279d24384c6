"""`make bench` with small numbers: every figure is there, and means what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

import emails
from tests.benchmarks import compiling
from tests.benchmarks.figures import FIGURES, Figure, Results, percentile, rounded
from tests.emails import samples

ROOT = Path(__file__).parents[2]


@pytest.mark.journey
def test_the_benchmark_measures_everything_it_promises(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    told = _run("--quick", "--output", str(output))
    figures = json.loads(output.read_text())["figures"]

    assert set(figures) == {figure.key for figure in FIGURES}
    missing = {key for key, each in figures.items() if each["value"] is None}
    assert missing <= {"dkim_vs_openssl", "dkim_cpu_us_per_message"}
    for key, each in figures.items():
        if key not in missing:
            assert each["lowest"] <= each["value"] <= each["highest"], key
            assert (each["is_met"] is None) == (each["bar"] == ""), key
        assert each["what"].split(",")[0][:30] in told, "the table shows it as well"
    _are_sane({key: each["value"] for key, each in figures.items()})
    assert not list((ROOT / "var").glob("bench-*")), "nothing is left behind"


def _are_sane(value: dict[str, Any]) -> None:
    assert 25 < value["message_kb"] < 36
    assert 0.05 < value["engine_vs_smtp_source"] < 5
    assert value["engine_vs_smtp_source"] == pytest.approx(value["engine_per_second"] / value["smtp_source_per_second"])
    assert 2 < value["rtt20_vs_smtplib"] < 6
    assert value["rtt20_smtplib_per_second"] <= 10 / 0.080  # ten connections, four round trips of 20 ms
    assert value["rtt20_per_second"] <= 10 / 0.020
    assert 10 < value["worker_cpu_us_per_message"] < 5_000
    assert 1 < value["postgres_cpu_us_per_message"] < 2_000
    assert value["sink_cpu_us_per_message_fast_sink"] < value["sink_cpu_us_per_message"]
    assert 50 < value["openssl_rsa2048_us"] < 10_000
    assert 40 < value["worker_pss_mb_10k"] <= value["worker_memory_mb_10k"] < 400
    assert 0 < value["start_1m_readers_s"] < 30
    assert 1 < value["progress_part_ms"] < 5_000
    assert 0 <= value["notice_latency_median_s"] <= value["notice_latency_p99_s"] < 120
    assert 0 <= value["notices_overtaking"] <= 1
    _letters_are_sane(value)


def _letters_are_sane(value: dict[str, Any]) -> None:
    assert 0.1 < value["compile_vs_plain"] < 20  # one quick round, perhaps beside other work: sane, no more
    assert value["splice_vs_email_message"] > 20
    assert 1 < value["splice_us"] < 1_000 < value["email_message_us"]


@pytest.mark.slow
def test_what_needs_no_server_is_measured_without_any(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    _run("--only", "compile", "--runs", "1", "--output", str(output))

    figures = json.loads(output.read_text())["figures"]
    measured = {key: each["value"] for key, each in figures.items() if each["value"] is not None}
    assert len(measured) == 6
    _letters_are_sane(measured)


def test_both_sides_make_the_same_letter() -> None:
    said = compiling.post()
    html = samples.tree(compiling.plain(compiling.document(said)))
    compiled = emails.compile_post(said, samples.THEME, emails.Audience.PAYING)
    ada = compiling.reader(3)
    ours = samples.read(emails.build_letter(compiled, samples.ENVELOPE).splice(ada))
    theirs = samples.read(compiling.built(compiled, ada))

    assert len(compiled.text.split()) > compiling.WORDS
    assert words(html) == words(samples.tree(compiled.html))
    for kind in ("plain", "html"):
        assert samples.part(ours, kind).split() == samples.part(theirs, kind).split()


def words(page: Any) -> str:
    return "".join(str(page.xpath("//body")[0].text_content()).split())


def test_an_unknown_measurement_is_refused_by_name() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--only", "engine,speed"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no measurement speed" in done.stderr


@pytest.mark.slow
def test_a_program_that_is_missing_is_named_with_its_package(tmp_path: Path) -> None:
    hidden = "import tests.benchmarks.machine as m; m.program = lambda name: None; m.must_have()"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "smtp-source (Debian: postfix)" in done.stderr


def test_a_figure_is_the_median_of_its_runs_with_their_spread() -> None:
    results = Results()
    for value in (1.4, 0.9, 1.1, 3.0, 0.8):
        results.add(engine_vs_smtp_source=value)
    results.cannot("not available", "dkim_vs_openssl")

    told = results.as_json()
    entry, absent, unmeasured = told["engine_vs_smtp_source"], told["dkim_vs_openssl"], told["cost_1m_vs_10k"]
    assert isinstance(entry, dict)
    assert isinstance(absent, dict)
    assert isinstance(unmeasured, dict)
    assert (entry["value"], entry["lowest"], entry["highest"]) == (1.1, 0.8, 3.0)
    assert entry["value"] == median(entry["runs"])
    assert (entry["bar"], entry["is_met"]) == ("≥ 1", True)
    assert (absent["value"], absent["is_met"], absent["note"]) == (None, None, "not available")
    assert unmeasured["note"] == "not measured in this run"


def test_a_key_that_is_no_figure_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Results().add(engine_vs_pigeon=1.0)


@pytest.mark.parametrize(
    ("figure", "value", "is_met"),
    [
        (Figure("a", "", at_least=1.0), 1.0, True),
        (Figure("a", "", at_least=1.0), 0.99, False),
        (Figure("a", "", at_most=120), 120, True),
        (Figure("a", "", at_most=120), 121, False),
        (Figure("a", ""), 5, None),
    ],
)
def test_a_bar_is_met_or_not(figure: Figure, value: float, is_met: bool | None) -> None:
    assert figure.is_met(value) is is_met


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0


def test_figures_are_shown_with_three_digits_that_mean_something() -> None:
    assert [rounded(value) for value in (0, 0.01234, 1.2345, 123.45, 21_269.4)] == [
        "0",
        "0.0123",
        "1.23",
        "123",
        "21,269",
    ]


def _run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=600,
        env={name: value for name, value in os.environ.items() if name not in {"BOUNCE_DOMAIN", "INBOX_DIR"}},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
