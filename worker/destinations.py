"""The lane of an address: by a table of domains, else, where a limit needs it, by its MX."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import dns.exception

from newsletter.sending import destinations

PATIENCE = 1.0  # seconds that a group of readers waits for the DNS; who is not found by then goes as their own domain
REST = 60.0  # seconds for which nobody is asked after the DNS answered to nothing
KEPT = 6 * 3600.0  # seconds that an answer is believed
MOST = 50_000  # domains remembered

Ask = Callable[[str], Sequence[str]]


def mail_servers(domain: str) -> Sequence[str]:
    """The hosts of a domain's MX, best first; none if it has none. Raises DNSException when nobody answers."""
    import dns.resolver  # of which a worker without limits needs nothing

    try:
        answer = dns.resolver.resolve(domain, "MX", lifetime=PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    best_first = sorted(answer, key=lambda record: record.preference)
    return [str(record.exchange) for record in best_first]


class Destinations:
    """A group, one of the `limited` domains, or else the address's own domain. Asks the DNS only if something is
    limited, and fails open: an address whose mail servers are not known goes as its own domain."""

    def __init__(self, limited: Iterable[str], ask: Ask = mail_servers) -> None:
        self._limited = frozenset(limited)
        self._ask = ask
        self._found: dict[str, tuple[str, float]] = {}  # by domain: the lane, and until when it is believed
        self._asked: dict[str, Future[None]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._rests_until = 0.0

    def of(self, address: str) -> str:
        """At once, by what is known."""
        domain = address.rpartition("@")[2].lower()
        found = self._found.get(domain)
        return found[0] if found else self._by_table(domain) or domain

    def look_up(self, addresses: Iterable[str]) -> None:
        """Find out about those whose lane only their mail servers tell. Takes no longer than PATIENCE."""
        if not self._limited:
            return
        now = time.monotonic()
        domains = {address.rpartition("@")[2].lower() for address in addresses}
        unknown = [domain for domain in domains if self._is_unknown(domain, now)]
        if not unknown or now < self._rests_until:
            return
        answers = [self._begin(domain) for domain in unknown]
        done, late = wait(answers, PATIENCE)
        if late and not any(answer.exception() is None for answer in done):
            self._rests_until = time.monotonic() + REST

    def _by_table(self, domain: str) -> str | None:
        return domain if domain in self._limited else destinations.known(domain)

    def _is_unknown(self, domain: str, now: float) -> bool:
        found = self._found.get(domain)
        return bool(domain) and self._by_table(domain) is None and (found is None or found[1] < now)

    def _begin(self, domain: str) -> "Future[None]":
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(8, thread_name_prefix="mx")
            asked = self._asked.get(domain)
            if asked is None:
                asked = self._asked[domain] = self._pool.submit(self._resolve, domain)
            return asked

    def _resolve(self, domain: str) -> None:
        try:
            hosts = self._ask(domain)
        except dns.exception.DNSException:
            self._remember(domain, domain, REST)
            raise
        finally:
            with self._lock:
                self._asked.pop(domain, None)
        self._remember(domain, destinations.of_mail_servers(hosts, self._limited) or domain, KEPT)

    def _remember(self, domain: str, lane: str, seconds: float) -> None:
        if len(self._found) >= MOST:
            self._found.clear()
        self._found[domain] = (lane, time.monotonic() + seconds)
