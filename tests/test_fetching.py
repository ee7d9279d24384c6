"""Strangers' servers, asked by us: a network of our own stands in for theirs, so that nothing here needs the real one.

Every name leads, by the resolver of the test, to a public address; every connection, by its dial, to a small server on
this machine. What was dialled is written down.
"""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter import fetching
from newsletter.config import Settings
from newsletter.fetching import Fetcher, NotFetched
from tests import certificates
from tests.strangers import PUBLIC, Network, page, to

HTML = ("text/html",)
PRIVATE = [
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2001:0:7f00:1::", "2001:20::1", "3fff::1", "5f00::1", "100::1", "nonsense"),
]


@pytest.fixture
def network(settings: Settings) -> Network:
    return Network()


def refusal(network: Network, url: str, kinds: tuple[str, ...] = HTML, **given: object) -> NotFetched:
    with pytest.raises(NotFetched) as refused:
        network.fetcher(**given).get(url, kinds)
    return refused.value


def test_a_page_is_fetched_with_its_charset(network: Network) -> None:
    network.answers["ink.example.org/a?b=1"] = page(kind="Text/HTML; Charset=ISO-8859-1")

    found = network.fetcher().get("http://ink.example.org/a?b=1#part", HTML)

    assert found.content == b"<title>Ink</title>"
    assert (found.content_type, found.charset) == ("text/html", "iso-8859-1")
    assert network.dialled == [f"{PUBLIC}:80"]


def test_who_asks_says_so_and_keeps_nothing(network: Network) -> None:
    network.answers["ink.example.org/"] = to("/in")
    network.answers["ink.example.org/in"] = page(Set_Cookie="a=b")
    network.fetcher().get("http://ink.example.org/", HTML)
    network.fetcher().get("http://ink.example.org/in", HTML)

    for request in network.asked:
        assert "User-Agent: Newsletter/0.1 (reads a page for a test; +http://letters.example.org)" in request
        assert "ookie" not in request
        assert "Referer" not in request


def test_proxies_of_the_environment_are_not_asked(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    network.answers["ink.example.org/"] = page()
    assert network.fetcher().get("http://ink.example.org/", HTML).content


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_to_a_private_address_is_not_asked(network: Network, address: str) -> None:
    network.names["inside.example.org"] = [[address]]

    refused = refusal(network, "http://inside.example.org/")

    assert refused.for_good
    assert "is not on the public internet" in refused.sentence
    assert network.dialled == []


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "192.0.1.1", "100.63.0.1", "2606:4700::1111", "2a00::1"])
def test_a_public_address_is_one(address: str) -> None:
    assert fetching.is_public(address)


def test_one_private_address_among_public_ones_spoils_them_all(network: Network) -> None:
    network.names["mixed.example.org"] = [[PUBLIC, "2606:4700::1111", "::ffff:192.168.0.1"]]
    assert refusal(network, "http://mixed.example.org/").for_good
    assert network.dialled == []


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1", "0"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1%25lo]", "localhost", "metadata", "1.1.1.1"),
        *("①②⑦.⓪.⓪.①", "127。0。0。1", "127.0.0.1.", "", "a..example.org", "%6c%6f%63alhost", "exam ple.org"),
    ],
)
def test_numbers_in_any_spelling_and_bare_names_are_not_asked(network: Network, host: str) -> None:
    assert refusal(network, f"http://{host}/").for_good
    assert (network.resolved, network.dialled) == ([], [])


@pytest.mark.parametrize(
    "url",
    [
        *("https://ink.example.org:8443/", "http://ink.example.org:22/", "http://ink.example.org:443/"),
        *("http://ink.example.org:99999/", "http://me:secret@ink.example.org/", "http://me@ink.example.org/"),
        *("ftp://ink.example.org/", "file:///etc/passwd", "gopher://ink.example.org/", "//ink.example.org/", "ink"),
        "http://ink.example.org/" + "a" * 2000,
    ],
)
def test_other_ports_schemes_and_secrets_in_an_address_are_refused(network: Network, url: str) -> None:
    refused = refusal(network, url)
    assert refused.for_good
    assert "secret" not in refused.sentence
    assert (network.resolved, network.dialled) == ([], [])


@pytest.mark.parametrize(
    "place",
    [
        *("http://inside.example.org/", "//inside.example.org/", "http://127.0.0.1/", "http://[::1]/", "file:///etc"),
        *("http://ink.example.org:6379/", "http://2130706433/", "http://a:b@ink.example.org/"),
    ],
)
def test_a_redirect_to_a_private_place_is_not_followed(network: Network, place: str) -> None:
    network.names["inside.example.org"] = [["192.168.0.1"]]
    network.answers["ink.example.org/"] = to(place)

    assert refusal(network, "http://ink.example.org/").for_good
    assert network.dialled == [f"{PUBLIC}:80"]


def test_a_redirect_to_another_public_page_is_followed(network: Network) -> None:
    network.answers["ink.example.org/old"] = to("/new", 301)
    network.answers["ink.example.org/new"] = to("http://blue.example.org/ink", 308)
    network.answers["blue.example.org/ink"] = page()

    assert network.fetcher().get("http://ink.example.org/old", HTML).url == "http://blue.example.org/ink"


def test_redirects_end(network: Network) -> None:
    network.answers["ink.example.org/"] = to("/")
    assert "without end" in refusal(network, "http://ink.example.org/").sentence
    assert len(network.dialled) == fetching.MOST_REDIRECTS + 1


def test_a_name_that_changes_its_mind_is_held_to_its_first_answer(network: Network) -> None:
    """DNS rebinding: public when it is checked, private when it is used. It is asked once, and that is dialled."""
    network.names["rebind.example.org"] = [[PUBLIC], ["127.0.0.1"]]
    network.answers["rebind.example.org/"] = page()

    network.fetcher().get("http://rebind.example.org/", HTML)

    assert network.resolved == ["rebind.example.org"]
    assert network.dialled == [f"{PUBLIC}:80"]


