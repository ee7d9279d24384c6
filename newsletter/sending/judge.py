"""The judge for our own Postfix: its log tells whether a message was accepted when the answer was lost.

Accepted, when the log shows our Message-ID, and its queue id becoming active. Not accepted, when the log shows no such
thing although nothing of it can be missing. Else there is no judgement, and the author decides.
"""

import fcntl
import ipaddress
import smtplib
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO
from urllib.parse import urlsplit

import structlog
from sqlalchemy import func, select

from newsletter import clock
from newsletter.config import settings
from newsletter.db import db
from newsletter.sending import doubts, journal, ledger
from newsletter.sending.doubts import Doubt
from newsletter.sending.models import Heartbeat
from newsletter.sending.postfix_log import Reading, Unreadable
from newsletter.subscribers import notices
from newsletter.subscribers.notices import NoticeInDoubt

log = structlog.get_logger()

A_SLICE = 64 * 1024 * 1024  # bytes of the log that are read in one go
MOST_WAITS = 6  # for the line that our own call leaves in the log
NOT_AFTER = timedelta(days=3)  # what the log did not tell until then, it will not tell
HEARD_AGAIN = 600.0  # seconds until the log is asked once more about a notice
SLACK = timedelta(seconds=1)  # the log counts whole seconds

_held: list["Sitting"] = []  # the one that this process is at
_heard: dict[int, float] = {}  # notices that this process has looked at, and when by the clock that never jumps


def hold_court() -> None:
    """One step of judging, of bounded length. Call it every few seconds; any number of processes may."""
    if settings().postfix_log is not None:
        if not _held:
            _held.extend(_convene())
        if _held and not _held[0].go_on():
            _held.pop().close()
    if settings().doubts == "resend":
        _send_once_more()


def settle_after() -> timedelta:
    return timedelta(seconds=settings().settle_seconds)


def local_relay() -> tuple[str, int] | None:
    """Host and port of the only way out, if that is on this machine: then its log knows of everything that we send."""
    if len(settings().mail_urls) != 1:
        return None
    parts = urlsplit(settings().mail_urls[0])
    host = parts.hostname or ""
    if parts.scheme not in {"smtp", "smtps"} or not _is_here(host):
        return None
    return host, parts.port or (465 if parts.scheme == "smtps" else 25)


@dataclass
class Sitting:
    """One reading of the log, and the judgement of all that was in doubt when it began."""

    bench: IO[str]  # locked: one sitting at a time on this disk
    deliveries: list[Doubt]
    notices: list[NoticeInDoubt]
    reading: Reading
    began_at: datetime
    ahead: timedelta  # of the database's clock before ours
    waits: int = field(default=0, init=False)

    def go_on(self) -> bool:
        """Read a slice, or judge. False when it is over."""
        try:
            if not self.reading.read(A_SLICE):
                return True
        except Unreadable as error:
            self._judge(str(error))
            return False
        ends_at = self.reading.ends_at
        if (ends_at is None or ends_at < self.began_at - SLACK) and self.waits < MOST_WAITS:
            self.waits += 1
            return True
        self._judge(self._doubts_about_the_log())
        return False

    def close(self) -> None:
        self.reading.close()
        self.bench.close()

    def _judge(self, why_not: str) -> None:
        accepted = _by_mailing((each, self._words(each.message_id)) for each in self.deliveries if self._has(each))
        open_ones = [each for each in self.deliveries if not self._has(each)]
        reasons = {each: why_not or self._why_not(each) for each in open_ones}
        for mailing_id, words in accepted.items():
            settled = doubts.prove(mailing_id, words)
            db.session.commit()
            log.info("doubts settled: accepted", mailing=mailing_id, messages=settled)
        for mailing_id, verdicts in _by_mailing(reasons.items()).items():
            handed_back = doubts.hand_back(mailing_id, [reader for reader, why in verdicts.items() if not why])
            doubts.looked(mailing_id, {reader: why for reader, why in verdicts.items() if why})
            db.session.commit()
            if handed_back:
                log.info("doubts settled: not accepted, sent again", mailing=mailing_id, messages=handed_back)
            for why, messages in Counter(filter(None, verdicts.values())).items():
                log.info("doubts not settled", mailing=mailing_id, messages=messages, reason=why)
        for notice in self.notices:
            self._judge_notice(notice, why_not)
        db.session.commit()

    def _judge_notice(self, notice: NoticeInDoubt, why_not: str) -> None:
        if notice.message_id in self.reading.accepted:
            notices.proved(notice.id, self._words(notice.message_id))
        elif not (why_not or self._why_not_notice(notice)):
            notices.hand_back(notice.id)

    def _has(self, doubt: Doubt) -> bool:
        return doubt.message_id in self.reading.accepted

    def _words(self, message_id: str) -> str:
        return f"The mail server's log shows that it was accepted, as {self.reading.accepted[message_id]}."

    def _doubts_about_the_log(self) -> str:
        """Why its silence proves nothing, for any message; empty if it does."""
        reading = self.reading
        if local_relay() is None:
            return "Mail leaves by a server whose log is not here."
        if reading.has_short_ids:
            return "The mail server's log has short queue ids (enable_long_queue_ids)."
        if reading.ends_at is None or reading.ends_at < self.began_at - SLACK:
            return "The mail server writes to another log, or did not answer."
        if not reading.is_written_to(clock.now()):
            return "The mail server's log goes by another clock, or another time zone."
        return ""

    def _why_not(self, doubt: Doubt) -> str:
        """Why the log's silence does not prove that this one was not accepted; empty if it does."""
        if doubt.host != journal.host():
            return "It was handed over by another machine."
        if int(doubt.message_id[1:].partition(".")[0]) not in self.reading.mailings_seen:
            return "The mail server's log shows nothing of this mailing."
        headers_only = doubt.message_id in self.reading.headers_seen
        return self._why_not_since(doubt.started_at - self.ahead, doubt.reply, headers_only=headers_only)

    def _why_not_notice(self, notice: NoticeInDoubt) -> str:
        if _others_have_sent():
            return "It may have been handed over by another machine."
        if not self.reading.has_notices and not self.reading.mailings_seen:
            return "The mail server's log shows nothing of ours."
        headers_only = notice.message_id in self.reading.headers_seen
        return self._why_not_since(notice.created_at - self.ahead, notice.reply, headers_only=headers_only)

    def _why_not_since(self, since: datetime, reply: str, *, headers_only: bool) -> str:
        begins_at = self.reading.begins_at
        if begins_at is None or begins_at + SLACK > since:
            return "The mail server's log does not reach back so far."
        if reply == ledger.LOST or _machine_started_at() > since:
            return "The machine was started anew since, and the end of the log may be lost."
        if headers_only and (self.reading.has_held or self.reading.is_congested or self._queues_up()):
            return "It may still be on its way into the mail server's queue."
        return ""

    def _queues_up(self) -> bool:
        known = doubts.known_of(sorted({each.mailing_id for each in self.deliveries}))
        return self.reading.left_behind(known | {each.message_id for each in self.notices}) > 0


