"""An address alone on its line becomes a card, and stays one, whatever becomes of its page."""

from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from PIL import Image
from sqlalchemy import select

import emails
from newsletter import clock, fetching, storage
from newsletter.db import db
from newsletter.errors import NotFound
from newsletter.jobs import Job
from newsletter.posts import content, link_checks, publishing, snapshots, unfurling
from newsletter.posts.models import LinkSnapshot, Media, Post, SnapshotState
from newsletter.sending import rehearsal, start
from newsletter.sending.models import Variant
from tests import factories
from tests.doubles import JobQueue
from tests.strangers import Network, page
from worker import sweep, tasks

URL = "http://ink.example.org/drying"
PAGE = """<title>x</title><meta property="og:title" content="On drying ink">
<meta property="og:site_name" content="Slow Ink">
<meta property="og:description" content="It dries as it likes, mostly.">
<meta name="author" content="Ida Field"><meta property="article:published_time" content="2026-05-03">
<meta property="og:image" content="http://cdn.example.org/wide.png">
<link rel="icon" href="http://cdn.example.org/logo.png">"""


def png(width: int, height: int, kind: str = "PNG") -> bytes:
    drawn = BytesIO()
    Image.new("RGB", (width, height), "#336").save(drawn, kind)
    return drawn.getvalue()