def test_a_name_that_changes_its_mind_between_redirects_is_found_out(network: Network) -> None:
    network.names["rebind.example.org"] = [[PUBLIC], ["127.0.0.1"]]
    network.answers["rebind.example.org/"] = to("/again")

    assert "public internet" in refusal(network, "http://rebind.example.org/").sentence
    assert network.dialled == [f"{PUBLIC}:80"]


def test_an_address_of_the_next_kind_is_tried_when_the_first_is_dead(network: Network) -> None:
    network.names["ink.example.org"] = [["2606:4700::1111", PUBLIC]]
    network.answers["ink.example.org/"] = page()

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        if address == PUBLIC:
            network.dialled.append("dead")
            raise ConnectionRefusedError
        return network.dial(address, port, seconds)

    assert Fetcher("a test", network.resolve, dial).get("http://ink.example.org/", HTML).content
    assert network.dialled == ["dead", "2606:4700::1111:80"]


def test_a_name_that_is_not_there(network: Network) -> None:
    network.missing.add("gone.example.org")

    refused = refusal(network, "http://gone.example.org/")

    assert isinstance(refused, fetching.NoSuchSite)
    assert (refused.sentence, refused.for_good) == ("there is no site “gone.example.org”", True)


def drip(first: bytes, then: bytes) -> Callable[[socket.socket], None]:
    def serve(line: socket.socket) -> None:
        line.sendall(first)
        while True:
            line.sendall(then)
            time.sleep(0.02)

    return serve


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99999\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
)
def test_a_server_that_answers_byte_by_byte_is_left(network: Network, first: bytes, then: bytes) -> None:
    network.answers["slow.example.org/"] = drip(first, then)
    begun = time.monotonic()

    refused = refusal(network, "http://slow.example.org/", seconds=0.3)

    assert "took longer" in refused.sentence
    assert not refused.for_good
    assert time.monotonic() - begun < 2


def test_a_handshake_that_does_not_end_is_left(network: Network) -> None:
    begun = time.monotonic()
    assert "took longer" in refusal(network, "https://slow.example.org/", seconds=0.3).sentence
    assert time.monotonic() - begun < 2
    assert network.dialled == [f"{PUBLIC}:443"]


def test_a_certificate_that_nobody_vouches_for_is_refused(network: Network, tmp_path: Path) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificates.self_signed("93.184.215.14", tmp_path))

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        ours, line = socket.socketpair()

        def serve() -> None:
            try:
                theirs.wrap_socket(line, server_side=True).close()
            except (OSError, ssl.SSLError):
                line.close()

        threading.Thread(target=serve, daemon=True).start()
        ours.settimeout(seconds)
        return ours

    with pytest.raises(NotFetched, match="certificate is not valid"):
        Fetcher("a test", network.resolve, dial).get("https://ink.example.org/", HTML)


def test_what_is_packed_is_unpacked_and_counted(network: Network) -> None:
    network.answers["ink.example.org/"] = page(gzip.compress(b"<p>ink</p>"), Content_Encoding="gzip")
    assert network.fetcher().get("http://ink.example.org/", HTML).content == b"<p>ink</p>"


@pytest.mark.parametrize("bomb", [gzip.compress(b"\0" * 50_000_000), b"a" * (fetching.HEAVIEST + 1)])
def test_a_bomb_and_a_huge_page_are_dropped(network: Network, bomb: bytes) -> None:
    packing = {"Content_Encoding": "gzip"} if bomb.startswith(b"\x1f") else {}
    network.answers["ink.example.org/"] = page(bomb, **packing)
    assert "more than 2 MB" in refusal(network, "http://ink.example.org/").sentence


@pytest.mark.parametrize("packing", ["br", "gzip, gzip", "deflate"])
def test_a_packing_that_was_not_asked_for_is_refused(network: Network, packing: str) -> None:
    network.answers["ink.example.org/"] = page(b"x", Content_Encoding=packing)
    assert "we did not ask for" in refusal(network, "http://ink.example.org/").sentence


@pytest.mark.parametrize("kind", ["application/pdf", "image/png", "text/plain", "application/octet-stream"])
def test_what_is_not_a_page_is_not_read(network: Network, kind: str) -> None:
    network.answers["ink.example.org/"] = page(kind=kind)
    assert kind in refusal(network, "http://ink.example.org/").sentence


def test_what_has_no_type_is_not_read(network: Network) -> None:
    network.answers["ink.example.org/"] = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
    assert refusal(network, "http://ink.example.org/").for_good


@pytest.mark.parametrize(
    ("status", "for_good"), [(404, True), (410, True), (403, True), (429, False), (500, False), (503, False)]
)
def test_some_refusals_are_for_good_and_others_not(network: Network, status: int, for_good: bool) -> None:
    network.answers["ink.example.org/"] = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    assert refusal(network, "http://ink.example.org/").for_good is for_good


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"",
    ],
)
def test_what_speaks_no_http_or_breaks_off_is_a_refusal_and_no_crash(network: Network, answer: bytes) -> None:
    network.answers["ink.example.org/"] = answer
    assert not refusal(network, "http://ink.example.org/").for_good


def test_an_address_cannot_smuggle_a_second_request(network: Network) -> None:
    network.answers["ink.example.org/a%0D%0AHost:%20evil"] = page()
    network.answers["ink.example.org/aHost:%20evil"] = page()
    network.fetcher().get("http://ink.example.org/a\r\nHost: evil", HTML)
    assert len(network.asked) == 1
    assert "\r\nHost: evil" not in network.asked[0]
