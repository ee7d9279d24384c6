"""The environment of the processes: what the person set stays; what is missing is made here, for this machine."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter.up import places


@dataclass(frozen=True)
class Given:
    """Servers that the person brings: we do not start our own beside them."""

    database: str
    redis: str
    mail: str

    @classmethod
    def by(cls, environment: Mapping[str, str]) -> "Given":
        return cls(*(environment.get(name, "") for name in ("DATABASE_URL", "REDIS_URL", "MAIL_URL")))


def surroundings(
    environment: Mapping[str, str], var: Path, *, database: str, redis: str, mail: str, port: int, has_inbox: bool
) -> dict[str, str]:
    programs = Path(sys.executable).parent
    env = {
        "SECRET_KEY": environment.get("SECRET_KEY") or places.secret(var / "secret_key"),
        "SITE_URL": environment.get("SITE_URL") or f"http://{places.LOOPBACK}:{port}",
        # One process of many threads serves a demo well; the budget is memory.
        "WEB_CONCURRENCY": environment.get("WEB_CONCURRENCY") or "1",
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "MAIL_URL": mail,
        "DATA_DIR": str(var),
        "PORT": str(port),
        "LISTEN": places.LOOPBACK,
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{programs}{os.pathsep}{environment.get('PATH', os.defpath)}",
    }
    if has_inbox:
        env["INBOX_DIR"] = str(var / "inbox")
    return {**environment, **env}
