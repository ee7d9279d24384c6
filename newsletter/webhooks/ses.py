"""Amazon SES: events of a configuration set, or notifications of an identity, by way of an SNS topic.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from collections.abc import Mapping

import structlog

from newsletter.config import Settings
from newsletter.sending.reports import Report, ReportKind
from newsletter.subscribers import return_path
from newsletter.webhooks import amazon_bounces, payload, sns
from newsletter.webhooks.call import Call, Unreadable

Fields = Mapping[str, object]

# What a complaint may be besides a reader's word (RFC 5965 §7.3): the opposite of one, or a machine's.
_NO_COMPLAINTS = frozenset({"auth-failure", "not-spam", "virus"})

# Each event by the field that holds it, what it means, and where in it the recipients are.
_EVENTS = {
    "Bounce": ("bounce", ReportKind.BOUNCED, "bouncedRecipients"),
    "Complaint": ("complaint", ReportKind.COMPLAINED, "complainedRecipients"),
    "Delivery": ("delivery", ReportKind.DELIVERED, "recipients"),
    "DeliveryDelay": ("deliveryDelay", ReportKind.DELAYED, "delayedRecipients"),
    "Send": ("send", ReportKind.ACCEPTED, ""),
    "Reject": ("reject", ReportKind.BOUNCED, ""),
}

log = structlog.get_logger()


def is_set_up(settings: Settings) -> bool:
    return bool(settings.ses_topics)


def reports(call: Call, settings: Settings) -> list[Report]:
    message = sns.verified(call.body, settings.ses_topics)
    if message.kind == sns.SUBSCRIBED:
        sns.confirm(message)
        log.info("a topic writes to us from now on")
        return []
    if message.kind == sns.UNSUBSCRIBED:
        log.warning("a topic does not write to us any more: bounces will be missed")
        return []
    try:
        event = payload.fields(payload.parsed(message.words))
    except Unreadable:
        return []  # SES says in plain words that it has found the topic
    return _reports(event, message.id)


def _reports(event: Fields, message_id: str) -> list[Report]:
    found = _EVENTS.get(payload.text(event.get("eventType") or event.get("notificationType")))
    if found is None:
        return []
    name, kind, listed_as = found
    part, mail = payload.fields(event.get(name)), payload.fields(event.get("mail"))
    recipients = payload.items(part.get(listed_as)) or payload.items(mail.get("destination"))
    if kind is ReportKind.COMPLAINED and part.get("complaintFeedbackType") in _NO_COMPLAINTS:
        return []
    return [
        report
        for number, recipient in enumerate(recipients)
        if (report := _report(kind, part, mail, recipient, f"{message_id}/{number}"))
    ]


def _report(kind: ReportKind, part: Fields, mail: Fields, recipient: object, event_id: str) -> Report | None:
    told = payload.fields(recipient)
    status, words = _told(kind, part, told)
    if kind is ReportKind.BOUNCED and told.get("action") == "delayed":
        kind = ReportKind.DELAYED
    said = (payload.text(told.get(name)) for name in ("action", "status", "diagnosticCode"))
    if "bounceType" in part and not amazon_bounces.says_anything(part, *said):
        return None
    return Report(
        source="ses",
        event_id=payload.name(event_id, [event_id]),
        kind=kind,
        token=_token(mail),
        message_id=payload.text(payload.fields(mail.get("commonHeaders")).get("messageId")),
        address=payload.text(told.get("emailAddress") or recipient),
        status=status,
        words=words,
        at=payload.moment(part.get("timestamp") or mail.get("timestamp")),
    )


def _told(kind: ReportKind, part: Fields, recipient: Fields) -> tuple[str, str]:
    """Status and words, from what was told about this recipient; about all of them only where that is missing."""
    reply = payload.words(recipient.get("diagnosticCode"))
    if "bounceType" in part:
        label = payload.words(part.get("bounceType"), part.get("bounceSubType"))
        return amazon_bounces.status(part, recipient.get("status"), reply), reply or label
    if kind is ReportKind.BOUNCED:  # Amazon would not send it: about us, so a matter of policy (RFC 3463 §3.8)
        return "5.7.0", payload.words(part.get("reason"))
    words = reply or payload.words(
        part.get("smtpResponse") or part.get("delayType") or part.get("complaintFeedbackType")
    )
    return payload.status(recipient.get("status"), words), words


def _token(mail: Fields) -> str:
    """What we let SES keep, or what stands in the return path: notifications of an identity know no tags."""
    return payload.token(mail.get("tags")) or return_path.token_in(payload.text(mail.get("source")))
