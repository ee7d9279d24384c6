"""The commands that start the processes, where they are set up badly."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["worker", "worker.beat"])
def test_what_is_wrong_with_the_settings_is_said_in_words(module: str) -> None:
    environment = {"PATH": os.environ["PATH"]}

    done = subprocess.run(
        [sys.executable, "-m", module], env=environment, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 2
    assert "SECRET_KEY" in done.stderr
    assert "Traceback" not in done.stderr
