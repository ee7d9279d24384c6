"""What is an address, and when two of them are one."""

import pytest

from newsletter.subscribers.addresses import Address, BadAddress


@pytest.mark.parametrize(
    ("typed", "email", "key"),
    [
        ("Ada.L+news@Example.COM", "Ada.L+news@example.com", "ada.l+news@example.com"),
        ("  ada@example.com\n", "ada@example.com", "ada@example.com"),
        ("ada@bücher.example.com", "ada@xn--bcher-kva.example.com", "ada@xn--bcher-kva.example.com"),
        ("ADA@XN--BCHER-KVA.example.com", "ADA@xn--bcher-kva.example.com", "ada@xn--bcher-kva.example.com"),
        ("ada@почта.рф", "ada@xn--80a1acny.xn--p1ai", "ada@xn--80a1acny.xn--p1ai"),
        ("ada@日本語.jp", "ada@xn--wgv71a119e.jp", "ada@xn--wgv71a119e.jp"),
        ("o'brien@example.com", "o'brien@example.com", "o'brien@example.com"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_addresses_are_kept_as_typed_and_compared_folded(typed: str, email: str, key: str) -> None:
    address = Address.read(typed)

    assert (address.email, address.key) == (email, key)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@@example.com",
        "ada@example..com",
        "ada@localhost",
        "ada@example.invalid",
        '"ada l"@example.com',
        "ada@[127.0.0.1]",
        "Ada <ada@example.com>",
        "ada@example.com, eve@example.com",
        "ada@exa\u200bmple.com",
        "ada\u202e@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\x00@example.com",
        "a" * 65 + "@example.com",
        "ada@" + "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + ".com",
        "adä@example.com",
        "postmaster@example.com",
        "Abuse@example.com",
        "no-reply@example.com",
        "MAILER-DAEMON@example.com",
    ],
)
def test_what_mail_cannot_reach_is_refused_in_words(typed: str) -> None:
    with pytest.raises(BadAddress) as refusal:
        Address.read(typed)

    assert refusal.value.sentence.endswith(".")
    assert "\n" not in refusal.value.sentence


@pytest.mark.parametrize("domain", ["exаmple.com", "аррӏе.com", "gοοgle.com", "pаypal.example.org"])
def test_domains_in_disguise_are_refused(domain: str) -> None:
    with pytest.raises(BadAddress, match="look-alike"):
        Address.read(f"ada@{domain}")


def test_a_masked_address_is_known_to_its_owner_alone() -> None:
    assert Address.read("ada.lovelace@example.com").masked == "a•••@example.com"
