"""Who is believed to be Amazon SNS, and what it can make us ask for."""

import base64
import json
import socket
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter import clock
from newsletter.config import Settings
from newsletter.webhooks import amazon, sns
from newsletter.webhooks.amazon import Amazon
from newsletter.webhooks.call import Forged, NotNow
from tests.webhooks import openssl
from tests.webhooks.conftest import TOPIC, altered, heard, use
from tests.webhooks.openssl import Signer
from tests.webhooks.sns_host import HOST, SnsHost
from tests.webhooks.sns_messages import CERTIFICATE, SUBSCRIBE, confirmation, notification, sign

BUCKET = "https://sns.s3-eu-central-1.amazonaws.com"


def post(client: FlaskClient, message: object) -> int:
    answer = client.post("/webhooks/ses", data=json.dumps(message), content_type="text/plain; charset=UTF-8")
    assert answer.data == b""
    return answer.status_code


@pytest.fixture(autouse=True)
def host(hooks: Settings, sns_host: SnsHost, amazon_key: Signer) -> SnsHost:
    sns_host.answers[CERTIFICATE] = (200, amazon_key.pem)
    sns_host.answers[SUBSCRIBE] = (200, b"<ConfirmSubscriptionResponse/>")
    return sns_host


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", ["", "Amazon SES Email Event Notification"])
def test_both_versions_of_signatures_are_believed(
    client: FlaskClient, amazon_key: Signer, version: str, subject: str
) -> None:
    assert post(client, notification({}, amazon_key, SignatureVersion=version, Subject=subject)) == 200


def test_the_certificate_is_asked_for_once(client: FlaskClient, amazon_key: Signer, host: SnsHost) -> None:
    for _ in range(3):
        assert post(client, notification({}, amazon_key)) == 200

    assert host.asked == [HOST + CERTIFICATE]


@pytest.mark.parametrize("version", ["1", "2"])
def test_no_byte_of_what_is_signed_can_be_changed(amazon_key: Signer, version: str) -> None:
    good = notification({"eventType": "Bounce"}, amazon_key, SignatureVersion=version)
    assert sns.verified(json.dumps(good).encode(), [TOPIC])

    for name in ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"):
        for value in altered(good[name].encode()):
            with pytest.raises(Forged):
                sns.verified(json.dumps({**good, name: value.decode()}).encode(), [TOPIC])
    for raw in altered(base64.b64decode(good["Signature"]), step=5):
        with pytest.raises(Forged):
            sns.verified(json.dumps({**good, "Signature": base64.b64encode(raw).decode()}).encode(), [TOPIC])


@pytest.mark.parametrize(
    "change",
    [
        {"Subject": None},
        {"Subject": ""},
        {"MessageId": None},
        {"Signature": None},
        {"Signature": "no base64"},
        {"Signature": 7},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": 2},
        {"Timestamp": None},
        {"Timestamp": "yesterday"},
        {"Type": "Notification\nType"},
        {"Type": "SubscriptionConfirmation"},
        {"Message": "\ud800"},
        {"TopicArn": [TOPIC]},
    ],
)
def test_a_message_with_another_shape_is_forged(
    client: FlaskClient, amazon_key: Signer, change: dict[str, Any]
) -> None:
    assert post(client, {**notification({}, amazon_key), **change}) == 403


@pytest.mark.parametrize(
    "topic",
    [
        "arn:aws:sns:eu-central-1:999999999999:letters-events",  # another account
        "arn:aws:sns:eu-west-1:123456789012:letters-events",
        "arn:aws:sns:eu-central-1:123456789012:letters",
        f"{TOPIC} ",
        "",
    ],
)
def test_what_amazon_signs_for_a_topic_of_others_is_not_even_looked_at(
    client: FlaskClient, amazon_key: Signer, host: SnsHost, topic: str
) -> None:
    for message in (
        notification({}, amazon_key, TopicArn=topic or "x"),
        confirmation(amazon_key, TopicArn=topic or "x"),
    ):
        assert post(client, message) == 403

    assert host.asked == []


