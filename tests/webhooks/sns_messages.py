"""Messages as SNS sends them, signed by openssl."""

import json
from datetime import timedelta

from newsletter import clock
from tests.webhooks.conftest import TOPIC
from tests.webhooks.openssl import Signer
from tests.webhooks.sns_host import HOST

CERTIFICATE = "/SimpleNotificationService-7ff5318490ec183fbaddaa2a969abfda.pem"
_HASHED_BY = {"1": "sha1", "2": "sha256"}


def string_to_sign(message: dict[str, str]) -> bytes:
    """As the documentation lists the fields, in its order."""
    if message["Type"] == "Notification":
        names = [
            "Message",
            "MessageId",
            *(["Subject"] if "Subject" in message else []),
            "Timestamp",
            "TopicArn",
            "Type",
        ]
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode()


def sign(message: dict[str, str], key: Signer) -> dict[str, str]:
    hashed_by = _HASHED_BY.get(message["SignatureVersion"], "sha256")
    return {**message, "Signature": key.sign(string_to_sign(message), hashed_by)}


def notification(event: object, key: Signer, *, hours: float = 0, **given: str) -> dict[str, str]:
    message = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": event if isinstance(event, str) else json.dumps(event) + "\n",
        "Timestamp": _at(hours),
        "SignatureVersion": "2",
        "SigningCertURL": f"https://{HOST}{CERTIFICATE}",
        "UnsubscribeURL": f"https://{HOST}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:c9135db0",
        **given,
    }
    return sign({name: value for name, value in message.items() if value}, key)


def confirmation(key: Signer, **given: str) -> dict[str, str]:
    message = {
        "Type": "SubscriptionConfirmation",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37fb687f5d51e6e2425f004ad9cd",
        "TopicArn": TOPIC,
        "Message": f"You have chosen to subscribe to the topic {TOPIC}.\nTo confirm, visit the SubscribeURL.",
        "SubscribeURL": f"https://{HOST}{SUBSCRIBE}",
        "Timestamp": _at(0),
        "SignatureVersion": "1",
        "SigningCertURL": f"https://{HOST}{CERTIFICATE}",
        **given,
    }
    return sign(message, key)


SUBSCRIBE = f"/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e2425f004ad9cd"


def _at(hours: float) -> str:
    moment = clock.now() + timedelta(hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
