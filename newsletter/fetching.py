"""What strangers' servers say, asked for by us: only of public addresses, only so much, only for so long.

Whoever gives us an address to look at could give one that only we can reach. So a name is resolved once, every address
it has must be public, and the connection goes to one that was looked at, not to the name again. Each redirect begins
anew. It stands on the standard library: what more convenient clients do by themselves (proxies from the environment,
cookies, connections kept) is what must not happen here.
"""

import ssl
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import SHUT_RDWR, create_connection, socket
from threading import Timer
from time import monotonic
from typing import Any, Final, TypeVar
from urllib.parse import urljoin, urlsplit

import idna

from newsletter.config import settings
from newsletter.errors import NewsletterError

HEAVIEST: Final = 2 * 1024 * 1024  # bytes, unpacked
LONGEST: Final = 8.0  # seconds for everything: names, redirects, every byte
MOST_REDIRECTS: Final = 5
LONGEST_ADDRESS: Final = 2000  # characters
PORTS: Final = {"http": 80, "https": 443}
MOST_TRIED: Final = 3  # addresses of one name

_ANY: Final = (IPv4Address, IPv6Address)
_BARRED: Final = tuple(
    map(
        ip_network,
        (
            # What leads on to an IPv4 address, so that what looks public may end at a private one.
            *("192.88.99.0/24", "2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48"),
            # What Python's table of special addresses does not have in every version, or calls global.
            *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
            *("2001:2::/48", "2001:20::/28", "2001:db8::/32", "3fff::/20"),
        ),
    )
)
_UNICAST: Final = ip_network("2000::/3")  # all that is public of IPv6 is in here

_T = TypeVar("_T")
Resolve = Callable[[str, float], Collection[str]]  # a name, seconds to spend > its addresses
Dial = Callable[[str, int, float], socket]  # an address, a port, seconds to spend > a connection


class NotFetched(NewsletterError):
    """Why there is nothing, as the end of a sentence; `for_good`: asking again will not change it."""

    status = 422

    def __init__(self, sentence: str, *, for_good: bool = False) -> None:
        super().__init__(sentence)
        self.for_good = for_good


class NoSuchSite(NotFetched):
    """No host has this name."""


@dataclass(frozen=True)
class Fetched:
    url: str  # where it was found, after redirects
    content_type: str  # without its parameters, in small letters
    charset: str  # as the server says; empty: it says none
    content: bytes


def resolve(name: str, seconds: float) -> list[str]:
    """The addresses of a name in the public DNS. What /etc/hosts and search lists add is nobody's business here."""
    import dns.resolver  # 2 MB that most processes never need

    resolver = dns.resolver.Resolver()
    found = resolver.resolve_name(name + ".", lifetime=seconds, search=False)
    return list(found.addresses())


def dial(address: str, port: int, seconds: float) -> socket:
    return create_connection((address, port), seconds)


