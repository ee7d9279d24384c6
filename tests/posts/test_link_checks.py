"""Whether links lead somewhere: asked politely, never inside our own network, and never more certain than it is."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from flask import Flask

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db
from newsletter.posts import link_checks, preflight
from newsletter.posts.models import LinkCheck, LinkState, Post
from tests import factories
from tests.doubles import JobQueue
from tests.strangers import PUBLIC, Network, to

SITE = "http://site.example.org"
HEAD = "---\ntitle: Links\nsubtitle: Where they lead\n---\n\n"


@dataclass
class Site(Network):
    """Every site there is: they answer by path, all in the same way."""

    under_way: int = 0
    most_under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, line: socket.socket, host: str, target: str, request: str) -> None:
        with self.lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        time.sleep(0.02)
        with self.lock:
            self.under_way -= 1
        kind, _, rest = target.lstrip("/").partition("/")
        if kind == "to":
            line.sendall(to(rest if "://" in rest else f"/{rest}"))
            return
        status = int(kind) if kind.isdigit() else 405 if request.startswith("HEAD") else 200
        line.sendall(f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n".encode())

    @property
    def questions(self) -> list[str]:
        return [request.partition(" HTTP/")[0] for request in self.asked]


@pytest.fixture
def site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Site:
    network = Site()
    monkeypatch.setattr(link_checks, "fetcher", network.fetcher())
    return network


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
    assert link_checks.judged(SITE + path).state is state


def test_a_dead_link_is_shown_at_its_line_and_one_that_does_not_answer_is_told_apart(
    site: Site, written: Callable[..., Post]
) -> None:
    post = written(SITE + "/200", SITE + "/404", SITE + "/403")

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
    post = written(SITE + "/200")
    assert states(post) == [LinkState.ALIVE]
    link_checks.ask(post)
    db.session.commit()
    assert not jobs_queue.waiting

    assert states(post) == [LinkState.ALIVE]
    assert site.questions == ["HEAD /200"]

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
    post = written(*(f"{SITE}/200/{number}" for number in range(8)))

    assert states(post) == [LinkState.ALIVE] * 8
    assert site.most_under_way == 1


def test_that_a_site_does_not_exist_is_believed_only_where_others_are_found(
    site: Site, written: Callable[..., Post]
) -> None:
    site.missing.add("gone.example.com")
    gone = written("https://gone.example.com/")

    assert states(gone) == [LinkState.UNKNOWN]  # perhaps we are not on the net at all
    assert codes(gone) == [("unchecked", "unchecked_link", 6)]

    both = written("https://gone.example.com/", SITE + "/200")
    link_checks.ask(both, again=True)
    assert set(states(both)) == {LinkState.ALIVE, LinkState.DEAD}

    link_checks.ask(gone, again=True)
    assert set(states(gone)) == {LinkState.ALIVE, LinkState.DEAD}  # another site answered a moment ago


# Nobody looks into our network through us (how: tests/test_fetching.py)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0x7f000001/", "http://2130706433/"),
        *("http://127.1/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data/"),
        *("https://127.0.0.1:22/", "http://1.1.1.1:6379/", "file:///etc/passwd", "gopher://1.1.1.1/", "http://"),
        *("http://user:secret@127.0.0.1/", "http://[bad", "http://1.1.1.1:99999/"),
    ],
)
def test_no_spelling_of_a_private_address_is_asked(site: Site, url: str) -> None:
    assert link_checks.judged(url).state is LinkState.UNKNOWN
    assert site.dialled == []


def test_a_name_that_leads_into_our_network_is_not_asked_and_the_author_is_told(site: Site) -> None:
    site.names["inside.example.org"] = [[PUBLIC, "10.0.0.1"]]

    result = link_checks.judged(SITE + "/to/http://inside.example.org/200")

    assert (result.state, result.words) == (LinkState.UNKNOWN, "“inside.example.org” is not on the public internet.")
    assert site.questions == ["HEAD /to/http://inside.example.org/200"]
    assert site.dialled == [f"{PUBLIC}:80"]