@pytest.fixture
def network(jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> Network:
    strangers = Network()
    strangers.answers = {
        "ink.example.org/drying": page(PAGE.encode()),
        "cdn.example.org/wide.png": page(png(1200, 630), "image/png"),
        "cdn.example.org/logo.png": page(png(64, 64), "image/png"),
    }
    monkeypatch.setattr(snapshots, "fetcher", strangers.fetcher())
    return strangers


def written(body: str, *, post: Post | None = None) -> Post:
    source = f"---\ntitle: Links\nsubtitle: Some\n---\n\n{body}\n"
    made = publishing.write(source, post=post) if post else factories.post(source=source)
    db.session.commit()
    return made


def only() -> LinkSnapshot:
    db.session.expire_all()
    return db.session.scalars(select(LinkSnapshot)).one()


def blocks(post: Post) -> list[str]:
    return [type(block).__name__ for block in content.post_content(post).document.walk()]


def failing(status: int = 503) -> bytes:
    return f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()


def test_an_address_on_its_own_line_becomes_a_card_in_page_letter_and_text(
    network: Network, jobs_queue: JobQueue
) -> None:
    post = written(f"Read this:\n\n{URL}\n\nThe end.")
    assert blocks(post) == ["Paragraph", "Paragraph", "Paragraph"]

    jobs_queue.run()

    assert blocks(post) == ["Paragraph", "Card", "Paragraph"]
    seen = rehearsal.preview(post)
    assert seen.problems == []
    for rendering in (seen.html, seen.web_html, seen.text):
        assert "On drying ink" in rendering
        assert "Slow Ink" in rendering
        assert "It dries as it likes, mostly." in rendering
        assert "Ida Field" in rendering
        assert "3 May 2026" in rendering
        assert "cdn.example.org" not in rendering  # readers are not sent to the source for its pictures
    assert seen.html.count("http://letters.example.org/media/") == 2
    assert 'width="510" height="268"' in seen.html


def test_the_letter_that_is_frozen_has_the_card_of_that_moment(network: Network, jobs_queue: JobQueue) -> None:
    post = written(URL)
    jobs_queue.run()
    publishing.schedule(post, clock.now(), "UTC")
    db.session.commit()
    start.start(post.id)
    db.session.commit()
    network.answers["ink.example.org/drying"] = page(PAGE.replace("On drying", "Never mind").encode())
    snapshots.read_again(only())
    db.session.commit()
    jobs_queue.run()

    assert only().title == "Never mind ink"
    frozen = [variant.letter for variant in db.session.scalars(select(Variant))]
    assert frozen
    assert all(b"On drying ink" in letter and b"Never mind" not in letter for letter in frozen)


@pytest.mark.parametrize(
    "body",
    [
        f"Here: {URL}",
        f"{URL} {URL}",
        f"{URL}\n{URL}",
        f"<{URL}>",
        f"[{URL}]({URL})",
        f"- {URL}",
        f"1. {URL}",
        f"> {URL}",
        f"@[{URL}]({URL})",
        f"**{URL}**",
        f"`{URL}`",
        f"    {URL}",
        f"```\n{URL}\n```",
        f"A note.[^1]\n\n[^1]: {URL}",
        f"# {URL}",
    ],
)
def test_other_addresses_stay_links_and_nobody_is_asked(network: Network, jobs_queue: JobQueue, body: str) -> None:
    post = written(body)
    assert db.session.scalars(select(LinkSnapshot)).all() == []
    assert "Card" not in blocks(post)
    assert network.dialled == []


@pytest.mark.parametrize("body", [f":::note\n{URL}\n:::", f"A note.[^1]\n\n[^1]: Read this:\n\n    {URL}"])
def test_an_address_in_a_box_or_a_note_becomes_a_card_too(network: Network, jobs_queue: JobQueue, body: str) -> None:
    post = written(body)
    jobs_queue.run()
    assert "Card" in blocks(post)
    assert rehearsal.preview(post).problems == []


def test_a_page_that_dies_takes_nothing_from_its_card(network: Network, jobs_queue: JobQueue) -> None:
    post = written(URL)
    jobs_queue.run()
    before = snapshots.card(only())
    network.answers.clear()
    network.answers["ink.example.org/drying"] = failing(404)

    snapshots.read_again(only())
    db.session.commit()
    assert blocks(post) == ["Card"]  # while it is asked for again
    jobs_queue.run()

    assert snapshots.card(only()) == before
    assert only().trouble == "there is no such page"
    assert blocks(post) == ["Card"]


def test_a_picture_that_dies_stays_as_it_was(network: Network, jobs_queue: JobQueue) -> None:
    written(URL)
    jobs_queue.run()
    before = snapshots.card(only())
    network.answers["cdn.example.org/wide.png"] = failing(404)
    network.answers["cdn.example.org/logo.png"] = page(b"<svg/>", "image/svg+xml")

    snapshots.read_again(only())
    db.session.commit()
    jobs_queue.run()

    assert snapshots.card(only()) == before


def test_a_page_that_does_not_answer_is_asked_again_later_and_not_for_ever(
    network: Network, jobs_queue: JobQueue
) -> None:
    post = written(URL)
    network.answers["ink.example.org/drying"] = failing()
    with time_machine.travel(clock.now(), tick=False) as now:
        jobs_queue.run()
        asked = 1
        while (snapshot := only()).state is SnapshotState.WANTED and asked < 20:
            assert snapshot.trouble == "its server answered 503"
            assert snapshot.next_try_at
            now.move_to(snapshot.next_try_at - timedelta(seconds=1))
            assert snapshots.due() == []
            now.shift(timedelta(seconds=2))
            for job, ids in [found for found in sweep.find() if found[0] is Job.READ_LINK]:
                tasks.run(job, *ids)
            asked += 1

    assert asked == len(network.dialled) == len(snapshots.PAUSES) + 1
    assert only().state is SnapshotState.FAILED
    assert blocks(post) == ["Paragraph"]


def test_what_is_not_there_is_not_asked_for_again(network: Network, jobs_queue: JobQueue) -> None:
    network.answers["ink.example.org/drying"] = failing(404)
    written(URL)
    jobs_queue.run()
    assert (only().state, only().trouble) == (SnapshotState.FAILED, "there is no such page")


def test_a_private_address_is_never_asked(network: Network, jobs_queue: JobQueue) -> None:
    network.names["inside.example.org"] = [["169.254.169.254"]]
    post = written("http://inside.example.org/latest/meta-data\n\nhttp://127.0.0.1/\n\nhttp://2130706433/")
    jobs_queue.run()
    assert network.dialled == []
    assert {each.state for each in snapshots.of_post(post, post.revisions[-1].source)} == {SnapshotState.FAILED}


@pytest.mark.parametrize("place", ["http://inside.example.org/a.png", "http://127.0.0.1/a.png", "file:///etc/passwd"])
def test_neither_is_a_private_picture_of_a_public_page(network: Network, jobs_queue: JobQueue, place: str) -> None:
    network.names["inside.example.org"] = [["10.0.0.1"]]
    network.answers["ink.example.org/drying"] = page(PAGE.replace("http://cdn.example.org/wide.png", place).encode())
    written(URL)
    jobs_queue.run()
    assert only().image is None
    assert only().title == "On drying ink"
    assert all(each.startswith("93.") for each in network.dialled)


def test_the_job_is_safe_to_run_twice_and_twice_at_once(network: Network, jobs_queue: JobQueue) -> None:
    written(URL)
    job, ids = jobs_queue.waiting[0]
    assert snapshots.claim(*ids)
    db.session.commit()
    tasks.run(job, *ids)  # another worker, while the first one reads
    assert network.dialled == []

    snapshots.read(*ids)
    db.session.commit()
    tasks.run(job, *ids)
    assert len([request for request in network.asked if "drying" in request]) == 1


def test_a_worker_that_died_is_followed_by_another(network: Network, jobs_queue: JobQueue) -> None:
    written(URL)
    _, ids = jobs_queue.waiting.popleft()
    with time_machine.travel(clock.now(), tick=False) as now:
        assert snapshots.claim(*ids)
        db.session.commit()
        assert snapshots.due() == []
        now.shift(snapshots.LEASE + timedelta(seconds=1))
        assert list(snapshots.due()) == list(ids)


def test_a_bell_that_was_lost_is_made_good_by_the_sweep(network: Network, jobs_queue: JobQueue) -> None:
    written(URL)
    jobs_queue.waiting.clear()
    assert (Job.READ_LINK, (only().id,)) in sweep.find()


def test_half_an_address_that_was_saved_in_between_is_forgotten(network: Network, jobs_queue: JobQueue) -> None:
    post = written("http://ink.example.o")
    written(URL, post=post)
    assert only().url == URL
    jobs_queue.run()
    assert only().title == "On drying ink"


def test_an_address_taken_out_while_it_is_read_harms_nothing(
    network: Network, jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = written(URL)
    network.answers["cdn.example.org/wide.png"] = lambda line: line.sendall(page(png(9, 9), "image/png"))
    read = snapshots.fetcher.get

    class Meanwhile:
        def get(self, url: str, kinds: tuple[str, ...]) -> fetching.Fetched:
            if url == URL:
                written("No link any more.", post=db.session.get_one(Post, post.id))
            return read(url, kinds)

    monkeypatch.setattr(snapshots, "fetcher", Meanwhile())
    jobs_queue.run()
    assert db.session.scalars(select(LinkSnapshot)).all() == []


def test_a_page_that_two_posts_name_is_read_once(network: Network, jobs_queue: JobQueue) -> None:
    written(URL)
    jobs_queue.run()
    second = written(URL)
    jobs_queue.run()
    assert blocks(second) == ["Card"]
    assert len([request for request in network.asked if "drying" in request]) == 1


def test_no_more_than_so_many_pages_of_a_post_are_read(network: Network, jobs_queue: JobQueue) -> None:
    written("\n\n".join(f"http://ink.example.org/{number}" for number in range(snapshots.MOST_IN_A_POST + 9)))
    assert len(jobs_queue.waiting) == snapshots.MOST_IN_A_POST


def test_a_narrow_picture_stands_in_for_a_logo(network: Network, jobs_queue: JobQueue) -> None:
    network.answers["cdn.example.org/wide.png"] = page(png(400, 400), "image/png")
    network.answers["cdn.example.org/logo.png"] = failing(404)
    written(URL)
    jobs_queue.run()
    card = snapshots.card(only())
    assert card.image is None
    assert card.logo


def test_without_any_picture_there_is_a_letter(network: Network, jobs_queue: JobQueue) -> None:
    network.answers["cdn.example.org/wide.png"] = page(b"no picture", "image/png")
    network.answers["cdn.example.org/logo.png"] = failing(404)
    post = written(URL)
    jobs_queue.run()
    assert ">S</span>" in rehearsal.preview(post).web_html
    assert db.session.scalars(select(Media)).all() == []


def test_a_picture_of_a_billion_pixels_is_none(network: Network, jobs_queue: JobQueue) -> None:
    bomb = BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")
    network.answers["cdn.example.org/wide.png"] = page(bomb.getvalue(), "image/png")
    written(URL)
    jobs_queue.run()
    assert (only().state, only().image) == (SnapshotState.READ, None)


def test_pictures_are_drawn_anew(network: Network, jobs_queue: JobQueue) -> None:
    tail = b"<script>alert(1)</script>"
    network.answers["cdn.example.org/wide.png"] = page(png(2400, 1260, "JPEG") + tail, "image/jpeg")
    written(URL)
    jobs_queue.run()
    image = only().image
    assert image
    assert (image.width, image.height) == (1104, 580)
    assert tail not in b"".join(content for file in image.files if (content := storage.get(file.name)))


HOSTILE = """
<meta property="og:title"
  content="&lt;img src=x onerror=alert(1)&gt;Ink \u202egnp\x1b {name|you} __UNSUBSCRIBE_URL__">
<meta property="og:site_name" content="&quot;><b>Ink</b>"><meta name="author" content="javascript:alert(1)">
<meta property="og:description" content="```\n:::\n:::html\n<script>alert(1)</script>\n:::">
<meta property="og:image" content="javascript:alert(1)"><link rel=icon href="data:image/png;base64,AAAA">"""


def test_hostile_words_of_a_page_are_words_in_every_rendering(network: Network, jobs_queue: JobQueue) -> None:
    network.answers["ink.example.org/drying"] = page(HOSTILE.encode())
    post = written(URL)
    jobs_queue.run()
    seen = rehearsal.preview(post)

    assert seen.problems == []
    for rendering in (seen.html, seen.web_html):
        assert "<img src=x" not in rendering
        assert "<script" not in rendering
        assert "<b>" not in rendering
        assert 'href="javascript' not in rendering
    for rendering in (seen.html, seen.web_html, seen.text):
        assert "\u202e" not in rendering
        assert "__UNSUBSCRIBE_URL__" in rendering.replace("&#95;", "_")
        assert "{name|you}" in rendering


def test_a_card_written_out_says_the_same(network: Network, jobs_queue: JobQueue) -> None:
    network.answers["ink.example.org/drying"] = page((PAGE + HOSTILE).encode())
    body = f"One.[^1]\n\n{URL}\n\n:::note\n{URL}\n:::\n\n<{URL}>\n\n[^1]: Two.\n\n    {URL}"
    post = written(body)
    jobs_queue.run()
    before = rehearsal.preview(post)

    publishing.write_out(post, only(), user_id=None)
    db.session.commit()

    after = content.latest_revision(post).source
    assert after.count(":::card") == 3
    assert f"<{URL}>" in after
    assert rehearsal.preview(post) == before
    assert emails.lonely_links(content.post_content(post).document) == {}


def test_a_link_that_is_not_in_the_text_cannot_be_written_out(network: Network, jobs_queue: JobQueue) -> None:
    post = written(URL)
    jobs_queue.run()
    written("No more.", post=post)
    with pytest.raises(NotFound):
        publishing.write_out(post, only(), user_id=None)


def test_what_a_film_house_says_by_oembed_comes_before_its_page(
    network: Network, jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfurling, "oembed_of", lambda url: "http://films.example.org/oembed")
    network.answers = {
        "films.example.org/abc": page(b"<title>Before you go on</title><meta name=description content='On a press.'>"),
        "films.example.org/oembed": page(
            b'{"title":"The press","author_name":"Ida","provider_name":"FilmHouse"}', "application/json"
        ),
    }
    written("http://films.example.org/abc")
    jobs_queue.run()
    assert (only().title, only().author, only().publication) == ("The press", "Ida", "FilmHouse")
    assert only().excerpt == "On a press."


def test_what_a_page_leaves_out_its_oembed_adds(network: Network, jobs_queue: JobQueue) -> None:
    head = b"<title>On ink</title><link type=application/json+oembed href=/said?format=json&#38;a=b>"
    network.answers = {
        "ink.example.org/drying": page(head),
        "ink.example.org/said?format=json&a=b": page(b'{"title":"Other","author_name":"Ida"}', "application/json"),
    }
    written(URL)
    jobs_queue.run()
    assert (only().title, only().author) == ("On ink", "Ida")


def test_a_page_whose_oembed_leads_inside_is_read_without_it(network: Network, jobs_queue: JobQueue) -> None:
    network.names["inside.example.org"] = [["192.168.1.1"]]
    head = b"<title>On ink</title><link type=application/json+oembed href=http://inside.example.org/said>"
    network.answers = {"ink.example.org/drying": page(head)}
    written(URL)
    jobs_queue.run()
    assert only().title == "On ink"
    assert network.dialled == ["93.184.215.14:80"]


def test_a_page_that_ends_whoever_reads_it_is_given_up(
    network: Network, jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(URL)
    jobs_queue.waiting.clear()
    claims = 0
    while snapshots.claim(only().id):  # and whoever claimed it dies
        claims += 1
        assert claims < 20
        only().next_try_at = clock.now()
        db.session.commit()

    assert claims == len(snapshots.PAUSES) + 1
    assert (only().state, only().next_try_at) == (SnapshotState.FAILED, None)
    assert snapshots.due() == []


def test_an_address_too_long_to_be_asked_is_left_a_link(network: Network, jobs_queue: JobQueue) -> None:
    long = f"http://ink.example.org/{''.join(f'{number:x}' for number in range(3000))}"
    post = written(long)
    jobs_queue.run()

    assert db.session.scalars(select(LinkSnapshot)).all() == []
    link_checks.check(post.id)
    assert network.dialled == []
