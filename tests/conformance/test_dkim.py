"""Our signatures before three verifiers that are not ours: mailauth and dkimpy for both, Mail::DKIM for RSA."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from emails.dkim import Key, SignedLetter, sign
from tests.conformance import asking, letters
from tests.conformance.letters import DOMAIN, KEYS
from tests.conformance.programs import run
from tests.conformance.verdicts import Told
from tests.emails.samples import ADA, content, letter
from tests.name_server import Zone

pytestmark = pytest.mark.judges

RETURN_PATH = f"b+1a2b@bounces.{DOMAIN}"

_DKIMPY = """
import base64, json, sys
import dkim
asked = json.load(sys.stdin)
record = lambda name, timeout=5: asked["zone"].get(name.decode().rstrip("."), "").encode()
def verdict(message, number):
    try:
        return bool(dkim.DKIM(message, minkey=2048).verify(idx=number, dnsfunc=record))
    except dkim.DKIMException:
        return False
messages = [base64.b64decode(message) for message in asked["messages"]]
json.dump([[verdict(message, number) for number in range(2)] for message in messages], sys.stdout)
"""

_MAIL_DKIM = """
use strict; use warnings; use JSON::PP; use MIME::Base64; use Mail::DKIM::Verifier; use Net::DNS;
my $asked = decode_json(do { local $/; <STDIN> });
{ no warnings 'redefine';
  *Mail::DKIM::DNS::query = sub {
    my $text = $asked->{zone}{$_[0]} or return;
    return Net::DNS::RR->new(name => $_[0], type => 'TXT', txtdata => [$text =~ /(.{1,255})/g]);
  };
  *Mail::DKIM::DNS::query_async = sub {
    my ($name, $type, %how) = @_;
    my @found = Mail::DKIM::DNS::query($name);
    return sub { $how{Callbacks}{Success} ? $how{Callbacks}{Success}->(@found) : @found };
  };
}
my @said;
for my $message (map { decode_base64($_) } @{$asked->{messages}}) {
  my $verifier = Mail::DKIM::Verifier->new;
  $verifier->PRINT($message);
  $verifier->CLOSE;
  push @said, { map { $_->selector => $_->result } $verifier->signatures };
}
print encode_json(\\@said);
"""


def question(messages: list[bytes]) -> bytes:
    zone = {f"{key.selector}._domainkey.{DOMAIN}": key.record for key in KEYS}
    return json.dumps({"zone": zone, "messages": [b64encode(message).decode() for message in messages]}).encode()


def by_dkimpy(*messages: bytes) -> list[list[bool]]:
    verdicts: list[list[bool]] = json.loads(run(["/usr/bin/python3", "-c", _DKIMPY], stdin=question(list(messages))))
    return verdicts


def by_mail_dkim(*messages: bytes) -> list[str]:
    """What it says of the RSA signature; it knows no Ed25519."""
    said = json.loads(run(["/usr/bin/perl", "-e", _MAIL_DKIM], stdin=question(list(messages))))
    return [each.get("r1", "none") for each in said]


def signed(text: str = "Dear {name},\n\nhello  there.", keys: list[Key] = KEYS) -> bytes:
    return SignedLetter(letter(content(text)), DOMAIN, keys).splice(ADA)


def zone() -> Zone:
    """What the sender's domain publishes: its keys, who may send for it, and what to do with anything else."""
    quoted = {
        f"{key.selector}._domainkey.{DOMAIN}": " ".join(
            f'"{key.record[at : at + 255]}"' for at in range(0, len(key.record), 255)
        )
        for key in KEYS
    }
    records = {(name, "TXT"): [record] for name, record in quoted.items()}
    records[f"bounces.{DOMAIN}", "TXT"] = ['"v=spf1 ip4:192.0.2.25 -all"']
    records[f"_dmarc.{DOMAIN}", "TXT"] = ['"v=DMARC1; p=reject; adkim=s"']
    return records


@pytest.mark.verdict("mailauth", "SPF, both signatures and DMARC pass, by the keys of a name server")
def test_a_receiver_finds_every_letter_in_order(tmp_path: Path, told: Told) -> None:
    told.judged(letters.names())

    found = asking.mailauth(tmp_path, zone(), [each.signed.splice(ADA) for each in letters.every()], RETURN_PATH)

    good = {"spf": "pass", "dkim": {"r1": "pass", "e1": "pass"}, "aligned": 2, "dmarc": "pass"}
    assert dict(zip(letters.names(), found, strict=True)) == dict.fromkeys(letters.names(), good)


