"""SendGrid's signed event webhook (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event).

ECDSA on P-256 with SHA-256 over the time of sending and the body as it came. Up to a thousand events in one call.
"""

import base64
import re
from collections.abc import Mapping
from datetime import timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.config import Settings
from newsletter.sending.reports import Report, ReportKind
from newsletter.webhooks import payload
from newsletter.webhooks.call import Call, Forged, NotNow, Unreadable, check_age

OLDEST = timedelta(hours=26)  # SendGrid asks again for a day

_PEM = re.compile(r"-----[A-Z ]+-----|\s")  # what stands around the base64 in a file

_KINDS = {
    "processed": ReportKind.ACCEPTED,
    "delivered": ReportKind.DELIVERED,
    "deferred": ReportKind.DELAYED,
    "bounce": ReportKind.BOUNCED,
    "dropped": ReportKind.BOUNCED,
    "spamreport": ReportKind.COMPLAINED,
}
# Why it did not even try, where that is about a reader; all other reasons are about us.
_DROPPED_FOR_THE_READER = frozenset({"Bounced Address", "Invalid", "Spam Reporting Address", "Unsubscribed Address"})


def is_set_up(settings: Settings) -> bool:
    return bool(settings.sendgrid_hook_key)


def reports(call: Call, settings: Settings) -> list[Report]:
    sent_at = call.headers.get("X-Twilio-Email-Event-Webhook-Timestamp", "")
    signature = call.headers.get("X-Twilio-Email-Event-Webhook-Signature", "")
    try:
        _key(settings.sendgrid_hook_key).verify(
            base64.b64decode(signature, validate=True), sent_at.encode() + call.body, ec.ECDSA(SHA256())
        )
    except (InvalidSignature, ValueError):
        raise Forged("wrong signature") from None
    check_age(sent_at, OLDEST)
    events = payload.parsed(call.body)
    if not isinstance(events, list):
        raise Unreadable("not a list of events")
    # One event that is none must not keep SendGrid from being rid of the others.
    return [report for event in events if (report := _report(payload.fields(event)))]


def _key(setting: str) -> ec.EllipticCurvePublicKey:
    """Raises NotNow for a setting that is no such key: the events are kept there until it is right."""
    try:
        key = load_der_public_key(base64.b64decode(_PEM.sub("", setting), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        raise NotNow("SENDGRID_HOOK_KEY is not a public key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise NotNow("SENDGRID_HOOK_KEY is not a P-256 key")
    return key


def _report(event: Mapping[str, object]) -> Report | None:
    kind = _KINDS.get(payload.text(event.get("event")))
    if kind is None:
        return None
    reply = payload.words(event.get("reason") or event.get("response"))
    told = event.get("status")
    if event.get("event") == "dropped" and event.get("reason") not in _DROPPED_FOR_THE_READER:
        told = "5.7.0"  # a matter of policy (RFC 3463 §3.8)
    return Report(
        source="sendgrid",
        event_id=payload.name(event.get("sg_event_id"), event),
        kind=kind,
        token=payload.token(event),  # unique arguments stand among the fields
        message_id=payload.text(event.get("smtp-id")),
        address=payload.text(event.get("email")),
        status=payload.status(told, reply),
        words=reply,
        at=payload.moment(event.get("timestamp")),
    )