@pytest.mark.parametrize(("hours", "status"), [(-27, 403), (-25, 200), (0, 200), (1, 403)])
def test_sns_may_repeat_for_a_day(client: FlaskClient, amazon_key: Signer, hours: int, status: int) -> None:
    assert post(client, notification({}, amazon_key, hours=hours)) == status


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}{CERTIFICATE}",
        f"https://{HOST}:443{CERTIFICATE}",
        f"https://{HOST}.example.com{CERTIFICATE}",
        f"https://example.com/{HOST}{CERTIFICATE}",
        f"https://{HOST}@example.com{CERTIFICATE}",
        f"https://user@{HOST}{CERTIFICATE}",
        f"https://{HOST.upper()}{CERTIFICATE}",
        f"https://sns.us-east-1.amazonaws.com{CERTIFICATE}",  # a real one, of another region than the topic's
        f"https://sns.eu-central-1.amazonaws.com.cn{CERTIFICATE}",
        f"https://snsxeu-central-1.amazonaws.com{CERTIFICATE}",
        f"{BUCKET}{CERTIFICATE}",
        f"https://{HOST}/../evil{CERTIFICATE}",
        f"https://{HOST}{CERTIFICATE}?x=.pem",
        f"https://{HOST}{CERTIFICATE}#.pem",
        f"https://{HOST}/evil.pem",
        f"https://{HOST}{CERTIFICATE}\r\nX: y",
        f"https://{HOST}/%53impleNotificationService-7ff5.pem",
        f"https:/{HOST}{CERTIFICATE}",
        f"//{HOST}{CERTIFICATE}",
        "file:///etc/passwd",
        "https://127.0.0.1/SimpleNotificationService-7ff5.pem",
        "https://[::1]/SimpleNotificationService-7ff5.pem",
        "https://169.254.169.254/SimpleNotificationService-7ff5.pem",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_never_asked_for(
    client: FlaskClient, amazon_key: Signer, host: SnsHost, url: str
) -> None:
    assert post(client, {**notification({}, amazon_key), "SigningCertURL": url}) == 403
    assert host.asked == []


def test_nobody_is_followed_to_another_place(client: FlaskClient, amazon_key: Signer, host: SnsHost) -> None:
    host.redirects[CERTIFICATE] = f"https://{HOST}/elsewhere"

    assert post(client, notification({}, amazon_key)) == 503
    assert host.asked == [HOST + CERTIFICATE]


def test_a_server_that_cannot_prove_to_be_amazon_is_told_nothing(
    client: FlaskClient, amazon_key: Signer, host: SnsHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sns, "amazon", host.amazon(is_believed=False))

    assert post(client, notification({}, amazon_key)) == 503
    assert host.asked == []