@pytest.mark.verdict("mailauth")
def test_a_receiver_sees_a_word_that_was_changed_and_a_key_that_is_another(tmp_path: Path) -> None:
    message = letters.every()[0].signed.splice(ADA)
    other_key = zone() | {(f"r1._domainkey.{DOMAIN}", "TXT"): zone()[f"e1._domainkey.{DOMAIN}", "TXT"]}

    [tampered] = asking.mailauth(
        tmp_path, zone(), [changed(message, b"Subject: ", b"Subject: Re: ")], "eve@evil.example"
    )
    [other] = asking.mailauth(tmp_path, other_key, [message], RETURN_PATH)
    [unknown] = asking.mailauth(tmp_path, {("example.org", "TXT"): []}, [message], RETURN_PATH)

    assert "pass" not in tampered["dkim"].values()
    assert tampered["dmarc"] == "fail"
    assert (other["dkim"]["r1"] != "pass", other["dkim"]["e1"]) == (True, "pass")
    assert "pass" not in unknown["dkim"].values()


@pytest.mark.verdict("dkimpy", "both signatures pass")
def test_both_signatures_of_every_letter_are_good_to_dkimpy(told: Told) -> None:
    told.judged(letters.names())
    messages = [each.signed.splice(ADA) for each in letters.every()]

    assert by_dkimpy(*messages, *odd()) == [[True, True]] * (len(messages) + 2)


@pytest.mark.verdict("Mail::DKIM", "the RSA signature passes; it knows no Ed25519")
def test_the_rsa_signature_of_every_letter_is_good_to_mail_dkim(told: Told) -> None:
    told.judged(letters.names())
    messages = [each.signed.splice(ADA) for each in letters.every()]

    assert by_mail_dkim(*messages, *odd()) == ["pass"] * (len(messages) + 2)


def odd() -> list[bytes]:
    return [
        sign(b"From:  a@letters.example.org \r\nSubject: a\r\n  b\t\r\n\r\n two  blanks \r\n\r\n\r\n", DOMAIN, KEYS),
        sign(b"From: a@letters.example.org\r\n\r\n", DOMAIN, KEYS),
    ]


def changed(message: bytes, old: bytes, new: bytes) -> bytes:
    assert old in message
    return message.replace(old, new, 1)


@pytest.mark.verdict("dkimpy")
@pytest.mark.verdict("Mail::DKIM")
def test_no_change_on_the_way_goes_unseen() -> None:
    message = signed()
    tampered = {
        "From": changed(message, b"\r\nFrom: Mara", b"\r\nFrom: Mallory"),
        "Subject": changed(message, b"\r\nSubject: A letter", b"\r\nSubject: Another letter"),
        "To": changed(message, b"\r\nTo: Ada", b"\r\nTo: Eve"),
        "List-Unsubscribe": changed(message, b"List-Unsubscribe: <https://letters", b"List-Unsubscribe: <https://evil"),
        "List-Unsubscribe-Post": changed(message, b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
        "Content-Type": changed(message, b"multipart/alternative", b"multipart/mixed"),
        "body": changed(message, b"hello", b"bye"),
        "a line more": message + b"more\r\n",
        **{
            f"a second {name}": changed(message, b"\r\nFrom:", f"\r\n{name}: x@evil.example\r\nFrom:".encode())
            for name in ("From", "Subject", "To", "Cc", "Reply-To", "Sender", "Date", "Message-ID", "List-Unsubscribe")
        },
    }

    for name, verdict in zip(tampered, by_dkimpy(*tampered.values()), strict=True):
        assert verdict == [False, False], name
    for name, said in zip(tampered, by_mail_dkim(*tampered.values()), strict=True):
        assert said != "pass", name


def test_what_a_relay_may_do_does_no_harm() -> None:
    message = signed()
    refolded = changed(message, b"\r\nSubject: A letter", b"\r\nSubject:   A\r\n\tletter ")
    received = b"Received: from a by b; Sun, 22 Nov 2026 08:00:01 +0000\r\nReturn-Path: <x@y.example>\r\n"

    assert by_dkimpy(received + message, refolded, message + b"\r\n\r\n") == [[True, True]] * 3
    assert by_mail_dkim(received + message, refolded, message + b"\r\n\r\n") == ["pass"] * 3