@dataclass(frozen=True)
class Fetcher:
    """`purpose`: what we tell those whom we ask. `resolve`, `dial` and `context` stand in for the DNS, the network and
    the system's certificates.
    """

    purpose: str
    resolve: Resolve = resolve
    dial: Dial = dial
    context: ssl.SSLContext | None = None
    seconds: float = LONGEST
    heaviest: int = HEAVIEST

    def get(self, url: str, kinds: Collection[str]) -> Fetched:
        """What is at an address, if it is of one of these content types (`image/` is all pictures). Follows redirects.

        Raises NotFetched with why not.
        """
        end = monotonic() + self.seconds
        accept = ", ".join(f"{kind}*" if kind.endswith("/") else kind for kind in kinds)
        return self._follow("GET", url, accept, end, lambda response, at: self._read(response, at, kinds, end))

    def status(self, url: str) -> int:
        """The HTTP status of a page after its redirects; nothing of the page is read. Raises NotFetched."""
        end = monotonic() + self.seconds
        status = self._follow("HEAD", url, "*/*", end, _status)
        if status >= 400:  # many servers answer HEAD as they please
            status = self._follow("GET", url, "*/*", end, _status)
        return status

    def _follow(self, method: str, url: str, accept: str, end: float, take: Callable[[HTTPResponse, str], _T]) -> _T:
        for _ in range(1 + MOST_REDIRECTS):
            with self._asked(method, url, accept, end) as response:
                place = _place(response)
                if not place:
                    return take(response, url)
            url = urljoin(url, place)
        raise NotFetched("it leads from one address to the next without end", for_good=True)

    @contextmanager
    def _asked(self, method: str, url: str, accept: str, end: float) -> Iterator[HTTPResponse]:
        scheme, host, target = parts_of(url)
        line = self._connected(host, PORTS[scheme], end)
        # Whoever sends one byte a second is never late for a single one: the end of it all needs a bell of its own.
        connection = _Line(host, line)
        bell = Timer(max(end - monotonic(), 0.01), connection.hang_up)
        bell.daemon = True
        try:
            bell.start()
            if scheme == "https":
                connection.secure(self.context or _trusted())
            connection.request(method, target, headers=_headers(self.purpose, accept))
            with connection.getresponse() as response:
                if monotonic() >= end:
                    raise _too_slow()
                yield response
        except ssl.SSLCertVerificationError:
            raise NotFetched("its certificate is not valid") from None
        except (OSError, HTTPException, ValueError, zlib.error):  # ValueError: headers that cannot be read
            raise _too_slow() if monotonic() >= end else NotFetched("it broke off, or spoke no HTTP") from None
        finally:
            bell.cancel()
            connection.close()

    def _connected(self, host: str, port: int, end: float) -> socket:
        addresses = self._addresses(host, end)
        for address in addresses[:MOST_TRIED]:
            left = end - monotonic()
            if left <= 0:
                raise _too_slow()
            try:
                line = self.dial(address, port, left / 2)
                line.settimeout(max(end - monotonic(), 0.01))
                return line
            except OSError:
                continue
        raise NotFetched("its server does not answer")

    def _addresses(self, host: str, end: float) -> list[str]:
        """All of a name's addresses, IPv4 first. One that is not public spoils them all."""
        import dns.resolver

        try:
            found = [str(address) for address in self.resolve(host, max(end - monotonic(), 0.01) / 2)]
        except dns.resolver.NXDOMAIN:
            raise NoSuchSite(f"there is no site “{host}”", for_good=True) from None
        except (dns.exception.DNSException, OSError, UnicodeError):
            raise NotFetched(f"the name “{host}” cannot be looked up") from None
        if not found:
            raise NotFetched(f"“{host}” has no address")
        if not all(map(is_public, found)):
            raise NotFetched(f"“{host}” is not on the public internet", for_good=True)
        return sorted(found, key=lambda address: ":" in address)

    def _read(self, response: HTTPResponse, url: str, kinds: Collection[str], end: float) -> Fetched:
        if response.status != 200:
            raise _not_200(response.status)
        kind = response.headers.get_content_type()
        if not response.headers.get("Content-Type") or not any(map(kind.startswith, kinds)):
            raise NotFetched(f"it is {kind[:60]}, which is not what we can read", for_good=True)
        content = bytearray()
        for piece in _unpacked(response, self.heaviest):
            content += piece
            if len(content) > self.heaviest:
                raise NotFetched(f"it has more than {self.heaviest // 1024 // 1024} MB", for_good=True)
            if monotonic() > end:
                raise _too_slow()
        if monotonic() >= end:  # the bell was rung before all was there
            raise _too_slow()
        if response.length:
            raise NotFetched("it broke off")
        return Fetched(url, kind, _charset(response.headers), bytes(content))


