"""What others tell about our messages: it changes what we know of a delivery, and whether its reader is written to."""

from sqlalchemy import exists, select, text
from sqlalchemy.dialects.postgresql import insert

from newsletter.db import db
from newsletter.sending import breaker, consequences, doubts, identity, severity, tally
from newsletter.sending.models import Bounce, BounceKind, Delivery, InboundEvent, Outcome
from newsletter.sending.reports import Report, ReportKind
from newsletter.sending.tally import What
from newsletter.subscribers import leaving, notices, return_path
from newsletter.subscribers.models import Notice

UNPROVEN_AN_HOUR = 100  # readers who are taken off by returned mail that carries no token of ours
LONGEST_WORDS = 1000
_LEFT = "left"  # the source of what we note ourselves: a message of which nothing is on record yet has left


def record(report: Report) -> bool:
    """Take in one report. True if it was news, about a message of ours. Leaves the commit to its caller.

    Repeated, late and out of order are all the same: each event counts once, and what it says is true whenever it
    comes. What names none of our messages is dropped and counted.
    """
    sent = identity.of(report)
    if sent is None:
        tally.count(What.NOT_OURS)
        return False
    if not is_new(report.source, report.event_id):
        return False
    if sent.notice_id:
        _about_notice(report, sent.notice_id)
    elif sent.mailing_id and sent.subscriber_id:
        _about_delivery(report, sent.mailing_id, sent.subscriber_id)
    return True


def is_new(source: str, event_id: str) -> bool:
    """Remember this event. False if we were told already. Whoever tells it at the same moment waits for our commit."""
    told = insert(InboundEvent).values(source=source, event_id=event_id).on_conflict_do_nothing()
    return db.session.scalar(told.returning(InboundEvent.event_id)) is not None


def prove_left(mailing_id: int, subscriber_id: int, how: str) -> None:
    """Somebody has had this message in hand: if that was in doubt, it is not any more. Leaves the commit to its caller.

    What is not on record yet may still come to be in doubt: that is remembered for `settle_proven`.
    """
    outcome = db.session.scalar(
        select(Delivery.outcome).where(Delivery.mailing_id == mailing_id, Delivery.subscriber_id == subscriber_id)
    )
    if outcome is Outcome.UNCONFIRMED:
        doubts.prove(mailing_id, {subscriber_id: f"Known since: {how}."})
    elif outcome is None:
        is_new(_LEFT, _name(mailing_id, subscriber_id))


def settle_proven() -> int:
    """Settle doubts that were proved before they came up. Leaves the commit to its caller. Returns how many."""
    rows = db.session.execute(
        text("""
            SELECT delivery.mailing_id, array_agg(delivery.subscriber_id ORDER BY delivery.subscriber_id) AS readers
            FROM mailing JOIN delivery ON delivery.mailing_id = mailing.id
            WHERE mailing.started_at > now() - CAST(:lasts AS interval) AND delivery.outcome = 'unconfirmed'
              AND EXISTS (SELECT FROM inbound_event
                          WHERE source = :left AND event_id = delivery.mailing_id || '.' || delivery.subscriber_id)
            GROUP BY delivery.mailing_id ORDER BY delivery.mailing_id
        """),
        {"lasts": identity.LASTS, "left": _LEFT},
    ).all()
    return sum(doubts.prove(row.mailing_id, dict.fromkeys(row.readers, "Known since: a report.")) for row in rows)


def _about_delivery(report: Report, mailing_id: int, subscriber_id: int) -> None:
    prove_left(mailing_id, subscriber_id, _HOW[report.kind])
    kind = _kind(report)
    if kind is None:
        return
    reader = leaving.locked(subscriber_id)
    said = Bounce(mailing_id=mailing_id, subscriber_id=subscriber_id, **_told(report, kind))
    if reader is None or not _append(said):
        return
    match kind:
        case BounceKind.HARD | BounceKind.COMPLAINT:
            if _may_suppress(report):
                consequences.never_again([reader], said)
            breaker.check(mailing_id)
        case BounceKind.SOFT:
            consequences.lose_patience([reader], said)


def _about_notice(report: Report, notice_id: int) -> None:
    notice = db.session.get_one(Notice, notice_id, with_for_update=True, populate_existing=True)
    notices.proved(notice_id, f"Known since: {_HOW[report.kind]}.")
    kind = _kind(report)
    if kind is None or _is_said(notice_id, kind):
        return
    said = Bounce(notice_id=notice_id, subscriber_id=notice.subscriber_id, **_told(report, kind))
    db.session.add(said)
    db.session.flush()
    if kind in (BounceKind.HARD, BounceKind.COMPLAINT) and _may_suppress(report):
        consequences.never_again_at(notice, said)


_HOW = {
    ReportKind.BOUNCED: "it came back",
    ReportKind.DELAYED: "a server on the way wrote that it still tries",
    ReportKind.DELIVERED: "it arrived",
    ReportKind.ACCEPTED: "the provider has it",
    ReportKind.COMPLAINED: "its reader complained",
}


def _kind(report: Report) -> BounceKind | None:
    match report.kind:
        case ReportKind.BOUNCED:
            return severity.of(report.status, report.words)
        case ReportKind.COMPLAINED:
            return BounceKind.COMPLAINT
    return None


def _told(report: Report, kind: BounceKind) -> dict[str, object]:
    words = " ".join(report.words.replace("\0", "").split())[:LONGEST_WORDS]
    return {"kind": kind, "status": report.status[:20], "words": words, "source": report.source}


def _append(said: Bounce) -> bool:
    """False if that was said about this message before, in whatever way."""
    values = {
        name: getattr(said, name) for name in ("kind", "mailing_id", "subscriber_id", "status", "words", "source")
    }
    written = insert(Bounce).values(**values).on_conflict_do_nothing().returning(Bounce.id)
    return db.session.scalar(written) is not None


def _is_said(notice_id: int, kind: BounceKind) -> bool:
    return bool(db.session.scalar(select(exists().where(Bounce.notice_id == notice_id, Bounce.kind == kind))))


def _may_suppress(report: Report) -> bool:
    """Mail is signed by nobody: without a token of ours it takes off only so many in an hour, whatever it claims."""
    if report.source != "mail" or return_path.read(report.token):
        return True
    return tally.is_within(What.UNPROVEN, UNPROVEN_AN_HOUR)


def _name(mailing_id: int, subscriber_id: int) -> str:
    return f"{mailing_id}.{subscriber_id}"
