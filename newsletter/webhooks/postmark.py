"""Postmark does not sign: the address it is given holds a password (https://postmarkapp.com/developer/webhooks)."""

from collections.abc import Mapping

from newsletter.config import Settings
from newsletter.sending.reports import Report, ReportKind
from newsletter.webhooks import payload
from newsletter.webhooks.call import Call, NotSignedIn, Unreadable, is_same

# Types of a “Bounce” that say nothing about whether the message arrived: answering machines, and Postmark's own lists.
_NO_BOUNCES = frozenset(
    {
        "AddressChange",
        "AutoResponder",
        "ChallengeVerification",
        "InboundError",
        "ManuallyDeactivated",
        "OpenRelayTest",
        "Subscribe",
        "Unconfirmed",
        "Unsubscribe",
    }
)
_KINDS = {
    "Bounce": ReportKind.BOUNCED,
    "Delivery": ReportKind.DELIVERED,
    "SpamComplaint": ReportKind.COMPLAINED,
}


def is_set_up(settings: Settings) -> bool:
    return settings.postmark_hook_password is not None


def reports(call: Call, settings: Settings) -> list[Report]:
    secret = settings.postmark_hook_password
    if secret is None or not is_same(call.password, secret.get_secret_value()):
        raise NotSignedIn("wrong password")
    event = payload.fields(payload.parsed(call.body))
    if not event:
        raise Unreadable("not an event")
    kind = _kind(event)
    return [_report(kind, event)] if kind else []


def _kind(event: Mapping[str, object]) -> ReportKind | None:
    kind = _KINDS.get(payload.text(event.get("RecordType")))
    if kind is not ReportKind.BOUNCED:
        return kind
    cause = payload.text(event.get("Type"))
    if cause == "SpamComplaint":
        return ReportKind.COMPLAINED
    if cause == "Transient":
        return ReportKind.DELAYED
    return None if cause in _NO_BOUNCES else kind


def _report(kind: ReportKind, event: Mapping[str, object]) -> Report:
    details = payload.text(event.get("Details"))
    id_ = payload.text(event.get("ID") or event.get("MessageID"))  # a delivery has none of its own
    return Report(
        source="postmark",
        event_id=payload.name(f"{event['RecordType']}/{id_}" if id_ else "", event),
        kind=kind,
        token=payload.token(event.get("Metadata")),
        address=payload.text(event.get("Email") or event.get("Recipient")),
        status=payload.status("", details),
        words=payload.words(details or event.get("Description")),
        at=payload.moment(event.get("BouncedAt") or event.get("DeliveredAt")),
    )
