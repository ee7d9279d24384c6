"""The editor tells of every page that a post has a card of, and lets its author do something about it."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db
from newsletter.posts import content, snapshots
from newsletter.posts.models import LinkSnapshot, Post
from tests import factories
from tests.admin.conftest import seen
from tests.doubles import JobQueue
from tests.strangers import Network, page

URL = "http://ink.example.org/drying"
PAGE = b"<title>On drying ink</title><meta property='og:site_name' content='Slow Ink'>"
GONE = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def network(jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> Network:
    strangers = Network(answers={"ink.example.org/drying": page(PAGE)})
    monkeypatch.setattr(snapshots, "fetcher", strangers.fetcher())
    return strangers


@pytest.fixture
def post(desk: FlaskClient, network: Network) -> Post:
    made = factories.post(source=f"---\ntitle: Links\n---\n\nRead this:\n\n{URL}\n")
    db.session.commit()
    return made


def link() -> LinkSnapshot:
    db.session.expire_all()
    return db.session.scalars(select(LinkSnapshot)).one()


def test_the_editor_says_that_a_page_is_being_read_and_then_shows_its_card(
    desk: FlaskClient, post: Post, jobs_queue: JobQueue
) -> None:
    assert f"Reading {URL} …" in seen(desk.get(f"/desk/posts/{post.id}"))

    jobs_queue.run()

    told = seen(desk.get(f"/desk/posts/{post.id}"))
    assert f"On drying ink {URL} Read" in told
    preview = desk.get(f"/desk/posts/{post.id}/preview/web").text
    assert '<p class="card-title"><a href="http://ink.example.org/drying">On drying ink</a></p>' in preview


def test_saving_by_script_tells_of_the_links_too(desk: FlaskClient, post: Post, jobs_queue: JobQueue) -> None:
    answer = desk.post(
        f"/desk/posts/{post.id}",
        data={"title": "Links", "body": f"{URL}\n", "newsletter": "weekly", "audience": "everyone", "revision": "1"},
        headers={"Accept": "application/json"},
    )
    assert "data-reading" in answer.get_json()["links"]
    jobs_queue.run()
    told = desk.get(f"/desk/posts/{post.id}/links").text
    assert "data-reading" not in told
    assert "On drying ink" in told


def test_why_a_page_could_not_be_read_is_said_and_it_can_be_asked_again(
    desk: FlaskClient, post: Post, network: Network, jobs_queue: JobQueue
) -> None:
    network.answers["ink.example.org/drying"] = GONE
    jobs_queue.run()
    told = seen(desk.get(f"/desk/posts/{post.id}"))
    assert f"{URL} could not be read: there is no such page. It stays a link." in told

    network.answers["ink.example.org/drying"] = page(PAGE)
    assert desk.post(f"/desk/posts/{post.id}/links/{link().id}/read").status_code == 302
    assert f"Reading {URL}" in seen(desk.get(f"/desk/posts/{post.id}"))
    jobs_queue.run()

    assert link().title == "On drying ink"


def test_when_the_next_try_is(desk: FlaskClient, post: Post, network: Network, jobs_queue: JobQueue) -> None:
    network.answers["ink.example.org/drying"] = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
    jobs_queue.run()
    told = seen(desk.get(f"/desk/posts/{post.id}"))
    assert f"{URL} could not be read yet: its server answered 503. The next try is" in told


def test_a_card_can_be_put_into_the_text_as_a_new_version(desk: FlaskClient, post: Post, jobs_queue: JobQueue) -> None:
    jobs_queue.run()

    answer = desk.post(f"/desk/posts/{post.id}/links/{link().id}/write-out", follow_redirects=True)

    assert "The card stands in the text now" in seen(answer)
    latest = content.latest_revision(db.session.get_one(Post, post.id))
    assert latest.number == 2
    assert f":::card\ntitle: On drying ink\npublication: Slow Ink\nurl: {URL}\n:::" in latest.source


def test_looking_changes_nothing(desk: FlaskClient, post: Post, network: Network, jobs_queue: JobQueue) -> None:
    jobs_queue.run()
    asked = len(network.asked)
    for path in ("read", "write-out"):
        assert desk.get(f"/desk/posts/{post.id}/links/{link().id}/{path}").status_code == 405
    desk.get(f"/desk/posts/{post.id}/links")
    assert not jobs_queue.waiting
    assert len(network.asked) == asked


def test_only_staff_can_have_pages_read(post: Post, jobs_queue: JobQueue, desk: FlaskClient) -> None:
    jobs_queue.waiting.clear()
    desk.post("/desk/sign-out")
    stranger = desk.application.test_client()
    for path in ("read", "write-out"):
        answer = stranger.post(f"/desk/posts/{post.id}/links/{link().id}/{path}")
        assert answer.status_code in (302, 401, 403)
        assert "/desk/sign-in" in answer.headers.get("Location", "/desk/sign-in")
    assert "/desk/sign-in" in stranger.get(f"/desk/posts/{post.id}/links").headers["Location"]
    assert not jobs_queue.waiting


def test_a_link_that_is_not_there(desk: FlaskClient, post: Post) -> None:
    assert desk.post(f"/desk/posts/{post.id}/links/999/read").status_code == 404


def test_hostile_words_are_only_words_at_the_desk(
    desk: FlaskClient, post: Post, network: Network, jobs_queue: JobQueue
) -> None:
    network.answers["ink.example.org/drying"] = page(b"<title>5 &lt; 6 &amp; \"onload='x' {{ 7*7 }}</title>")
    jobs_queue.run()
    told = desk.get(f"/desk/posts/{post.id}/links").text
    assert "5 &lt; 6 &amp; &#34;onload=&#39;x&#39; {{ 7*7 }}" in told
