"""demo.json: says that a folder is the demo's, how its owner signs in, and whether all has been well once."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from newsletter.up import demo_house, places


@dataclass
class DemoNote:
    folder: Path
    password: str
    is_complete: bool = False

    @staticmethod
    def path(folder: Path) -> Path:
        return folder / "demo.json"

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The note in this folder; a new one, written down at once, if there is none that can be read."""
        try:
            known = json.loads(cls.path(folder).read_text())
            return cls(folder, str(known["password"]), bool(known["is_complete"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            note = cls(folder, secrets.token_urlsafe(12))
            note._write()
            return note

    def complete(self) -> None:
        self.is_complete = True
        self._write()

    def _write(self) -> None:
        told = asdict(self) | {"email": demo_house.OWNER_EMAIL}
        del told["folder"]
        places.write_private(self.path(self.folder), json.dumps(told))
