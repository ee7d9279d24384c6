"""What the processes say, read from their log files: each line with the name of who said it."""

import threading
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.text import Text

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan")


class Voice(Protocol):
    def __call__(self, name: str, line: str, /) -> None: ...


def silent(name: str, line: str) -> None:
    """For tests and for the demo, which has its own words. The log files still have everything."""


def printed(console: Console | None = None) -> Voice:
    """Lines on the terminal, one colour per process."""
    console = console or Console(highlight=False)
    colours: dict[str, str] = {}

    def say(name: str, line: str) -> None:
        colour = colours.setdefault(name, _COLOURS[len(colours) % len(_COLOURS)])
        console.print(Text(f"{name:>8} ", style=colour) + Text.from_ansi(line), soft_wrap=True)

    return say


class Tail:
    """Reads on where it stopped. The files belong to the processes: they can write whether we live or not."""

    def __init__(self, say: Voice) -> None:
        self._say = say
        self._places: dict[str, tuple[Path, int]] = {}
        self._halves: dict[str, bytes] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def follow(self, name: str, path: Path) -> None:
        """Show what is added to this file from now on."""
        self._places.setdefault(name, (path, path.stat().st_size if path.exists() else 0))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            self._read_all()
        self._read_all()

    def _read_all(self) -> None:
        for name, (path, place) in list(self._places.items()):
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(place if place <= path.stat().st_size else 0)  # put aside, and begun anew
                fresh = self._halves.pop(name, b"") + file.read()
                self._places[name] = (path, file.tell())
            *lines, self._halves[name] = fresh.split(b"\n")
            for line in lines:
                self._say(name, line.decode(errors="replace").rstrip("\r"))
