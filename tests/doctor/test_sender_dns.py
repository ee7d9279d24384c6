"""What is said about the records of a sender's domain, by a real name server of this test."""

from collections.abc import Callable, Iterator

import dns.resolver
import pytest

from emails.dkim import read_key
from newsletter.doctor import sender_dns
from newsletter.doctor.findings import Finding
from tests.emails.keys import rsa_pem
from tests.name_server import Zone, serving


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    """Records by name and kind; whatever is not in it does not exist."""
    records: Zone = {}
    with serving(records) as port:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        monkeypatch.setattr(dns.resolver, "Resolver", lambda: resolver)
        yield records


def look(relay: str = "mail.relay.net", answers_to: str = "letters.org") -> dict[str, Finding]:
    found = sender_dns.check("letters.org", {answers_to}, relay)
    return {finding.about.split()[0]: finding for finding in found}


def complete(zone: Zone) -> None:
    zone["letters.org", "TXT"] = ['"some other text"', '"v=spf1 a:mail.relay.net " "~all"']
    zone["_dmarc.letters.org", "TXT"] = ['"v=DMARC1; p=reject"']
    zone["letters.org", "MX"] = ["10 mx.letters.org."]


def test_a_complete_domain_is_well_but_for_the_signature_that_only_mail_can_show(zone: Zone) -> None:
    complete(zone)

    found = look()

    assert {about: finding.level for about, finding in found.items()} == {
        "SPF": "ok",
        "DKIM": "warn",
        "DMARC": "ok",
        "Replies": "ok",
    }
    assert found["SPF"].sentence == "v=spf1 a:mail.relay.net ~all"


@pytest.mark.parametrize(
    ("relay", "record"),
    [
        ("mail.relay.net", 'letters.org. TXT "v=spf1 mx a:mail.relay.net ~all"'),
        ("email-smtp.eu-west-1.amazonaws.com", 'letters.org. TXT "v=spf1 include:amazonses.com ~all"'),
        ("127.0.0.1", 'letters.org. TXT "v=spf1 a mx ~all"'),
    ],
)
def test_a_domain_without_records_is_told_exactly_what_to_add(zone: Zone, relay: str, record: str) -> None:
    found = look(relay)

    assert [finding.level for finding in found.values()] == ["fail", "warn", "fail", "fail"]
    assert record in found["SPF"].advice
    assert '_dmarc.letters.org. TXT "v=DMARC1; p=none; rua=mailto:postmaster@letters.org"' in found["DMARC"].advice


def two_spf(zone: Zone) -> None:
    zone["letters.org", "TXT"] = ['"v=spf1 mx ~all"', '"v=spf1 a ~all"']


def open_spf(zone: Zone) -> None:
    zone["letters.org", "TXT"] = ['"v=spf1 +all"']


def other_service(zone: Zone) -> None:
    zone["letters.org", "TXT"] = ['"v=spf1 include:mailgun.org ~all"']


def two_policies(zone: Zone) -> None:
    zone["_dmarc.letters.org", "TXT"] = ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']


def no_mail(zone: Zone) -> None:
    zone["letters.org", "MX"] = ["0 ."]


@pytest.mark.parametrize(
    ("spoil", "about", "level", "words"),
    [
        (two_spf, "SPF", "fail", "2 records"),
        (open_spf, "SPF", "fail", "lets everybody"),
        (other_service, "SPF", "warn", "does not name smtp.sendgrid.net"),
        (two_policies, "DMARC", "fail", "2 records"),
        (no_mail, "Replies", "fail", "takes no mail"),
    ],
)
def test_a_record_that_does_harm_is_named(
    zone: Zone, spoil: Callable[[Zone], None], about: str, level: str, words: str
) -> None:
    complete(zone)
    spoil(zone)

    finding = look("smtp.sendgrid.net")[about]

    assert finding.level == level
    assert words in finding.sentence


def test_the_policy_of_a_parent_counts(zone: Zone) -> None:
    complete(zone)

    found = {finding.about: finding for finding in sender_dns.check("news.letters.org", {"letters.org"}, "r.net")}

    assert found["DMARC news.letters.org"].level == "ok"


def test_without_a_name_server_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], 1
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: resolver)
    monkeypatch.setattr(sender_dns, "_PATIENCE", 0.3)

    found = list(sender_dns.check("letters.org", {"letters.org"}, "r.net"))

    assert [finding.level for finding in found] == ["warn"]
    assert "could not ask" in found[0].sentence


@pytest.mark.parametrize("domain", ["example.org", "thread.example.org", "letters.test", "localhost"])
def test_a_domain_for_examples_is_not_asked_about(domain: str) -> None:
    assert [finding.level for finding in sender_dns.check(domain, {domain}, "r.net")] == ["warn"]


NAME = "r1._domainkey.letters.org"


def look_for_key(zone: Zone, *records: str) -> Finding:
    complete(zone)
    if records:
        pieces = [[record[at : at + 255] for at in range(0, len(record), 255)] for record in records]
        zone[NAME, "TXT"] = [" ".join(f'"{piece}"' for piece in each) for each in pieces]
    key = read_key(rsa_pem(), "r1")
    found = sender_dns.check("letters.org", {"letters.org"}, "mail.relay.net", keys=[key])
    [finding] = [finding for finding in found if finding.about.startswith("DKIM")]
    return finding


def test_a_published_key_that_fits_is_well(zone: Zone) -> None:
    assert look_for_key(zone, read_key(rsa_pem(), "r1").record).level == "ok"


def test_a_key_that_is_not_published_is_told_the_record(zone: Zone) -> None:
    found = look_for_key(zone)

    assert found.level == "fail"
    assert f'Add: {NAME}. TXT "{read_key(rsa_pem(), "r1").record}"' == found.advice


@pytest.mark.parametrize(
    ("record", "level", "words"),
    [
        ("v=DKIM1; k=rsa; p=", "fail", "withdrawn"),
        ("v=DKIM1; k=rsa; p=MIIBOTHERKEY", "fail", "does not fit"),
        ("v=DKIM1; k=ed25519; p={public}", "fail", "does not fit"),
        ("v=DKIM1; h=sha1; p={public}", "fail", "not for mail"),
        ("v=DKIM1; t=y:s; p={public}", "warn", "trial"),
        ("k=rsa; p={public}", "ok", "fits"),
    ],
)
def test_a_published_key_that_does_not_fit_is_named(zone: Zone, record: str, level: str, words: str) -> None:
    found = look_for_key(zone, record.format(public=read_key(rsa_pem(), "r1").public))

    assert (found.level, words in found.sentence) == (level, True)


def test_two_records_are_none(zone: Zone) -> None:
    record = read_key(rsa_pem(), "r1").record

    assert "2 records" in look_for_key(zone, record, f"{record}; t=s").sentence