def _convene() -> Iterable[Sitting]:
    """A sitting, if there is something to judge and nobody else on this disk is at it."""
    path = settings().postfix_log
    bench = (settings().data_dir / "judge.lock").open("w")
    try:
        fcntl.flock(bench, fcntl.LOCK_EX | fcntl.LOCK_NB)
        deliveries = doubts.unsettled(settle_after(), max(settle_after(), timedelta(seconds=60)), NOT_AFTER)
        in_doubt = [each for each in notices.unconfirmed(settle_after()) if _is_to_be_heard(each.id)]
        database_now = db.session.scalar(select(func.now())) or clock.now()
        ahead = database_now - clock.now()
        db.session.rollback()
        if path is None or not (deliveries or in_doubt):
            bench.close()
            return []
        since = min([each.started_at for each in deliveries] + [each.created_at for each in in_doubt]) - ahead
        wanted = {each.message_id for each in deliveries} | {each.message_id for each in in_doubt}
        began_at = clock.now()
        _ring_the_bell()
        return [Sitting(bench, deliveries, in_doubt, Reading(path, since, wanted), began_at, ahead)]
    except Unreadable as error:
        log.warning("doubts cannot be judged", reason=str(error))
        for mailing_id, words in _by_mailing((each, str(error)) for each in deliveries).items():
            doubts.looked(mailing_id, words)
        db.session.commit()
    except BlockingIOError:
        pass
    bench.close()
    return []


def _is_to_be_heard(notice_id: int) -> bool:
    """Not again at every look, if the log could not tell."""
    now = clock.seconds_awake_or_asleep()
    for each in [each for each, at in _heard.items() if at < now - HEARD_AGAIN]:
        del _heard[each]
    return _heard.setdefault(notice_id, now) == now


def _ring_the_bell() -> None:
    """Call on the mail server, so that a log that is still written to shows a line of this moment."""
    relay = local_relay()
    if relay is None:
        return
    with suppress(OSError, smtplib.SMTPException):
        if urlsplit(settings().mail_urls[0]).scheme == "smtps":
            smtplib.SMTP_SSL(*relay, timeout=5).quit()
        else:
            smtplib.SMTP(*relay, timeout=5).quit()


def _send_once_more() -> None:
    """What nobody can judge, if the author wants that: once, never twice."""
    by_log = settings().postfix_log is not None
    for mailing_id, readers in doubts.unjudged(settle_after(), by_log=by_log).items():
        sent = doubts.hand_back(mailing_id, readers, by_guess=True)
        db.session.commit()
        log.info("doubts sent once more", mailing=mailing_id, messages=sent)
    db.session.rollback()


def _others_have_sent() -> bool:
    """Whether a worker of another machine was seen in the last day: longer ago than any notice in doubt."""
    names = db.session.scalars(select(Heartbeat.process).where(Heartbeat.process.startswith("worker:")))
    return any(name.split(":")[1] != journal.host() for name in names)


def _machine_started_at() -> datetime:
    return clock.now() - timedelta(seconds=clock.seconds_awake_or_asleep())


def _by_mailing(told: Iterable[tuple[Doubt, str]]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    for doubt, words in told:
        found.setdefault(doubt.mailing_id, {})[doubt.subscriber_id] = words
    return found


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
