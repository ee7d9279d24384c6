"""The only requests that a webhook can make us send: to the SNS server of a region that our own topics are in.

Its certificate proves who answers, whatever address its name leads to (a private one, behind a VPC endpoint).
"""

import re
import socket
import ssl
import threading
import time
from collections import deque
from datetime import timedelta
from functools import cached_property
from http.client import HTTPException, HTTPSConnection

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from newsletter import clock
from newsletter.webhooks.call import Forged, NotNow

TIMEOUT = 4.0  # seconds for each step
DEADLINE = 10.0  # seconds for all of it
MOST_BYTES = 64 * 1024
MOST_REQUESTS = 20  # a minute and process: strangers who know a topic's name can make us ask for certificates
LASTS = timedelta(days=1)  # a certificate is used for this long before it is fetched again

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem")
_PATH = re.compile(r"/[!-~]{0,2000}")


class Amazon:
    """SNS servers. `context` and `address` stand in for the system's certificates and for the DNS."""

    def __init__(self, context: ssl.SSLContext | None = None, address: tuple[str, int] | None = None) -> None:
        self._given_context = context
        self._address = address
        self._certificates: dict[str, tuple[float, x509.Certificate]] = {}
        self._requests: deque[float] = deque()
        self._counting = threading.Lock()

    def key(self, url: str, region: str) -> RSAPublicKey:
        """The key in a certificate with which SNS signs in this region. Raises Forged, NotNow."""
        path = path_of(url, region)
        if not _CERTIFICATE.fullmatch(path):
            raise Forged("a certificate from elsewhere")
        certificate = self._certificate(path, region)
        if not certificate.not_valid_before_utc <= clock.now() <= certificate.not_valid_after_utc:
            raise Forged("a certificate of another time")
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
            raise Forged("a certificate with another kind of key")
        return key

    def get(self, path: str, region: str) -> bytes:
        """What is at a path of the region's SNS server. Follows nothing. Raises NotNow for all but a short 200."""
        self._count()
        connection = _Connection(host(region), self._context, self._address)
        try:
            connection.request("GET", path, headers={"Accept-Encoding": "identity", "User-Agent": "Newsletter"})
            return _read(connection)
        except (OSError, HTTPException):
            raise NotNow("Amazon cannot be reached") from None
        finally:
            connection.close()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._given_context or ssl.create_default_context()

    def _certificate(self, path: str, region: str) -> x509.Certificate:
        name = host(region) + path
        fetched_at, known = self._certificates.get(name, (0.0, None))
        if known and time.monotonic() - fetched_at < LASTS.total_seconds():
            return known
        try:
            certificate = x509.load_pem_x509_certificate(self.get(path, region))
        except ValueError:
            raise NotNow("Amazon sent no certificate") from None
        if len(self._certificates) >= 16:  # SNS changes its certificate about once a year
            self._certificates.clear()
        self._certificates[name] = (time.monotonic(), certificate)
        return certificate

    def _count(self) -> None:
        with self._counting:
            now = time.monotonic()
            while self._requests and self._requests[0] < now - 60:
                self._requests.popleft()
            if len(self._requests) >= MOST_REQUESTS:
                raise NotNow("too many questions to Amazon")
            self._requests.append(now)


def region_of(topic: str) -> str:
    """The region in a topic's ARN. Raises Forged for what is no such name."""
    parts = topic.split(":")
    if len(parts) != 6 or parts[:3:2] != ["arn", "sns"] or not _REGION.fullmatch(parts[3]):
        raise Forged("a topic without a region")
    return parts[3]


def host(region: str) -> str:
    return f"sns.{region}.amazonaws.com"


def path_of(url: str, region: str) -> str:
    """The path (and query) of an address at the region's SNS server, over https on its port. Raises Forged.

    The whole host is compared, not matched: `sns.s3-us-west-2.amazonaws.com` would be anybody's bucket.
    """
    start = f"https://{host(region)}"
    path = url.removeprefix(start)
    if not url.startswith(start) or not _PATH.fullmatch(path):
        raise Forged("an address elsewhere")
    return path


class _Connection(HTTPSConnection):
    def __init__(self, host: str, context: ssl.SSLContext, address: tuple[str, int] | None) -> None:
        super().__init__(host, timeout=TIMEOUT, context=context)
        self._secure = context
        self._to = address or (host, 443)

    def connect(self) -> None:
        plain = socket.create_connection(self._to, TIMEOUT)
        self.sock = self._secure.wrap_socket(plain, server_hostname=self.host)


def _read(connection: HTTPSConnection) -> bytes:
    end = time.monotonic() + DEADLINE
    response = connection.getresponse()
    if response.status != 200:
        raise NotNow("Amazon did not answer with 200")
    content = b""
    while piece := response.read1(16384):
        content += piece
        if len(content) > MOST_BYTES or time.monotonic() > end:
            raise NotNow("Amazon's answer is too long")
    return content
