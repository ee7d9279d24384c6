"""Structured logs of all our processes. Nothing here may carry an address, a token or a secret: ids only.

What slips in all the same, in the words of a mail server or in a trace, is masked just before it is written.
"""

import logging
import re
import sys
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import SecretStr

from newsletter.config import Settings

MASK = "…"
_SHORTEST = 6  # characters of a secret that is looked for: a shorter one would mask ordinary words

# An address, also as it stands in a link; what has no dot after the @ is a name of a program or a machine.
_ADDRESS = re.compile(r"[^\s<>\"'(),:;=/\[\]…]+(?:@|%40)[\w.-]*\.\w[\w-]*|\"[^\"\s]+\"@\S+", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(\w+://)[^\s/@]*@")
_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z2-7]{16,}[A-Za-z2-7+]*(?![A-Za-z0-9])")
_IN_PATH = re.compile(
    r"(/(?:leave|undo|confirm|refuse|preferences|address|preview|put-back)/)[^\s/?#\"']+", re.IGNORECASE
)
_QUERY = re.compile(r"(\?)[^\s\"']+")
_BEARER = re.compile(r"\b(bearer|basic)\s+\S+", re.IGNORECASE)

Processor = Callable[[Any, str, structlog.types.EventDict], structlog.types.EventDict]


def configure(settings: Settings) -> None:
    """Our own lines, by structlog. `take_over` does the same for everybody else's."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_common(settings), _renderer(settings)],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


def take_over(settings: Settings, *, level: int = logging.WARNING) -> None:
    """Let all lines of this process that come by Python's own logging look like ours: Celery's, gunicorn's, all."""
    logging.captureWarnings(capture=True)
    logging.basicConfig(level=level, handlers=[handler(settings)], force=True)


def handler(settings: Settings) -> logging.Handler:
    """One that writes what comes by Python's own logging."""
    made = logging.StreamHandler(sys.stderr)
    made.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.add_logger_name,
                *_common(settings),
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(settings),
            ]
        )
    )
    return made


def masked(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Without addresses, tokens in paths, credentials, and these secrets."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    text = _CREDENTIALS.sub(rf"\1{MASK}@", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _IN_PATH.sub(rf"\1{MASK}", text)
    text = _ADDRESS.sub(MASK, text)
    return _TOKEN.sub(lambda found: MASK if _is_token(found[0]) else found[0], text)


def masked_path(path: str) -> str:
    """The path of a request, without what may be a key in it, and without its query."""
    return masked(_QUERY.sub(r"\1…", path))


def _is_token(word: str) -> bool:
    """Long, and no word of a language or of Python: these have no digits between their letters."""
    return len(word) >= 26 and any(each.isdigit() for each in word)


def _common(settings: Settings) -> list[structlog.types.Processor]:
    secrets = _secrets(settings)

    def mask(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        return {name: _masked(value, secrets) for name, value in event.items()}

    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]


def _masked(value: Any, secrets: tuple[str, ...]) -> Any:
    match value:
        case str():
            return masked(value, secrets)
        case dict():
            return {name: _masked(each, secrets) for name, each in value.items()}
        case list() | tuple() | set():
            return [_masked(each, secrets) for each in value]
        case None | bool() | int() | float() | logging.LogRecord():
            return value
    return masked(repr(value), secrets)


@cache
def _renderer_of(is_json: bool, has_colours: bool) -> structlog.types.Processor:
    return structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=has_colours)


def _renderer(settings: Settings) -> structlog.types.Processor:
    return _renderer_of(settings.log_json, sys.stderr.isatty())


def _secrets(settings: Settings) -> tuple[str, ...]:
    """Everything among the settings that must not be read in a log, longest first."""
    found: set[str] = set(settings.all_secret_keys)
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            found.add(value.get_secret_value())
            found.update(_passwords(value.get_secret_value()))
    for url in (settings.database_url, settings.redis_url, *settings.mail_urls):
        found.update(_passwords(url))
    return tuple(sorted((each for each in found if len(each) >= _SHORTEST), key=len, reverse=True))


def _passwords(url: str) -> set[str]:
    """The password of an address; where there is none, its user is the key (as for some providers)."""
    try:
        parts = urlsplit(url)
        raw = parts.password or (parts.username if parts.scheme in {"postmark", "mailgun", "resend"} else "") or ""
    except ValueError:
        return set()
    return {raw, unquote(raw)}