def test_a_certificate_for_another_host_proves_nothing(
    client: FlaskClient, amazon_key: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SnsHost(openssl.rsa(tmp_path, "other", host="sns.eu-west-1.amazonaws.com"))
    monkeypatch.setattr(sns, "amazon", other.amazon())
    try:
        assert post(client, notification({}, amazon_key)) == 503
        assert other.asked == []
    finally:
        other.close()


@pytest.mark.parametrize(
    "answer",
    [(404, b""), (500, b""), (200, b"no certificate"), (200, b"x" * 70_000), (200, b""), (204, b"")],
)
def test_without_a_certificate_sns_is_asked_to_come_again_and_the_next_time_all_is_well(
    client: FlaskClient, amazon_key: Signer, host: SnsHost, answer: tuple[int, bytes]
) -> None:
    good = host.answers[CERTIFICATE]
    host.answers[CERTIFICATE] = answer
    assert post(client, notification({}, amazon_key)) == 503

    host.answers[CERTIFICATE] = good
    assert post(client, notification({}, amazon_key)) == 200


def test_an_amazon_that_says_nothing_holds_us_for_a_moment_only(
    client: FlaskClient, amazon_key: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amazon, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(sns, "amazon", Amazon(address=silent.getsockname()))

        before = clock.seconds_awake_or_asleep()
        assert post(client, notification({}, amazon_key)) == 503
        assert clock.seconds_awake_or_asleep() - before < 2


def test_a_certificate_that_is_over_or_too_weak_is_not_believed(
    client: FlaskClient, host: SnsHost, tmp_path: Path
) -> None:
    weak = openssl.rsa(tmp_path, "weak", host=HOST, bits=1024)
    host.answers[CERTIFICATE] = (200, weak.pem)
    assert post(client, notification({}, weak)) == 403

    over = openssl.rsa(tmp_path, "over", host=HOST, days=1)
    path = CERTIFICATE.replace("7ff5", "0ver")
    host.answers[path] = (200, over.pem)
    message = notification({}, over, SigningCertURL=f"https://{HOST}{path}")
    assert post(client, message) == 200
    with time_machine.travel(clock.now().timestamp() + 2 * 86400):
        late = notification({}, over, SigningCertURL=f"https://{HOST}{path}")
        assert post(client, late) == 403


def test_strangers_cannot_make_us_ask_amazon_without_end_nor_keep_known_certificates_from_working(
    client: FlaskClient, amazon_key: Signer, host: SnsHost
) -> None:
    good = notification({}, amazon_key)
    assert post(client, good) == 200

    for number in range(100):
        made_up = f"https://{HOST}/SimpleNotificationService-{number:032x}.pem"
        assert post(client, {**good, "SigningCertURL": made_up}) == 503

    assert len(host.asked) == amazon.MOST_REQUESTS
    assert post(client, good) == 200


def test_a_subscription_is_confirmed_once_it_is_known_to_be_ours(
    client: FlaskClient, amazon_key: Signer, host: SnsHost
) -> None:
    assert post(client, confirmation(amazon_key)) == 200
    assert host.asked == [HOST + CERTIFICATE, HOST + SUBSCRIBE]


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_forged_subscription_is_not_confirmed(
    client: FlaskClient, amazon_key: Signer, host: SnsHost, version: str
) -> None:
    good = confirmation(amazon_key, SignatureVersion=version)
    for name in ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"):
        for value in altered(good[name].encode(), step=7):
            assert post(client, {**good, name: value.decode()}) == 403

    assert HOST + SUBSCRIBE not in host.asked


@pytest.mark.parametrize(
    "url",
    [
        f"{BUCKET}{SUBSCRIBE}",
        f"http://{HOST}{SUBSCRIBE}",
        f"https://{HOST}/?Action=DeleteTopic&TopicArn={TOPIC}",
        f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}2&Token=1",
        f"https://{HOST}/?Action=ConfirmSubscription&Action=Other&TopicArn={TOPIC}",
        f"https://{HOST}/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_even_a_signed_subscription_leads_nowhere_but_to_our_topic(
    client: FlaskClient, amazon_key: Signer, host: SnsHost, url: str
) -> None:
    assert post(client, confirmation(amazon_key, SubscribeURL=url)) == 403
    assert host.asked == [HOST + CERTIFICATE]


def test_a_confirmation_that_amazon_does_not_take_is_tried_again(
    client: FlaskClient, amazon_key: Signer, host: SnsHost
) -> None:
    host.answers[SUBSCRIBE] = (500, b"")
    assert post(client, confirmation(amazon_key)) == 503

    host.answers[SUBSCRIBE] = (200, b"")
    assert post(client, confirmation(amazon_key)) == 200


def test_the_end_of_a_subscription_is_taken_in_and_not_undone(
    client: FlaskClient, amazon_key: Signer, host: SnsHost
) -> None:
    assert post(client, confirmation(amazon_key, Type="UnsubscribeConfirmation")) == 200
    assert host.asked == [HOST + CERTIFICATE]


def test_a_region_that_is_none_is_never_asked(
    client: FlaskClient, settings: Settings, amazon_key: Signer, host: SnsHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = ("arn:aws:sns:s3-eu-central-1.x:1:t", "arn:aws:sns:s3:1:t", "arn:aws:sqs:eu-central-1:1:t", "topic")
    use(monkeypatch, settings, ses_topics=odd)

    for topic in odd:
        assert post(client, notification({}, amazon_key, TopicArn=topic)) == 403
    assert host.asked == []


def test_what_is_wrapped_in_a_list_or_is_no_json_says_nothing(client: FlaskClient, amazon_key: Signer) -> None:
    assert post(client, [notification({}, amazon_key)]) == 403
    assert client.post("/webhooks/ses", data=b"\xff\xfe{").status_code == 400
    assert heard("ses") == []


def test_words_of_amazon_that_are_no_event_are_ignored(client: FlaskClient, amazon_key: Signer) -> None:
    words = "Successfully validated SNS topic for Amazon SES event publishing."

    assert post(client, notification(words, amazon_key)) == 200
    assert post(client, sign({**notification("[1]", amazon_key), "MessageId": "other"}, amazon_key)) == 200


def test_a_port_that_is_closed_is_no_answer() -> None:
    with pytest.raises(NotNow):
        Amazon(address=("127.0.0.1", 1)).get("/", "eu-central-1")
