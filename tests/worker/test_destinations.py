"""Which lane an address belongs to, with a name server on loopback that answers as told."""

import contextlib
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.resolver
import dns.rrset
import pytest

from worker import destinations
from worker.destinations import Destinations


@dataclass
class NameServer:
    mx: dict[str, list[str]]  # by domain: "10 host."
    delay: float = 0.0
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def answer(self, request: bytes) -> bytes:
        query = dns.message.from_wire(request)
        name = str(query.question[0].name).rstrip(".")
        self.asked.append(name)
        time.sleep(self.delay)
        reply = dns.message.make_response(query)
        if name in self.mx:
            reply.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "MX", *self.mx[name]))
        return reply.to_wire()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer({})

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            request, connection = self.request
            answer = server.answer(request)
            with contextlib.suppress(OSError):  # the test was quicker
                connection.sendto(answer, self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        server.port = listener.server_address[1]
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        yield server
        listener.shutdown()


def test_well_known_domains_need_no_name_server(names: NameServer) -> None:
    lanes = Destinations(["google"])
    addresses = ["a@gmail.com", "b@GoogleMail.com", "c@hotmail.co.uk", "d@aol.com", "e@icloud.com"]

    lanes.look_up(addresses)

    assert [lanes.of(address) for address in addresses] == ["google", "google", "microsoft", "yahoo", "apple"]
    assert names.asked == []


def test_a_domain_of_ones_own_belongs_to_those_who_take_its_mail(names: NameServer) -> None:
    names.mx = {
        "workspace.example": ["20 other.example.", "10 aspmx.l.google.com."],
        "office.example": ["0 office-example.mail.protection.outlook.com."],
        "orange.example": ["10 smtp-in.orange.fr."],
        "own.example": ["10 mail.own.example."],
    }
    lanes = Destinations(["google", "orange.fr"])
    addresses = [f"r@{domain}" for domain in (*names.mx, "none.example")]

    lanes.look_up(addresses)
    lanes.look_up(addresses)  # remembered

    assert [lanes.of(address) for address in addresses] == [
        "google",
        "microsoft",
        "orange.fr",
        "own.example",
        "none.example",
    ]
    assert sorted(names.asked) == sorted([*names.mx, "none.example"])


def test_where_nothing_is_limited_nobody_is_asked(names: NameServer) -> None:
    lanes = Destinations([])

    lanes.look_up(["r@own.example"])

    assert lanes.of("r@own.example") == "own.example"
    assert names.asked == []


def test_a_name_server_that_does_not_answer_holds_nobody_up(names: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations, "PATIENCE", 0.2)
    names.delay = 1.0
    lanes = Destinations(["google"])
    began = time.monotonic()

    for number in range(20):
        lanes.look_up([f"r@{number}.example"])

    assert time.monotonic() - began < 1
    assert lanes.of("r@7.example") == "7.example"
    assert len(names.asked) <= 2  # then it is left in peace for a minute
