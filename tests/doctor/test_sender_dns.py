"""What is said about the records of a sender's domain, by a real name server of this test."""

import socket
import threading
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from newsletter.doctor import sender_dns
from newsletter.doctor.findings import Finding

Zone = dict[tuple[str, str], list[str]]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    """Records by name and kind; whatever is not in it does not exist."""
    records: Zone = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, args=(server, records))
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
        monkeypatch.setattr(dns.resolver, "Resolver", lambda: resolver)
        yield records
        server.sendto(b"", server.getsockname())
        thread.join()


def serve(server: socket.socket, records: Zone) -> None:
    while packet := server.recvfrom(4096):
        content, client = packet
        if not content:
            return
        query = dns.message.from_wire(content)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if found := records.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif not any(known == name for known, _ in records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(answer.to_wire(), client)


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
