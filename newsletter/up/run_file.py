"""var/run.json: who runs here, so that a later run can end what a killed one left behind."""

import json
import signal
from dataclasses import dataclass
from pathlib import Path

from newsletter.up import places, processes
from newsletter.up.processes import Identity

# What is asked to end first stands first: nothing loses what it needs while it still works.
_ORDER = {"beat": 0, "worker": 1, "web": 1, "inbox": 3, "till": 3, "postgres": 4, "valkey": 5}


def rank(name: str) -> int:
    """Processes of one rank are stopped together; a process of the Procfile that we do not know counts as a worker."""
    return _ORDER.get(name, _ORDER["worker"])


def farewell(name: str) -> int:
    """The signal that asks for an orderly end."""
    return signal.SIGINT if name == "postgres" else signal.SIGTERM


@dataclass(frozen=True)
class RunFile:
    path: Path

    def write(self, supervisor: Identity, running: dict[str, Identity]) -> None:
        entries = {name: [who.pid, who.started] for name, who in running.items()}
        places.write_private(self.path, json.dumps({"up": [supervisor.pid, supervisor.started], "running": entries}))

    def read(self) -> tuple[Identity | None, dict[str, Identity]]:
        try:
            known = json.loads(self.path.read_text())
            running = {name: Identity(*who) for name, who in known["running"].items()}
            return Identity(*known["up"]), running
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None, {}

    def end_leftovers(self, grace: float = 10) -> list[str]:
        """End, in order, what the run named in the file has left; the names of what there was."""
        running = self.read()[1]
        left = sorted((name for name, who in running.items() if who.is_running), key=rank)
        for name in left:
            running[name].end(farewell(name), grace)
        return left

    def bury(self, supervisor: Identity, grace: float) -> None:
        """At the death of this supervisor: end all it had, and what those left that ended by themselves."""
        named, running = self.read()
        if named != supervisor:
            return  # a new run has begun
        for name in sorted(running, key=rank):
            running[name].end(farewell(name), grace)
            # Only now can the group be nobody else's: a number is not given away while its group lives.
            processes.end_group(running[name].pid)

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)
