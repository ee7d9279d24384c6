"""Signatures: the quick way gives what the plain one does, as RFC 6376 says. The judges are in conformance/."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import emails
from emails import dkim
from emails.letter import Letter, Place
from tests.emails.keys import both, ed25519_pem, rsa_pem
from tests.emails.samples import ADA, ENVELOPE, THEME, content, demo, letter

DOMAIN = "letters.example.org"
KEYS = both()

# RFC 6376 §3.4.6, the example of both canonical forms.
RFC_BODY = b" C \r\nD \t E\r\n\r\n\r\n"


def test_bodies_and_fields_are_made_canonical_as_the_rfc_shows() -> None:
    assert dkim.canonical_body(RFC_BODY) == b" C\r\nD E\r\n"
    assert dkim.canonical_field(b"a", b" X") == b"a:X"
    assert dkim.canonical_field(b"b", b" Y\t\r\n\tZ  ") == b"b:Y Z"
    assert dkim.canonical_body(b"") == b""
    assert dkim.canonical_body(b"\r\n\r\n") == b""
    assert dkim.canonical_body(b"no line end") == b"no line end\r\n"


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
markdown = st.lists(
    st.sampled_from(
        [
            "Dear {name},",
            "Hello  {first name|you}  \nand\t\tmore",
            "    code  with   blanks  ",
            "*",
            "A.\n\n\n\nB",
            "{name}",
        ]
    )
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80).map(lambda text: text.replace("{", "")),
    min_size=1,
    max_size=6,
).map("\n\n".join)


@given(said=markdown, subject=names, reader=names, label=st.from_regex(r"[a-z0-9]{1,40}", fullmatch=True))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_signed_letter_gives_the_bytes_that_signing_each_message_would(
    said: str, subject: str, reader: str, label: str
) -> None:
    try:
        made = letter(content(said, subject=f"{subject} {{name}}"))
    except emails.LetterError:
        return
    recipient = ADA._replace(name=reader, message_id=label, unsubscribe_url=f"https://x.example/leave/{label}" * 3)

    signed = dkim.SignedLetter(made, DOMAIN, KEYS)

    assert signed.is_planned
    assert signed.splice(recipient) == dkim.sign(made.splice(recipient), DOMAIN, KEYS)


@pytest.mark.parametrize("audience", emails.Audience)
def test_so_does_the_richest_letter_there_is(audience: emails.Audience) -> None:
    made = emails.build_letter(emails.compile_post(demo(), THEME, audience), ENVELOPE)
    signed = dkim.SignedLetter(Letter.from_bytes(made.to_bytes()), DOMAIN, KEYS)

    for name in ("Ada", "", "  ", "Zoë  “Z” Müller-Lüdenscheidt of the very long name, and longer still", "名前"):
        reader = ADA._replace(name=name)
        assert signed.splice(reader) == dkim.sign(made.splice(reader), DOMAIN, KEYS)
        assert signed.splice(reader).endswith(made.splice(reader))


def test_a_letter_whose_values_stand_amid_a_line_is_signed_the_plain_way() -> None:
    odd = Letter((b"From: a@b.example\r\n\r\nHello ", Place("text", "name"), b"  !\r\n"))
    signed = dkim.SignedLetter(odd, DOMAIN, KEYS)

    assert not signed.is_planned
    assert signed.splice(ADA) == dkim.sign(b"From: a@b.example\r\n\r\nHello Ada  !\r\n", DOMAIN, KEYS)


def test_a_message_sent_again_is_the_same_bytes() -> None:
    made = letter()

    first, again = (dkim.SignedLetter(made, DOMAIN, both()).splice(ADA) for _ in range(2))

    assert first == again
    assert b"t=1795334400;" in first  # the moment in Date, not the one on the clock


def test_signatures_keep_the_rules_of_every_message() -> None:
    message = dkim.SignedLetter(letter(), DOMAIN, KEYS).splice(ADA)
    head = message.partition(b"\r\n\r\n")[0]

    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(len(line) for line in head.split(b"\r\n") if line.startswith(b" ") and b"https" not in line) <= 80
    assert head.count(b"DKIM-Signature:") == 2
    assert b" l=" not in head


def test_every_field_is_listed_once_more_than_it_occurs() -> None:
    message = dkim.SignedLetter(letter(), DOMAIN, KEYS[:1]).splice(ADA)
    listed = re.sub(r"\s", "", re.search(r"h=([^;]+);", message.decode())[1]).split(":")  # type: ignore[index]

    for name in ("From", "To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Type", "Feedback-ID"):
        assert listed.count(name) == 2, name
    for name in ("Cc", "Sender", "In-Reply-To"):
        assert listed.count(name) == 1, name


def test_a_key_tells_the_record_that_is_to_be_published() -> None:
    assert dkim.read_key(rsa_pem(), "a").record.startswith("v=DKIM1; k=rsa; p=MIIB")
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", dkim.read_key(ed25519_pem(), "a").record)


@pytest.mark.parametrize("pem", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(emails.BadKey):
        dkim.read_key(pem, "a")


def test_keys_that_mailboxes_do_not_take_are_refused() -> None:
    curve = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    with pytest.raises(emails.BadKey, match="1024 bits"):
        dkim.read_key(rsa_pem(1024), "a")
    with pytest.raises(emails.BadKey, match="neither"):
        dkim.read_key(curve, "a")


@pytest.mark.parametrize("selector", ["", "a b", "-a", "a;b", "a\r\nb", "."])
def test_a_selector_that_is_no_name_is_refused(selector: str) -> None:
    with pytest.raises(dkim.BadSelector):
        dkim.read_key(rsa_pem(), selector)
