"""Messages of Amazon SNS (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).

Anybody can let SNS sign anything, with a topic of their own. So only our own topics are believed.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from newsletter.webhooks import payload
from newsletter.webhooks.amazon import Amazon, path_of, region_of
from newsletter.webhooks.call import Forged, check_age

OLDEST = timedelta(hours=26)  # SNS asks again for hours, as the subscription says

NOTIFICATION = "Notification"
SUBSCRIBED = "SubscriptionConfirmation"
UNSUBSCRIBED = "UnsubscribeConfirmation"

_CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIBED: _CONFIRMED,
    UNSUBSCRIBED: _CONFIRMED,
}
_HASHES: Mapping[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}

amazon = Amazon()


@dataclass(frozen=True)
class Message:
    """One message that SNS has signed for a topic of ours."""

    kind: str
    id: str
    topic: str
    words: str
    subscribe_url: str


def verified(body: bytes, topics: Sequence[str]) -> Message:
    """Raises Forged, NotNow, Unreadable."""
    document = payload.fields(payload.parsed(body))
    topic = _text(document, "TopicArn")
    if topic not in topics:
        raise Forged("another topic")
    kind = _text(document, "Type")
    if kind not in _SIGNED:
        raise Forged("an unknown type of message")
    sent_at = payload.moment(_text(document, "Timestamp"))
    check_age(str(int(sent_at.timestamp())) if sent_at else "", OLDEST)
    _check_signature(document, _SIGNED[kind], region_of(topic))
    return Message(
        kind=kind,
        id=_text(document, "MessageId"),
        topic=topic,
        words=_text(document, "Message"),
        subscribe_url=_text(document, "SubscribeURL"),
    )


def confirm(message: Message) -> None:
    """Tell SNS that this topic may write to us. Safe to do twice. Raises Forged, NotNow."""
    region = region_of(message.topic)
    path = path_of(message.subscribe_url, region)
    asked = parse_qs(urlsplit(path).query)
    if asked.get("Action") != ["ConfirmSubscription"] or asked.get("TopicArn") != [message.topic]:
        raise Forged("a subscription to something else")
    amazon.get(path, region)


def _check_signature(document: Mapping[str, object], names: Sequence[str], region: str) -> None:
    hashed_by = _HASHES.get(_text(document, "SignatureVersion"))
    if hashed_by is None:
        raise Forged("an unknown version of signature")
    signed = "".join(f"{name}\n{_text(document, name)}\n" for name in names if document.get(name) is not None)
    try:
        signature = base64.b64decode(_text(document, "Signature"), validate=True)
        content = signed.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise Forged("wrong signature") from None
    key = amazon.key(_text(document, "SigningCertURL"), region)
    try:
        key.verify(signature, content, PKCS1v15(), hashed_by())
    except InvalidSignature:
        raise Forged("wrong signature") from None


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
