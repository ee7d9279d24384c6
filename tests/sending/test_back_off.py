"""What servers' words mean for our pace: replies as the large receivers send them, some shortened."""

from datetime import date

import pytest

from newsletter.sending import warm_up
from newsletter.sending.back_off import (
    CLOSED_BY_COMPLAINTS,
    DESTINATION,
    RELAYS_OWN,
    Blocked,
    SlowDown,
    Verdict,
    judge,
    judge_greeting,
)

SLOWER = SlowDown(DESTINATION)
CLOSED = SlowDown(DESTINATION, CLOSED_BY_COMPLAINTS)
OUR_RELAY = SlowDown(RELAYS_OWN)


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("421 4.7.28 Gmail has detected an unusual rate of mail originating from your IP address", SLOWER),
        ("421 4.7.0 Try again later, closing connection.", SLOWER),
        ("421 RP-001 The mail server IP connecting to Outlook.com has exceeded the rate limit allowed", SLOWER),
        ("451 4.7.650 The mail server has been temporarily rate limited due to IP reputation (S775)", SLOWER),
        ("450 4.2.1 Mail for this domain arrives at a rate that is too high", SLOWER),
        ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume", CLOSED),
        ("421 4.7.0 [TS01] Messages from 192.0.2.1 temporarily deferred due to user complaints", CLOSED),
        ("454 Throttling failure: Maximum sending rate exceeded.", OUR_RELAY),
        ("454 Throttling failure: Daily message quota exceeded.", OUR_RELAY),
        ("450 4.2.1 Peak SMTP relay limit exceeded for customer.", OUR_RELAY),
        ("450 4.2.1 The user you are trying to contact is receiving mail too quickly.", None),
        ("451 4.7.1 Greylisting in action, please come back later", None),
        ("450 4.7.1 <r@example.org>: Recipient address rejected: Greylisted", None),
        ("452 4.2.2 The recipient's inbox is out of storage space", None),
        ("451 4.3.0 Temporary system problem", None),
        ("550 5.7.1 messages weren't sent: part of their network is on our block list (S3140)", Blocked(True)),
        ("550 5.7.26 This mail has been blocked because the sender is unauthenticated.", Blocked(True)),
        ("550 5.7.515 Access denied, domain does not meet the required authentication level.", Blocked(True)),
        ("554 5.7.1 [CS01] Message rejected due to local policy.", Blocked(True)),
        ("553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, listed by Spamhaus", Blocked(True)),
        ("550 5.7.1 The message was refused", Blocked(False)),
        ("550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", None),
        ("554 5.7.1 <r@example.org>: Relay access denied", None),
        ("550 5.1.1 The email account that you tried to reach does not exist", None),
        ("552 5.2.2 mailbox full", None),
        ("The mail server broke off: it closed the connection.", None),
    ],
)
def test_words_of_large_receivers(reply: str, verdict: Verdict) -> None:
    assert judge(reply) == verdict


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("421 4.7.0 Too many connections from your address", OUR_RELAY),
        ("429 Too Many Requests", OUR_RELAY),
        ("421 4.3.2 shutting down", None),  # as many do after a hundred messages
        ("No connection to the mail server at mail.example.org: nothing listens there.", None),
        ("535 5.7.8 authentication failed", None),
    ],
)
def test_words_of_a_relay_that_takes_nothing(words: str, verdict: Verdict) -> None:
    assert judge_greeting(words) == verdict


def test_the_plan_of_a_warm_up() -> None:
    since = date(2026, 11, 30)

    plan = [warm_up.limit(since, _day(since, day)) for day in range(16)]

    assert plan == [50, 50, 100, 250, 500, 1000, 2500, 5000, *(5000 * 2**n for n in range(1, 8)), None]
    assert warm_up.day(since, _day(since, 9)) == 9
    assert warm_up.limit(since, _day(since, 5000)) is None


def _day(since: date, number: int) -> date:
    return date.fromordinal(since.toordinal() + number - 1)
