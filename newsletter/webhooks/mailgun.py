"""Mailgun's events (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks).

It signs a time and a random word, not the event. So a signature is good for one call: whoever has seen one cannot use
it for words of their own.
"""

import hmac
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

from newsletter.config import Settings
from newsletter.sending import bounces
from newsletter.sending.reports import Report, ReportKind
from newsletter.subscribers import return_path
from newsletter.webhooks import payload
from newsletter.webhooks.call import Call, Forged, Unreadable, check_age, is_same

OLDEST = timedelta(hours=12)  # Mailgun asks again for eight hours, and warns of delays beyond its control

_KINDS = {
    "accepted": ReportKind.ACCEPTED,
    "delivered": ReportKind.DELIVERED,
    "complained": ReportKind.COMPLAINED,
    "failed": ReportKind.BOUNCED,
    "rejected": ReportKind.BOUNCED,
}


def is_set_up(settings: Settings) -> bool:
    return settings.mailgun_hook_key is not None


def reports(call: Call, settings: Settings) -> list[Report]:
    document = payload.fields(payload.parsed(call.body))  # the signature is inside
    once = _verified(document, settings)
    event = payload.fields(document.get("event-data"))
    if not event:
        raise Unreadable("no event")
    if not bounces.is_new("mailgun", f"signature/{once}"):
        return []
    kind = _kind(event)
    return [_report(kind, event)] if kind else []


def _verified(document: Mapping[str, object], settings: Settings) -> str:
    """The random word that was signed. Raises Forged."""
    key = settings.mailgun_hook_key
    # An event of a subaccount is signed by the account above it too.
    for signed in map(payload.fields, (document.get("signature"), document.get("parent-signature"))):
        sent_at, once = payload.text(signed.get("timestamp")), payload.text(signed.get("token"))
        made = hmac.new(key.get_secret_value().encode(), (sent_at + once).encode(), sha256).hexdigest() if key else ""
        if made and len(once) >= 32 and is_same(payload.text(signed.get("signature")), made):
            check_age(sent_at, OLDEST)
            return once
    raise Forged("wrong signature")


def _kind(event: Mapping[str, object]) -> ReportKind | None:
    kind = _KINDS.get(payload.text(event.get("event")))
    if kind is ReportKind.BOUNCED and event.get("severity") == "temporary":
        return ReportKind.DELAYED  # it will try again
    return kind


def _report(kind: ReportKind, event: Mapping[str, object]) -> Report:
    outcome = payload.fields(event.get("delivery-status"))
    envelope = payload.fields(event.get("envelope"))
    headers = payload.fields(payload.fields(event.get("message")).get("headers"))
    told = outcome.get("enhanced-code")
    reply = payload.words(outcome.get("code"), outcome.get("message") or outcome.get("description"))
    if event.get("event") == "rejected":  # Mailgun would not send it: about us, so a matter of policy (RFC 3463 §3.8)
        told, reply = "5.7.0", payload.words(payload.fields(event.get("reject")).get("reason"))
    kept = payload.token(event.get("user-variables"))
    return Report(
        source="mailgun",
        event_id=payload.name(event.get("id"), event),
        kind=kind,
        token=kept or return_path.token_in(payload.text(envelope.get("sender"))),
        message_id=payload.text(headers.get("message-id")),
        address=payload.text(event.get("recipient")),
        status=payload.status(told, reply),
        words=reply,
        at=payload.moment(event.get("timestamp")),
    )
