"""Outlives the supervisor by a moment: when that one is killed, ends everything it had started, in order.

Its standard input is a pipe from the supervisor: a word means an orderly end, an end without a word means a death.
"""

import signal
import sys
from pathlib import Path

from newsletter.up.processes import Identity
from newsletter.up.run_file import RunFile


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    run_file, grace, pid, started = sys.argv[1:]
    if not sys.stdin.read():
        RunFile(Path(run_file)).bury(Identity(int(pid), started), float(grace))


if __name__ == "__main__":
    main()
