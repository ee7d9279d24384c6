"""What the doctor says about one thing."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    level: Level
    about: str
    sentence: str
    advice: str = ""  # what to do, as exactly as can be said


def ok(about: str, sentence: str) -> Finding:
    return Finding(Level.OK, about, sentence)


def warn(about: str, sentence: str, advice: str = "") -> Finding:
    return Finding(Level.WARN, about, sentence, advice)


def fail(about: str, sentence: str, advice: str = "") -> Finding:
    return Finding(Level.FAIL, about, sentence, advice)
