"""What every measurement has at hand."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from newsletter.terminal.screen import say
from tests.benchmarks.figures import Results
from tests.benchmarks.house import House, python_module
from tests.benchmarks.readers import Sizes


@dataclass(frozen=True)
class Bench:
    house: House
    fastsink: Path  # the compiled program
    results: Results

    @property
    def sizes(self) -> Sizes:
        return self.house.sizes

    @property
    def folder(self) -> Path:
        return self.house.folder

    def say(self, sentence: str) -> None:
        say(f"  {sentence}")

    def rival(self, *words: str) -> float:
        """Messages a second of one of the programs in rivals.py. Raises CalledProcessError with its last words."""
        done = subprocess.run(
            python_module("tests.benchmarks.rivals", *words), check=True, stdout=subprocess.PIPE, text=True
        )
        told = json.loads(done.stdout)
        per_second: float = told["messages"] / told["seconds"]
        return per_second
