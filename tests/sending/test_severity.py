"""What a bounce means for its reader."""

import pytest

from newsletter.sending import severity
from newsletter.sending.models import BounceKind

HARD, SOFT, BLOCKED = BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCKED


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("5.1.1", HARD),
        ("5.1.2", HARD),
        ("5.1.3", HARD),
        ("5.1.6", HARD),
        ("5.1.10", HARD),
        ("5.2.1", HARD),
        ("5.4.310", HARD),
        ("5.2.2", SOFT),
        ("4.2.2", SOFT),
        ("4.7.1", SOFT),
        ("4.1.1", SOFT),
        ("4.4.7", SOFT),
        ("5.4.6", SOFT),
        ("5.3.1", SOFT),
        ("5.1.4", SOFT),
        ("5.1.8", BLOCKED),
        ("5.2.3", BLOCKED),
        ("5.3.4", BLOCKED),
        ("5.5.2", BLOCKED),
        ("5.6.0", BLOCKED),
        ("5.7.0", BLOCKED),
        ("5.7.1", BLOCKED),
        ("5.7.26", BLOCKED),
        ("5.7.515", BLOCKED),
        ("5.0.0", SOFT),
        ("", SOFT),
        ("nonsense", SOFT),
    ],
)
def test_the_status_decides(status: str, kind: BounceKind) -> None:
    assert severity.of(status, "") is kind


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.1.1", "blocked by spamhaus, says the gateway", HARD),
        ("5.7.1", "user unknown", BLOCKED),  # 5.7.x never costs a reader
        ("5.2.2", "no such user", SOFT),
        ("4.1.1", "user unknown", SOFT),
        ("5.2.1", "The user you are trying to contact is receiving mail at a rate that prevents more", SOFT),
        ("4.7.1", "Greylisted, please try again", SOFT),
        ("4.7.28", "Gmail has detected an unusual rate of unsolicited mail from your IP address", BLOCKED),
    ],
)
def test_words_do_not_overrule_a_status_that_speaks(status: str, words: str, kind: BounceKind) -> None:
    assert severity.of(status, words) is kind


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.0.0", "550 5.1.1 no such user", HARD),
        ("5.0.0", "552 5.2.2 mailbox full", SOFT),
        ("5.0.0", "550 User unknown", HARD),
        ("5.0.0", "550 Unknown user: ada@readers.example", HARD),
        ("5.0.0", "550 No such user here", HARD),
        ("5.0.0", "554 This user doesn't have a yahoo.com account", HARD),
        ("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable", HARD),
        ("", "Empfänger unbekannt", HARD),
        ("", "Sorry, no mailbox here by that name.", HARD),
        ("", "The e-mail account does not exist at the organization", HARD),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", HARD),
        ("5.4.4", "Host or domain name not found. Name service error for name=nowhere.example", HARD),
        ("5.4.4", "unable to route", SOFT),
        ("5.0.0", "550 mail from 192.0.2.1 rejected: listed at zen.spamhaus.example", BLOCKED),
        ("5.0.0", "554 Message rejected due to policy: user unknown to us or not", BLOCKED),
        ("5.0.0", "550 SPF check failed", BLOCKED),
        ("5.0.0", "552 Message size exceeds fixed limit", BLOCKED),
        ("5.0.0", "552 User is over quota", SOFT),
        ("5.0.0", "554 Le serveur est fatigué", SOFT),
        ("5.1.0", "550 5.1.0 Address rejected.", HARD),
        ("5.1.0", "550 5.1.0 sender rejected: see our policy", BLOCKED),
    ],
)
def test_words_decide_where_the_status_says_too_little(status: str, words: str, kind: BounceKind) -> None:
    assert severity.of(status, words) is kind


@pytest.mark.parametrize(
    ("reply", "kind", "status"),
    [
        ("550 5.1.1 no such user", HARD, "5.1.1"),
        ("550-5.1.1 The email account that you tried to reach does not exist. 550 5.1.1 Try", HARD, "5.1.1"),
        ("550 no such user", HARD, ""),
        ("550", SOFT, ""),
        ("554 5.7.1 rejected", BLOCKED, "5.7.1"),
        ("552 5.2.2 mailbox full", SOFT, "5.2.2"),
        ("451 4.7.1 Greylisted", SOFT, "4.7.1"),
        ("450 no such user, at the moment", SOFT, ""),
        ("421 blocked for too many complaints", BLOCKED, ""),
        ("450 5.1.1 a server at odds with itself", SOFT, "5.1.1"),
        ("550 5.1.1 <ada@10.5.1.2>: unknown", HARD, "5.1.1"),
        ("550 host 192.5.1.1 said nothing", SOFT, ""),
        ("“ada” is not an address that mail can be sent to.", SOFT, ""),
        ("", SOFT, ""),
    ],
)
def test_a_reply_of_the_mail_server_is_judged_like_a_report(reply: str, kind: BounceKind, status: str) -> None:
    assert severity.of_reply(reply) == (kind, status)
