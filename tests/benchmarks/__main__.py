"""`python -m tests.benchmarks`: one table, and var/bench.json."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from newsletter.errors import NewsletterError
from newsletter.terminal.screen import out, say
from tests.benchmarks import compiling, engine, machine, million, notices, readers, round_trip, signing
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Results, write
from tests.benchmarks.house import House
from tests.benchmarks.readers import Sizes
from tests.benchmarks.sinks import compile_fastsink

WIDTH = 130  # columns of the table, also where there is no terminal

Measurement = Callable[[Bench], None]

# What is measured, and the newsletters whose readers it mails, beside those of the warm-up.
MEASUREMENTS: dict[str, tuple[Measurement, tuple[str, ...]]] = {
    "engine": (engine.measure, (readers.AUDIENCE,)),
    "rtt": (round_trip.measure, ()),
    "dkim": (signing.measure, (readers.TEN_THOUSAND,)),
    "million": (million.measure, (readers.TEN_THOUSAND, readers.LARGEST)),
    "notices": (notices.measure, (readers.LARGEST,)),
}
# What needs no house: neither servers nor readers.
BARE: dict[str, Callable[[Results], None]] = {"compile": compiling.measure}
MOST_ROUNDS = {"million": 3, "notices": 3}  # they take minutes each


def main() -> None:
    asked = _asked()
    sizes = _sizes(asked)
    chosen = asked.only.split(",") if asked.only else [*BARE, *MEASUREMENTS]
    begun = time.monotonic()
    try:
        if set(chosen) - set(BARE):
            machine.must_have()
        results = measure(chosen, sizes, asked.runs or (1 if asked.quick else 5))
    except NewsletterError as error:
        sys.exit(error.sentence)
    minutes = (time.monotonic() - begun) / 60
    write(
        asked.output,
        results,
        {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "minutes": round(minutes, 1),
            "machine": machine.described(),
            "sizes": vars(sizes),
        },
    )
    Console(highlight=False, width=max(out.width, WIDTH)).print(results.as_table())
    say(f"{minutes:.1f} minutes. Written to {asked.output}.")


def measure(chosen: list[str], sizes: Sizes, runs: int) -> Results:
    """So many rounds of everything that was chosen, interleaved: what disturbs the machine disturbs all of them."""
    results = Results()
    bare, housed = ([name for name in chosen if (name in BARE) is is_bare] for is_bare in (True, False))
    for number in range(1, runs + 1):
        for name in bare:
            say(f"Run {number} of {runs}: {name}")
            BARE[name](results)
    if housed:
        _measure_housed(housed, sizes, runs, results)
    return results


def _measure_housed(chosen: list[str], sizes: Sizes, runs: int, results: Results) -> None:
    slugs = dict.fromkeys(slug for name in chosen for slug in (readers.WARM_UP, *MEASUREMENTS[name][1]))
    folder = Path("var").resolve() / f"bench-{os.getpid()}"  # on a real disk: /tmp is often none
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as built:
        fastsink = compile_fastsink(Path(built))
        say(f"Starting PostgreSQL and Valkey, and making {max(map(sizes.of, slugs)):,} readers.")
        with House(folder, sizes, tuple(slugs)) as house:
            for number in range(1, runs + 1):
                for name in chosen:
                    if number > MOST_ROUNDS.get(name, runs):
                        continue
                    say(f"Run {number} of {runs}: {name}")
                    MEASUREMENTS[name][0](Bench(house, fastsink, results))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help=f"some of {','.join([*BARE, *MEASUREMENTS])}")
    parser.add_argument("--runs", type=int, default=0, help="rounds (5)")
    parser.add_argument("--readers", type=int, help="readers of the mailing that is compared (100,000)")
    parser.add_argument("--largest", type=int, help="readers of the largest mailing (1,000,000)")
    parser.add_argument("--signups", type=int, help="sign-ups in the burst (10,000)")
    parser.add_argument("--quick", action="store_true", help="one round of small numbers: to see that it works")
    parser.add_argument("--output", type=Path, default=Path("var/bench.json"))
    asked = parser.parse_args()
    if unknown := set(filter(None, asked.only.split(","))) - set(BARE) - set(MEASUREMENTS):
        parser.error(
            f"there is no measurement {', '.join(sorted(unknown))}; there are {', '.join([*BARE, *MEASUREMENTS])}"
        )
    return asked


def _sizes(asked: argparse.Namespace) -> Sizes:
    sizes = readers.QUICK if asked.quick else Sizes()
    given = {"audience": asked.readers, "largest": asked.largest, "signups": asked.signups}
    return replace(sizes, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    main()
