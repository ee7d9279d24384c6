"""The doctor on the machine, the work that is due, and where bounces come back to."""

import shutil
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db
from newsletter.doctor import machine, return_path_dns, work_due
from newsletter.doctor.findings import Finding
from newsletter.sending import judge
from newsletter.sending.models import Heartbeat, Lane, Mailing, MailingState
from tests.doubles import JobQueue, Outbox
from tests.sending import doubtful

Usage = namedtuple("Usage", "total used free")


def by_name(found: list[Finding]) -> dict[str, Finding]:
    return {finding.about: finding for finding in found}


def test_a_folder_that_can_be_written_on_a_disk_with_room_is_well(app: Flask, settings: Settings) -> None:
    found = by_name(list(machine.check(settings)))

    assert found["DATA_DIR"].level == "ok"
    assert found["Journal"].level in {"ok", "warn"}  # a machine for tests may have nothing but memory


def test_a_disk_nearly_full_is_told(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - 10**7, 10**7))

    assert "nearly full: 9 MB" in by_name(list(machine.check(settings)))["DATA_DIR"].sentence


def test_a_journal_on_memory_is_told(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_file_system", lambda folder: "tmpfs")

    assert "forgets" in by_name(list(machine.check(settings)))["Journal"].sentence


def test_a_clock_that_is_wrong_is_told(app: Flask) -> None:
    assert machine.check_clock().level == "ok"
    with time_machine.travel(clock.now() + timedelta(seconds=10), tick=True):
        assert "differs" in machine.check_clock().sentence


@pytest.mark.parametrize(
    ("line", "level", "words"),
    [
        ("4jZNG14Rsmz1WmxL", "ok", "long queue ids"),
        ("4A1B2C3D5E", "fail", "short queue ids"),
        ("", "fail", "cannot be read"),
    ],
)
def test_the_log_of_postfix_is_looked_at(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, level: str, words: str
) -> None:
    log = tmp_path / "maillog"
    if line:
        at = clock.now().astimezone()
        message_id = f"m1.{'0' * 32}@letters.example.org"
        log.write_text(f"{at:%b %e %H:%M:%S} relay postfix/cleanup[7]: {line}: message-id=<{message_id}>\n")
    monkeypatch.setattr(judge, "local_relay", lambda: ("127.0.0.1", 25))

    found = by_name(list(machine.check(settings.model_copy(update={"postfix_log": log}))))["Postfix log"]

    assert (found.level, words in found.sentence) == (level, True), found


def test_doubts_lanes_held_mailings_and_late_work_are_told(jobs_queue: JobQueue, outbox: Outbox, app: Flask) -> None:
    mailing = doubtful.mailing(jobs_queue, outbox, "ada@example.com")
    closed = clock.now() + timedelta(minutes=5)
    db.session.add(Lane(name="mail.example.net", closed_until=closed, words="421 too fast"))
    db.session.add(Lane(name="other.example.net", pace=0.25, words="450 slower"))
    db.session.commit()
    assert {finding.level for finding in work_due.check() if finding.about == "Work"} == {"ok"}
    mailing.state, mailing.held_because = MailingState.HELD, "Too many bounced."
    db.session.execute(text("UPDATE chunk SET state = 'claimed', lease_until = now() - interval '20 minutes'"))
    db.session.commit()

    told = "\n".join(f"{each.level} {each.about} {each.sentence}" for each in work_due.check())

    assert "fail Work A part of a mailing was left behind by a worker, and not taken back: for 20 minutes." in told
    assert "warn Doubts 1 messages may or may not have left." in told
    assert "warn Lane mail.example.net is closed for now. The mail server said: 421 too fast" in told
    assert "warn Lane other.example.net goes at 25% of its speed: 450 slower" in told
    assert "warn Held Mailing 1 waits for your word: Too many bounced." in told
    assert db.session.get(Mailing, 1)


def test_a_pool_that_hangs_is_told(app: Flask) -> None:
    db.session.add_all([Heartbeat(process="worker:desk:1"), Heartbeat(process="pool:desk:1")])
    db.session.flush()
    assert list(work_due.stuck_pools()) == []
    db.session.execute(text("UPDATE heartbeat SET seen_at = now() - interval '3 minutes' WHERE process LIKE 'pool:%'"))

    (found,) = work_due.stuck_pools()

    assert found.level == "fail"


def test_the_domain_of_bounces_needs_an_mx_and_an_spf_record_of_its_own() -> None:
    records = {("bounces.example.org", "MX"): ["10 mail.example.org."]}

    def ask(name: str, kind: str) -> list[str]:
        return records.get((name, kind), [])

    missing = by_name(list(return_path_dns.check("bounces.example.org", "mail.example.org", ask)))
    records["bounces.example.org", "TXT"] = ["v=spf1 mx ~all"]
    there = by_name(list(return_path_dns.check("bounces.example.org", "mail.example.org", ask)))
    records.clear()
    nothing = by_name(list(return_path_dns.check("bounces.example.org", "mail.example.org", ask)))

    assert missing["Bounces bounces.example.org"].level == "ok"
    assert 'IN TXT "v=spf1 mx a:mail.example.org ~all"' in missing["SPF bounces.example.org"].advice
    assert {finding.level for finding in there.values()} == {"ok"}
    assert {finding.level for finding in nothing.values()} == {"fail"}
