"""newsletter dkim …: the keys that sign our mail."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import emails
from emails.dkim import SHORTEST_RSA, read_key
from newsletter.cli.root import Refusal

_SPOKEN = 255  # octets: the longest text that a TXT record holds in one piece


@click.group()
def dkim() -> None:
    """Keys that sign mail (DKIM), for those whose mail server does not."""


@dkim.command()
@click.option("--domain", required=True, help="The domain of your sender's address: example.org")
@click.option(
    "--selector", default="", help="Name of the key in the DNS. Unless given: the month, and “e” for Ed25519."
)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Where the file goes.")
@click.option("--ed25519", is_flag=True, help="A second key, for receivers that know it. Never use it alone.")
def make(domain: str, selector: str, folder: Path, ed25519: bool) -> None:
    """Make a key in a file that only you can read, and print the record for the DNS and the settings.

    Publish the record first, then set the settings and restart. `newsletter doctor` looks whether both fit.
    """
    try:
        domain = emails.mailable(f"postmaster@{domain.rstrip('.')}").rpartition("@")[2]
    except emails.UnsupportedAddress:
        raise Refusal(f"“{domain}” is not the domain of an address.") from None
    selector = selector or f"n{datetime.now(UTC):%Y%m}{'e' if ed25519 else ''}"
    private = Ed25519PrivateKey.generate() if ed25519 else generate_private_key(65537, SHORTEST_RSA)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        key = read_key(pem, selector)
    except emails.LetterError as error:
        raise Refusal(str(error)) from None
    path = _written(folder / f"{selector}.{domain}.pem", pem)
    setting = "DKIM_ED25519" if ed25519 else "DKIM"
    click.echo(f"The key is in {path}; keep a copy, and let nobody else read it.\n\nAdd this record to the DNS:\n")
    click.echo(f"{selector}._domainkey.{domain}. IN TXT ( {_spoken(key.record)} )\n")
    click.echo(f"Some providers want name and text apart:\n\n{selector}._domainkey\n{key.record}\n")
    click.echo(f"Then set:\n\n{setting}_KEY={path}\n{setting}_SELECTOR={selector}")


def _written(path: Path, pem: bytes) -> Path:
    """Readable by its owner alone from its first byte; a key that is there is never overwritten."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise Refusal(f"{path} is there already. Choose another --selector.") from None
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}.") from None
    return path.absolute()


def _spoken(record: str) -> str:
    return " ".join(f'"{piece}"' for piece in re.findall(f".{{1,{_SPOKEN}}}", record))