def parts_of(url: str) -> tuple[str, str, str]:
    """Scheme, host and target of an address that may be asked. Raises NotFetched with what is wrong with it."""
    try:
        parts = urlsplit(url.strip())
        scheme, port = parts.scheme.lower(), parts.port
        host = idna.encode(parts.hostname or "", uts46=True).decode()
    except (ValueError, UnicodeError):
        raise NotFetched("this is no address of a page", for_good=True) from None
    if scheme not in PORTS or len(url) > LONGEST_ADDRESS:
        raise NotFetched("this is no address of a page", for_good=True)
    if parts.username is not None or parts.password is not None:
        raise NotFetched("the address carries a name or a password", for_good=True)
    if port not in (None, PORTS[scheme]):
        raise NotFetched(f"the address has the port {port}; pages are at 80 and 443", for_good=True)
    # 127.1, 0x7f000001, 017700000001, [::1] and localhost all end in something that no public name ends in.
    if not host.rpartition(".")[0] or not host.rpartition(".")[2][:1].isalpha():
        raise NotFetched("the address has no name of a public site", for_good=True)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return scheme, host, _ascii(target)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to somebody on the internet: not to this machine, this network, or everybody."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip not in _UNICAST:
            return False
    assert isinstance(ip, _ANY)
    return ip.is_global and not ip.is_multicast and not any(ip.version == net.version and ip in net for net in _BARRED)


class _Line(HTTPConnection):
    """A conversation on a connection that is there already. It cannot make one of its own."""

    def __init__(self, host: str, line: socket) -> None:
        super().__init__(host)
        self._line = line
        self.sock: Any = line  # as in the standard library, which gives it no type

    def connect(self) -> None:
        raise OSError("the line is closed")

    def secure(self, context: ssl.SSLContext) -> None:
        secured = context.wrap_socket(self._line, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock = self._line = secured  # before the handshake, which can take for ever as well
        secured.do_handshake()

    def hang_up(self) -> None:
        """From another thread. Whoever waits for a byte on this line wakes up without one."""
        try:
            socket.shutdown(self._line, SHUT_RDWR)  # not that of a TLS connection, which pulls it apart first
        except OSError:
            return  # closed already

    def close(self) -> None:
        super().close()
        self._line.close()


def _headers(purpose: str, accept: str) -> dict[str, str]:
    agent = f"Newsletter/0.1 ({purpose}; +{settings().site_url})"
    return {"User-Agent": agent, "Accept": accept, "Accept-Encoding": "gzip", "Connection": "close"}


def _status(response: HTTPResponse, _: str) -> int:
    return response.status


def _unpacked(response: HTTPResponse, heaviest: int) -> Iterator[bytes]:
    """Piece by piece, none larger than what may be taken at all."""
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("identity", "", "gzip", "x-gzip"):
        raise NotFetched(f"it is packed as {packing[:20]}, which we did not ask for", for_good=True)
    unpack = zlib.decompressobj(wbits=31) if "gzip" in packing else None
    while piece := response.read1(16384):
        if unpack is None:
            yield piece
            continue
        yield unpack.decompress(piece, heaviest + 1)
        if unpack.unconsumed_tail:
            raise NotFetched(f"it has more than {heaviest // 1024 // 1024} MB", for_good=True)


def _place(response: HTTPResponse) -> str:
    """Where it is instead; empty: it is here, or nowhere."""
    if response.status in (301, 302, 303, 307, 308):
        if place := response.headers.get("Location", ""):
            return place
        raise NotFetched("it leads on to nowhere", for_good=True)
    return ""


def _not_200(status: int) -> NotFetched:
    match status:
        case 404 | 410:
            return NotFetched("there is no such page", for_good=True)
        case 401 | 402 | 403 | 451:
            return NotFetched("its server does not show it to us", for_good=True)
    return NotFetched(f"its server answered {status}", for_good=400 <= status < 500 and status not in (408, 425, 429))


def _too_slow() -> NotFetched:
    return NotFetched(f"it took longer than {LONGEST:.0f} seconds")


def _charset(headers: Message) -> str:
    said = headers.get_param("charset", "")
    return said.lower()[:40] if isinstance(said, str) else ""


def _ascii(target: str) -> str:
    """Letters beyond ASCII as browsers send them; what would end the request line is written out."""
    return "".join(
        letter if "!" <= letter <= "~" else "".join(f"%{byte:02X}" for byte in letter.encode(errors="replace"))
        for letter in target
    )


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
