"""Keys to sign with, made once for all tests of a process."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from emails.dkim import Key, read_key


@cache
def rsa_pem(bits: int = 2048) -> bytes:
    key = generate_private_key(65537, bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def ed25519_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def both() -> list[Key]:
    return [read_key(rsa_pem(), "r1"), read_key(ed25519_pem(), "e1")]
