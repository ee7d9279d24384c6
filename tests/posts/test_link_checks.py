"""Whether links lead somewhere: asked politely, never inside our own network, and never more certain than it is."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask

from newsletter import clock
from newsletter.db import db
from newsletter.posts import fetching, link_checks, preflight
from newsletter.posts.models import LinkCheck, LinkState, Post
from tests import factories
from tests.doubles import JobQueue

HEAD = "---\ntitle: Links\nsubtitle: Where they lead\n---\n\n"


class Site(ThreadingHTTPServer):
    """A web site that answers by path, and writes down what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.asked: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()

    def url(self, path: str, host: str = "site.example.org") -> str:
        return f"http://{host}:{self.server_port}{path}"


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        site = self.server
        with site.lock:
            site.asked.append(f"{self.command} {self.path}")
            site.at_once += 1
            site.most_at_once = max(site.most_at_once, site.at_once)
        time.sleep(0.02)
        with site.lock:
            site.at_once -= 1
        status, location = self._said()
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _said(self) -> tuple[int, str]:
        kind, _, rest = self.path.lstrip("/").partition("/")
        if kind == "to":
            return 302, rest if "://" in rest else f"/{rest}"
        if kind == "no-head":
            return (405 if self.command == "HEAD" else 200), ""
        return int(kind) if kind.isdigit() else 200, ""

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Known by the names under example.org, as if it were public; all other names are looked up in earnest."""
    served = Site()
    really = fetching.public_address
    monkeypatch.setattr(
        fetching,
        "public_address",
        lambda host, port: "127.0.0.1" if host.endswith("example.org") else really(host, port),
    )
    monkeypatch.setattr(fetching, "PORTS", {80, 443, served.server_port})
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def written(app: Flask) -> Callable[..., Post]:
    def write(*urls: str) -> Post:
        post = factories.post(source=HEAD + "\n\n".join(f"A [word]({url}) here." for url in urls) + "\n")
        db.session.commit()
        return post

    return write


def states(post: Post) -> list[LinkState]:
    link_checks.check(post.id)
    db.session.commit()
    return [check.state for check in db.session.query(LinkCheck).order_by(LinkCheck.url)]


def codes(post: Post) -> list[tuple[str, str, int | None]]:
    return [(finding.level, finding.code, finding.line) for finding in preflight.problems(post)]


# What an answer means


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("/200", LinkState.ALIVE),
        ("/to/200", LinkState.ALIVE),
        ("/no-head", LinkState.ALIVE),
        ("/404", LinkState.DEAD),
        ("/410", LinkState.DEAD),
        ("/to/404", LinkState.DEAD),
        ("/401", LinkState.UNKNOWN),
        ("/403", LinkState.UNKNOWN),
        ("/405", LinkState.UNKNOWN),
        ("/429", LinkState.UNKNOWN),
        ("/500", LinkState.UNKNOWN),
        ("/to/to/to/to/to/to/to/200", LinkState.UNKNOWN),
    ],
)
def test_only_what_is_gone_counts_as_dead(site: Site, path: str, state: LinkState) -> None:
    assert link_checks.judged(site.url(path)).state is state


def test_a_dead_link_is_shown_at_its_line_and_one_that_does_not_answer_is_told_apart(
    site: Site, written: Callable[..., Post]
) -> None:
    post = written(site.url("/200"), site.url("/404"), site.url("/403"))

    link_checks.check(post.id)
    db.session.commit()

    assert codes(post) == [("warning", "dead_link", 8), ("unchecked", "unchecked_link", 10)]


def test_our_own_pages_mail_and_fragments_are_never_asked(site: Site, written: Callable[..., Post]) -> None:
    post = written("http://letters.example.org/p/not-yet", "mailto:ken@example.com")

    link_checks.ask(post)
    link_checks.check(post.id)

    assert site.asked == []
    assert codes(post) == []


def test_a_link_is_asked_once_a_day_and_again_on_request(
    site: Site, written: Callable[..., Post], jobs_queue: JobQueue
) -> None:
    post = written(site.url("/200"))
    assert states(post) == [LinkState.ALIVE]
    link_checks.ask(post)
    db.session.commit()
    assert not jobs_queue.waiting

    assert states(post) == [LinkState.ALIVE]
    assert site.asked == ["HEAD /200"]

    link_checks.ask(post, again=True)
    db.session.commit()
    assert len(jobs_queue.waiting) == 1
    assert states(post) == [LinkState.ALIVE]
    assert len(site.asked) == 2

    for check in db.session.query(LinkCheck):
        check.at = clock.now() - timedelta(hours=25)
    assert states(post) == [LinkState.ALIVE]
    assert len(site.asked) == 3


def test_one_host_is_asked_one_question_at_a_time(site: Site, written: Callable[..., Post]) -> None:
    post = written(*(site.url(f"/200/{number}") for number in range(8)))

    assert states(post) == [LinkState.ALIVE] * 8
    assert site.most_at_once == 1


def test_that_a_site_does_not_exist_is_believed_only_where_others_are_found(
    site: Site, written: Callable[..., Post], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = fetching.public_address

    def look_up(host: str, port: int) -> str:
        if host == "site.example.org":
            return really(host, port)
        raise fetching.NoSuchName

    monkeypatch.setattr(fetching, "public_address", look_up)
    gone = written("https://gone.example.com/")

    assert states(gone) == [LinkState.UNKNOWN]  # perhaps we are not on the net at all
    assert codes(gone) == [("unchecked", "unchecked_link", 6)]

    both = written("https://gone.example.com/", site.url("/200"))
    link_checks.ask(both, again=True)
    assert set(states(both)) == {LinkState.ALIVE, LinkState.DEAD}

    link_checks.ask(gone, again=True)
    assert set(states(gone)) == {LinkState.ALIVE, LinkState.DEAD}  # another site answered a moment ago


# Nobody looks into our network through us


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1"),
        *("::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:db8::1", "2001::1"),
    ],
)
def test_an_address_that_not_everybody_can_reach_is_refused(address: str) -> None:
    assert not fetching.is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_asked(address: str) -> None:
    assert fetching.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0x7f000001/", "http://2130706433/"),
        *("http://127.1/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data/"),
        *("https://127.0.0.1:22/", "http://1.1.1.1:6379/", "file:///etc/passwd", "gopher://1.1.1.1/", "http://"),
        *("http://user:secret@127.0.0.1/", "http://[bad", "http://1.1.1.1:99999/"),
    ],
)
def test_no_spelling_of_a_private_address_is_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(socket, "create_connection", connect)

    assert link_checks.judged(url).state is LinkState.UNKNOWN


def test_a_redirect_into_our_network_is_not_followed(site: Site) -> None:
    inside = f"http://127.0.0.1:{site.server_port}/200"

    result = link_checks.judged(site.url(f"/to/{inside}"))

    assert result.state is LinkState.UNKNOWN
    assert result.words == "It leads into a private network."
    assert site.asked == [f"HEAD /to/{inside}"]


def test_the_connection_goes_to_the_address_that_was_looked_at(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that changes its answer between the look and the connection wins nothing by it."""
    monkeypatch.setattr(fetching, "public_address", lambda host, port: "127.0.0.1")
    asked: list[object] = []
    really = socket.getaddrinfo

    def noted(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return really(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", noted)

    assert fetching.fetch_status(site.url("/200", host="rebinding.example.org")) == 200
    assert "rebinding.example.org" not in asked


def test_a_name_of_which_one_address_is_private_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(host: str, port: int, **_: object) -> list[object]:
        return [(0, 0, 0, "", (address, port)) for address in ("93.184.215.14", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)

    with pytest.raises(fetching.NotAsked):
        fetching.public_address("both.example.org", 80)


def test_who_answers_a_letter_at_a_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PATIENCE_IN_ALL", 0.5)
    monkeypatch.setattr(fetching, "public_address", lambda host, port: "127.0.0.1")
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(fetching, "PORTS", {listener.getsockname()[1]})
    over = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            while not over.wait(0.1):
                try:
                    connection.sendall(b"H")
                except OSError:
                    return

    dripping = threading.Thread(target=drip)
    dripping.start()
    begun = time.monotonic()
    try:
        with pytest.raises(fetching.NoAnswer):
            fetching.fetch_status(f"http://slow.example.org:{listener.getsockname()[1]}/")
        assert time.monotonic() - begun < 4
    finally:
        over.set()
        dripping.join()
        listener.close()
