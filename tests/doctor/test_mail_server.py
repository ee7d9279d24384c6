"""Every way out is tried as a worker would, without sending anything."""

from pathlib import Path

import pytest

from newsletter.config import Settings
from newsletter.doctor import mail_server
from newsletter.doctor.findings import Finding
from tests.providers import FakeMailgun, FakePostmark, FakeResend, FakeSes, Provider
from tests.smtp_sink import SmtpSink

PROVIDERS = [(FakeSes, "Amazon SES"), (FakePostmark, "Postmark"), (FakeMailgun, "Mailgun"), (FakeResend, "Resend")]


def found(settings: Settings, url: str) -> list[Finding]:
    return list(mail_server.check(settings.model_copy(update={"mail_url": url})))


@pytest.mark.parametrize(("kind", "name"), PROVIDERS)
def test_a_provider_that_lets_us_in_is_well_and_gets_no_message(
    settings: Settings, kind: type[Provider], name: str
) -> None:
    with kind() as fake:
        [finding] = found(settings, fake.url)
        assert (finding.level, finding.sentence) == ("ok", f"{name} answers, and lets us in.")
        assert len(fake.requests) == 1
        assert fake.accepted == []


@pytest.mark.parametrize(("kind", "name"), PROVIDERS)
def test_a_wrong_key_is_told_from_a_provider_that_is_away(settings: Settings, kind: type[Provider], name: str) -> None:
    with kind() as fake:
        [wrong] = found(settings, fake.url.replace(fake.key, "other-key").replace("AKIDEXAMPLE", "AKIDOTHER"))
    [away] = found(settings, fake.url)

    assert wrong.level == away.level == "fail"
    assert "MAIL_URL" in wrong.sentence
    assert "other-key" not in wrong.sentence
    assert away.sentence == f"No connection to {name} at 127.0.0.1: nothing listens there."


def test_a_folder_is_tried_and_somebody_reminded_to_empty_it(settings: Settings, tmp_path: Path) -> None:
    [finding] = found(settings, f"files:{tmp_path}/mail")
    assert (finding.level, finding.sentence) == ("warn", f"mail is put into {tmp_path}/mail.")
    [finding] = found(settings, "files:/proc/version")
    assert finding.level == "fail"


def test_each_of_several_ways_is_tried(settings: Settings) -> None:
    with FakePostmark() as fake, SmtpSink() as sink:
        assert [finding.sentence for finding in found(settings, f"{fake.url} {sink.url}?tls=none")] == [
            "Postmark answers, and lets us in.",
            "127.0.0.1 answers.",
            "is spoken to without encryption.",
        ]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("ses://key:secret@eu-west-1", "amazonaws.com"),
        ("mailgun://key@letters.example.org", "mailgun.org"),
        ("postmark://token@", "postmarkapp.com"),
        ("files:/var/mail/out", "localhost"),
        ("smtp://mail.example.org", "mail.example.org"),
    ],
)
def test_the_records_of_the_sender_are_asked_for_by_the_name_of_who_sends(
    settings: Settings, url: str, host: str
) -> None:
    assert mail_server.host_of(settings.model_copy(update={"mail_url": url})) == host
