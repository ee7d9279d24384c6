"""AWS Signature Version 4: a request proves that we have the secret, without telling it."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import digest
from urllib.parse import quote, urlsplit

from worker.transports.http import Request


@dataclass(frozen=True)
class Credentials:
    key: str
    secret: str
    session_token: str = ""  # of temporary ones


def signed(request: Request, host: str, credentials: Credentials, region: str, service: str, at: datetime) -> Request:
    """The request with x-amz-date and Authorization. All its headers are signed, `at` is a moment in UTC.

    The path must be in its canonical form already: no dots, no doubled slashes, nothing that would be quoted twice.
    """
    moment, day = f"{at:%Y%m%dT%H%M%SZ}", f"{at:%Y%m%d}"
    headers = {name.lower(): " ".join(value.split()) for name, value in request.headers.items()}
    headers |= {"host": host, "x-amz-date": moment}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(headers))
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, _hash(_canonical(request, headers, names).encode())])
    key = f"AWS4{credentials.secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = digest(key, part.encode(), "sha256")
    signature = digest(key, to_sign.encode(), "sha256").hex()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    sent = {name: value for name, value in headers.items() if name != "host"}  # the connection writes it
    return Request(request.method, request.path, sent | {"authorization": authorization}, request.body)


def _canonical(request: Request, headers: dict[str, str], names: str) -> str:
    parts = urlsplit(request.path)
    pairs = sorted(tuple(pair.partition("=")[::2]) for pair in parts.query.split("&") if pair)
    return "\n".join(
        [
            request.method,
            quote(parts.path or "/", safe="/-_.~%"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            _hash(request.body),
        ]
    )


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()
