"""What a mail server's refusal says about our pace, and about us. Judged by words that large receivers really use.

Sources: RFC 3463 and 5248 (status codes), the error pages of Gmail, Yahoo (TSS04), Microsoft (S3140, 5.7.515) and
iCloud (CS01, HM08).
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

CLOSED_BY_COMPLAINTS: Final = timedelta(hours=2)  # what Yahoo asks for with TSS04
BLOCKED: Final = timedelta(hours=1)  # four times as long when it happens again while the lane is still slow
RELAYS_OWN: Final = "relay"
DESTINATION: Final = "destination"

_STATUS = re.compile(r"\b([45])\.(\d{1,3})\.(\d{1,3})\b")
_RATE = re.compile(
    r"rate.?limit|unusual rate|rate (that|of|is|has|exceed)|too (many|fast|quickly|much)|throttl|slow down|"
    r"exceeded the (maximum|rate)|temporarily deferred|unexpected volume|try again more slowly",
    re.IGNORECASE,
)
_OUR_QUOTA = re.compile(
    r"maximum sending rate|sending (rate|quota|limit)|daily (message |sending )?quota|relay limit exceeded|\b429\b|"
    r"too many requests",
    re.IGNORECASE,
)
_CLOSE = re.compile(r"\bTSS?0\d\b|user complaints", re.IGNORECASE)
_ONE_READER = re.compile(
    r"gr[ea]y.?list|user you are trying to contact|recipient.{0,40}(rate|too (many|quickly))", re.IGNORECASE
)
_BLOCKED = re.compile(
    r"block.?list|black.?list|deny.?list|spamhaus|\b(has been|is|was|are|been|temporarily|ip) (blocked|banned)\b|"
    r"\bblocked\b|reputation|unsolicited|spam|\bS31[45]0\b|\b(CS|HM)\d\d\b|\[BL\d+\]|unauthenticated|"
    r"authentication (level|required|check)|dmarc|\bdkim\b|\bspf\b|\bptr\b|local policy",
    re.IGNORECASE,
)
_ONE_MAILBOX = re.compile(
    r"relay(ing)? (access )?(denied|not|is not)|restricted|not (allowed|authori[sz]ed|permitted) to send to|RESOLVER\.|"
    r"mailbox",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SlowDown:
    """Half the pace; `closed_for`: nothing at all until then."""

    whose: str  # RELAYS_OWN or DESTINATION
    closed_for: timedelta | None = None


@dataclass(frozen=True)
class Blocked:
    """They refuse us, not the reader. `is_certain`: no other meaning is possible; else only if it goes on."""

    is_certain: bool


Verdict = SlowDown | Blocked | None


def judge(reply: str) -> Verdict:
    """What a refusal of one message says about its lane. None: it is about this reader only."""
    code, status = _code(reply), _STATUS.search(reply)
    if code == 5 and status and status[1] == "5" and status[2] == "7":
        return _blocked(reply)
    if code != 4 or _ONE_READER.search(reply):
        return None
    if _OUR_QUOTA.search(reply):
        return SlowDown(RELAYS_OWN)
    if _CLOSE.search(reply):
        return SlowDown(DESTINATION, CLOSED_BY_COMPLAINTS)
    is_policy = bool(status and status[1] == "4" and status[2] == "7")
    if is_policy or reply.startswith("421") or _RATE.search(reply):
        return SlowDown(DESTINATION)
    return None


def judge_greeting(words: str) -> Verdict:
    """What a server that takes nothing says about our pace towards it. None: it is down, or only closes after so many
    messages, as many do."""
    status = _STATUS.search(words)
    is_policy = bool(status and status[1] == "4" and status[2] == "7")
    if _code(words) == 4 and (is_policy or _RATE.search(words) or _OUR_QUOTA.search(words)):
        return SlowDown(RELAYS_OWN)
    return None


def _blocked(reply: str) -> Blocked | None:
    if _ONE_MAILBOX.search(reply) and not re.search(r"\bblock.?list|spamhaus|\bS31[45]0\b", reply, re.IGNORECASE):
        return None
    return Blocked(is_certain=bool(_BLOCKED.search(reply)))


def _code(reply: str) -> int:
    return int(reply[0]) if re.match(r"[45]\d\d\b", reply) else 0
