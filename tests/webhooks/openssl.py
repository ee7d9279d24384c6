"""Signatures by the program `openssl`: nothing of ours, and nothing that ours uses."""

import base64
import subprocess
from dataclasses import dataclass
from pathlib import Path


def _run(*words: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=given, capture_output=True, check=True).stdout


def hmac_sha256(key: bytes, content: bytes) -> bytes:
    return _run("dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary", given=content)


@dataclass(frozen=True)
class Signer:
    """A private key on disk, and its certificate if it has one."""

    key: Path
    certificate: Path | None = None

    def sign(self, content: bytes, hashed_by: str = "sha256") -> str:
        return base64.b64encode(_run("dgst", f"-{hashed_by}", "-sign", str(self.key), given=content)).decode()

    @property
    def public(self) -> str:
        """In base64, as SendGrid shows it."""
        return base64.b64encode(_run("pkey", "-in", str(self.key), "-pubout", "-outform", "DER")).decode()

    @property
    def pem(self) -> bytes:
        assert self.certificate
        return self.certificate.read_bytes()


def p256(folder: Path, name: str = "p256") -> Signer:
    key = folder / f"{name}.key"
    _run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(key))
    return Signer(key)


def rsa(folder: Path, name: str, *, host: str, bits: int = 2048, days: int = 30) -> Signer:
    """With a certificate that it has signed itself, for a host."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    _run(
        *("req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-keyout", str(key), "-out", str(certificate)),
        *("-days", str(days), "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"),
    )
    return Signer(key, certificate)
