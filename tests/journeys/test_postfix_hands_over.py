"""A real Postfix, set up by the words of docs/bounces.md, hands what comes back to our listener."""

import re
import smtplib
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from newsletter.config import Settings
from tests import cast, returned_mail
from tests.journeys.processes import Process, wait_for
from tests.postfix import Postfix
from tests.sending import mailings
from tests.sending.mailings import is_suppressed

pytestmark = [pytest.mark.judges, pytest.mark.usefixtures("bounce_domain")]

DOCS = Path(__file__).parents[2] / "docs" / "bounces.md"
RECIPIENTS = "/etc/postfix/newsletter_recipients"


def block(beginning: str) -> str:
    """The block of the page that begins with these words."""
    blocks: list[str] = re.findall(r"^```\w*\n(.*?)^```$", DOCS.read_text(), re.DOTALL | re.MULTILINE)
    (found,) = (each for each in blocks if each.startswith(beginning))
    return found


def test_postfix_as_the_page_sets_it_up_hands_over_what_is_ours_and_refuses_the_rest(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    ada, grace = cast.ada(), cast.grace()
    mailing = mailings.sent()
    recipients = tmp_path / "recipients"
    recipients.write_text(block("/^b"))
    command = ("newsletter.cli", "bounces", "listen", "--lmtp", "--port", "0")
    given = {"BOUNCE_DOMAIN": "bounces.example.org", "PYTHONUNBUFFERED": "1"}
    with Process(settings, "smtp://127.0.0.1:1", *command, **given) as listener:  # type: ignore[arg-type]  # all text
        wait_for(lambda: "Taking mail on" in listener.output, 20, "a listener", listener)
        port = listener.output.rpartition(":")[2].strip().rstrip(".")
        asked = block("relay_domains").replace("8024", port).replace(RECIPIENTS, str(recipients))

        with Postfix(more=asked) as postfix:
            with smtplib.SMTP("127.0.0.1", postfix.port, timeout=20) as client:
                client.sendmail("", [mailings.return_address(mailing, ada)], returned_mail.dsn())
                complaint = returned_mail.dsn(about="grace@example.com", message_id=mailings.message_id(mailing, grace))
                client.sendmail("", ["complaints@bounces.example.org"], complaint)
                with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                    client.sendmail("", ["anybody@bounces.example.org"], returned_mail.dsn())
            ((code, _),) = refused.value.recipients.values()
            assert code == 550

            def log() -> str:
                return postfix.log.read_text() if postfix.log.exists() else ""

            wait_for(lambda: log().count("status=sent (250 2.0.0 Taken)") == 2, 30, "both handed over", listener)

    assert is_suppressed(ada)
    assert is_suppressed(grace)


def test_the_pipe_of_the_page_is_a_shell_script_that_can_be_read(tmp_path: Path) -> None:
    script = block("#!/bin/sh")
    path = tmp_path / "inbound"
    path.write_text(script)

    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
    assert 'inbound take --recipient "$ORIGINAL_RECIPIENT"' in script
