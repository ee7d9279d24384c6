"""What is masked in a log, and what is left readable."""

import json
import logging

import pytest
import structlog

from newsletter import logs
from newsletter.config import Settings

TOKEN = "geydambqgaytemzugeydambqgaytemzu234567"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("550 5.1.1 <ada@example.com>: unknown", "550 5.1.1 <…>: unknown"),
        ("to=<o'brien+x@letters.example.org>", None),
        ("GET /subscribe?email=ada%40example.com", "GET /subscribe?email=…"),
        (f"GET /leave/{TOKEN} 200", "GET /leave/… 200"),
        (f"b+{TOKEN}@bounces.example.org", "…"),
        (f"return path {TOKEN}", "return path …"),
        ("redis://:hunter2@127.0.0.1:6379/0", "redis://…@127.0.0.1:6379/0"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("Authorization: Basic YTpi", "Authorization: Basic …"),
        ("celery@vm ready", "celery@vm ready"),
        ("newsletter.sending.models.MailingState", "newsletter.sending.models.MailingState"),
        ("HTTPConnectionPoolUnavailableException", "HTTPConnectionPoolUnavailableException"),
        ("421 4.7.0 try again later", "421 4.7.0 try again later"),
    ],
)
def test_addresses_tokens_and_credentials_are_masked(text: str, written: str | None) -> None:
    masked = logs.masked(text)

    assert "example.com" not in masked or "@" not in masked
    assert masked == (written if written is not None else masked)
    assert "brien" not in masked


def test_a_trace_of_somebody_elses_code_is_masked_and_is_json(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    given = settings.model_copy(
        update={"log_json": True, "mail_url": "smtp://someone:p%40ss-of-relay@mail.example.net"}
    )
    handler = logs.handler(given)
    logger = logging.getLogger("somebody.else")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        try:
            int("p@ss-of-relay as ada@example.com")
        except ValueError:
            logger.exception("failed for %s", "grace@example.com")
    finally:
        logger.removeHandler(handler)

    told = json.loads(capfd.readouterr().err)
    assert told["event"] == "failed for …"
    assert told["logger"] == "somebody.else"
    assert told["level"] == "error"
    assert "ValueError" in told["exception"]
    assert "p@ss" not in told["exception"]
    assert "ada@" not in told["exception"]


def test_our_own_lines_are_masked_too(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        logs.configure(settings.model_copy(update={"log_json": True}))
        structlog.get_logger().info("refused", reply="550 <ada@example.com>", ids=[1, 2], more={"to": "a@b.org"})
    finally:
        structlog.configure(**before)

    told = json.loads(capfd.readouterr().err)
    assert (told["reply"], told["ids"], told["more"]) == ("550 <…>", [1, 2], {"to": "…"})
