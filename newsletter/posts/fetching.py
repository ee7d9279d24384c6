"""Asking another site whether a page is there, without letting anybody use us to look into our own network."""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit

PATIENCE: Final = 5.0  # seconds for a connection, and for each word of the other side
PATIENCE_IN_ALL: Final = 15.0  # seconds for one request: whoever answers a letter a second is not waited for
MOST_REDIRECTS: Final = 5
PORTS: Final = {80, 443, 8080, 8443}
_NAT64: Final = ipaddress.ip_network("64:ff9b::/32")  # both prefixes that hold an IPv4 address of anybody's choice
_MOVED: Final = {301, 302, 303, 307, 308}
_HEADERS: Final = {"User-Agent": "Newsletter (checks the links of a post)", "Accept": "*/*", "Connection": "close"}


class NotAsked(Exception):
    """It was not tried, and why."""


class NoSuchName(Exception):
    """No host has this name."""


class NoAnswer(Exception):
    """It was tried, and why that came to nothing."""


@dataclass(frozen=True)
class Answer:
    status: int
    location: str = ""


def fetch_status(url: str) -> int:
    """The HTTP status of a page after its redirects; nothing of the page is read.

    Raises NotAsked, NoSuchName or NoAnswer. Each address on the way is looked at before we connect, and the connection
    goes to the address that was looked at.
    """
    for _ in range(MOST_REDIRECTS + 1):
        answer = _ask("HEAD", url)
        if answer.status >= 400:  # many servers answer HEAD as they please
            answer = _ask("GET", url)
        if answer.status not in _MOVED or not answer.location:
            return answer.status
        url = urljoin(url, answer.location)
    raise NoAnswer("It leads in circles.")


def _ask(method: str, url: str) -> Answer:
    parts, port = _taken_apart(url)
    host = parts.hostname or ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _connection(parts, host, port) as connection:
            connection.request(method, _ascii(path), headers=_HEADERS)
            response = connection.getresponse()
            return Answer(response.status, response.headers.get("Location", ""))
    except ssl.SSLCertVerificationError:
        raise NoAnswer("Its certificate is not valid.") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise NoAnswer("It did not answer.") from None


def _taken_apart(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise NotAsked("It is no address.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotAsked("It leads to no web page.")
    if port not in PORTS:
        raise NotAsked("It leads to an unusual port.")
    return parts, port


@contextlib.contextmanager
def _connection(parts: SplitResult, host: str, port: int) -> Iterator[http.client.HTTPConnection]:
    address = public_address(host, port)
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    raw = socket.create_connection((address, port), timeout=PATIENCE)
    # A timeout counts from word to word; this ends the request as a whole.
    alarm = threading.Timer(PATIENCE_IN_ALL, _hang_up, [raw])
    alarm.daemon = True
    alarm.start()
    try:
        if parts.scheme == "https":
            raw = ssl.create_default_context().wrap_socket(raw, server_hostname=_name(host))
        connection.sock = raw
        yield connection
    finally:
        alarm.cancel()
        connection.close()
        raw.close()


def public_address(host: str, port: int) -> str:
    """One of the host's addresses. Refuses a name as soon as one of them is not public: raises NotAsked."""
    try:
        found = socket.getaddrinfo(_name(host), port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
            raise NoSuchName from None
        raise NoAnswer("Its name could not be looked up.") from None
    except (OSError, UnicodeError):
        raise NoAnswer("Its name could not be looked up.") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise NotAsked("It leads into a private network.")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether everybody can reach it; addresses that hold another one are judged by that one, or refused."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip.sixtofour or ip.teredo or ip in _NAT64:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _name(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()


def _ascii(path: str) -> str:
    return quote(path, safe="/%?=&;:@!$'()*+,~-._[]")


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
