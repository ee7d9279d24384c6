"""Resend's events (https://resend.com/docs/webhooks), signed as Svix does (https://docs.svix.com/receiving/verifying-payloads).

HMAC-SHA256 over the name of the event, the time of sending and the body as it came.
"""

import base64
import hmac
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

from newsletter.config import Settings
from newsletter.sending.reports import Report, ReportKind
from newsletter.webhooks import amazon_bounces, payload
from newsletter.webhooks.call import Call, Forged, NotNow, Unreadable, check_age, is_same

OLDEST = timedelta(minutes=5)  # each attempt is signed anew

_KINDS = {
    "email.sent": ReportKind.ACCEPTED,
    "email.delivered": ReportKind.DELIVERED,
    "email.delivery_delayed": ReportKind.DELAYED,
    "email.bounced": ReportKind.BOUNCED,
    "email.suppressed": ReportKind.BOUNCED,
    "email.failed": ReportKind.BOUNCED,
    "email.complained": ReportKind.COMPLAINED,
}


def is_set_up(settings: Settings) -> bool:
    return settings.resend_hook_secret is not None


def reports(call: Call, settings: Settings) -> list[Report]:
    event_id = _verified(call, settings)
    event = payload.fields(payload.parsed(call.body))
    if not event:
        raise Unreadable("not an event")
    kind = _KINDS.get(payload.text(event.get("type")))
    bounce = payload.fields(payload.fields(event.get("data")).get("bounce"))
    if kind is None or (event["type"] == "email.bounced" and not amazon_bounces.says_anything(bounce, _reply(bounce))):
        return []
    return [_report(kind, event, bounce, event_id)]


def _verified(call: Call, settings: Settings) -> str:
    """The name of the event. Raises Forged."""
    event_id, sent_at = call.headers.get("svix-id", ""), call.headers.get("svix-timestamp", "")
    made = hmac.new(_key(settings), f"{event_id}.{sent_at}.".encode() + call.body, sha256).digest()
    wanted = f"v1,{base64.b64encode(made).decode()}"
    given = call.headers.get("svix-signature", "").split()[:20]  # more than one while the secret changes
    if not event_id or not [each for each in given if is_same(each, wanted)]:
        raise Forged("wrong signature")
    check_age(sent_at, OLDEST)
    return event_id


def _key(settings: Settings) -> bytes:
    secret = settings.resend_hook_secret
    try:
        key = base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True) if secret else b""
    except ValueError:
        key = b""
    if not key:
        raise NotNow("RESEND_HOOK_SECRET is not a webhook secret")
    return key


def _reply(bounce: Mapping[str, object]) -> str:
    told = bounce.get("diagnosticCode")
    return payload.words(*(payload.items(told) or [told]))


def _report(kind: ReportKind, event: Mapping[str, object], bounce: Mapping[str, object], event_id: str) -> Report:
    data = payload.fields(event.get("data"))
    status, said = "", _reply(bounce) or payload.text(bounce.get("message"))
    if event["type"] == "email.bounced":
        status = amazon_bounces.status(bounce, "", _reply(bounce))
    elif event["type"] == "email.failed":  # Resend would not send it: about us (RFC 3463 §3.8)
        status, said = "5.7.0", payload.words(payload.fields(data.get("failed")).get("reason"))
    elif event["type"] == "email.suppressed":
        said = payload.words(payload.fields(data.get("suppressed")).get("message"))
    return Report(
        source="resend",
        event_id=payload.name(event_id, event),
        kind=kind,
        token=payload.token(_tags(data.get("tags"))),
        message_id=payload.text(data.get("message_id")),
        address=payload.first(data.get("to")),
        status=status,
        words=said,
        at=payload.moment(event.get("created_at")),
    )


def _tags(value: object) -> Mapping[str, object]:
    """As an object, or as the list of names and values in which they were given."""
    pairs = map(payload.fields, payload.items(value))
    return payload.fields(value) or {payload.text(pair.get("name")): pair.get("value") for pair in pairs}
