"""The publication on the web."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from lxml import etree

from newsletter.db import db
from newsletter.posts import publishing
from newsletter.posts.models import PostStatus
from newsletter.publication.models import Newsletter
from tests import factories
from tests.public.posts import published
from tests.public.steps import tree

SECRET = "the-word-that-only-readers-may-know"


def test_the_front_page_shows_the_form_and_the_latest_posts(client: FlaskClient, weekly: Newsletter) -> None:
    weekly.publication.tagline = "Notes on how words travel"
    for number in range(9):
        published(f"Letter {number}", at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number))

    page = client.get("/").text

    assert "Notes on how words travel" in page
    assert page.index('action="/subscribe"') < page.index("Letter 8") < page.index("Letter 2")
    assert "Letter 1<" not in page
    assert "All issues in the archive" in page


def test_an_empty_publication_says_what_will_come(client: FlaskClient, weekly: Newsletter) -> None:
    assert "The first issue is still being written." in client.get("/").text
    assert "Nothing has been published yet." in client.get("/archive").text
    assert client.get("/feed.xml").status_code == 200


def test_a_publication_without_newsletters_has_no_form(client: FlaskClient) -> None:
    factories.publication()
    db.session.commit()

    for path in ("/", "/subscribe", "/embed", "/embed/form", "/archive"):
        page = client.get(path)
        assert page.status_code == 200
        assert 'action="/subscribe"' not in page.text


def test_the_archive_goes_by_months_of_the_publication_and_by_pages(client: FlaskClient, weekly: Newsletter) -> None:
    published("New year in Berlin", at=datetime(2025, 12, 31, 23, 30, tzinfo=UTC))
    for number in range(60):
        published(f"Letter {number}", at=datetime(2025, 12, 1, tzinfo=UTC) - timedelta(days=number))

    first = tree(client.get("/archive").text)
    assert first.xpath("//h2/text()")[:2] == ["January 2026", "December 2025"]
    (older,) = first.xpath("//a[@rel='next']/@href")
    second = tree(client.get(older).text)

    titles = [title.xpath("string()") for page in (first, second) for title in page.xpath("//h3")]
    assert len(titles) == len(set(titles)) == 61
    assert client.get("/archive?before=nonsense").status_code == 200


def test_a_post_has_its_words_its_writer_and_its_day(client: FlaskClient, weekly: Newsletter) -> None:
    published(
        "On slow mail",
        "Read *this* twice.[^1]\n\n[^1]: Or not.\n",
        subtitle="A defence",
        authors="[Mara, Jordan]",
        slug="on-slow-mail",
    )

    page = tree(client.get("/p/on-slow-mail").text)

    assert page.xpath("//h1/text()") == ["On slow mail"]
    assert "By Mara, Jordan" in page.xpath("string(//header[@class='post-head'])")
    assert page.xpath("//time/@datetime") == ["2026-11-22"]
    assert page.xpath("//em/text()") == ["this"]
    assert page.xpath("//a[@role='doc-noteref']/@href") == ["#fn-1"]
    assert page.xpath("//li[@id='fn-1']//a[@role='doc-backlink']/@href") == ["#fnref-1"]
    assert len(page.xpath("//form[@action='/subscribe']")) == 1
    described = json.loads(page.xpath("string(//script[@type='application/ld+json'])"))
    assert [author["name"] for author in described["author"]] == ["Mara", "Jordan"]
    assert page.xpath("//link[@rel='canonical']/@href") == ["http://letters.example.org/p/on-slow-mail"]


def test_posts_of_a_series_and_neighbours_lead_to_each_other(client: FlaskClient, weekly: Newsletter) -> None:
    day = datetime(2026, 11, 1, tzinfo=UTC)
    published("First", series="Reading", number="1", at=day)
    published("Between", at=day + timedelta(days=1))
    published("Second", series="Reading", number="2", at=day + timedelta(days=2))

    page = tree(client.get("/p/second").text)

    assert page.xpath("//nav[@class='series']//a/@href") == ["/p/first"]
    assert page.xpath("//nav[@class='neighbours']//a/@href") == ["/p/between"]


@pytest.mark.parametrize("status", [PostStatus.DRAFT, PostStatus.SCHEDULED])
def test_what_is_not_published_is_not_there(client: FlaskClient, weekly: Newsletter, status: PostStatus) -> None:
    post = published("On slow mail")
    post.status = status
    db.session.commit()

    for path in ("/p/on-slow-mail", "/p/on-slow-mail/share"):
        assert client.get(path).status_code == 404
    for path in ("/", "/archive", "/feed.xml", "/sitemap.xml"):
        assert "slow-mail" not in client.get(path).text


def test_what_is_in_the_trash_is_not_there(client: FlaskClient, weekly: Newsletter) -> None:
    publishing.trash(published("On slow mail"))
    db.session.commit()

    assert client.get("/p/on-slow-mail").status_code == 404
    assert "slow-mail" not in client.get("/feed.xml").text


@pytest.mark.parametrize("audience", ["subscribers", "paying"])
def test_no_word_of_a_post_for_readers_leaks_to_visitors(
    client: FlaskClient, weekly: Newsletter, audience: str
) -> None:
    published("On slow mail", f"{SECRET} [a link](https://{SECRET}.example)", audience=audience)
    published("Another", at=datetime(2026, 11, 23, tzinfo=UTC))

    paths = ["/", "/archive", "/p/on-slow-mail", "/p/another", "/p/on-slow-mail/share", "/feed.xml", "/sitemap.xml"]
    for path in paths:
        assert SECRET not in client.get(path).text

    page = client.get("/p/on-slow-mail").text
    assert "This issue is for" in page
    assert '"isAccessibleForFree": false' in page


def test_words_of_authors_and_readers_are_never_markup(client: FlaskClient, weekly: Newsletter) -> None:
    attack = "</script><script>alert(1)</script>"
    weekly.publication.name = weekly.name = weekly.description = weekly.publication.tagline = attack
    weekly.publication.postal_address = attack
    published(
        f"'{attack}'", attack, slug="attack", subtitle=f"'{attack}'", authors=f"['{attack}']", tags=f"['{attack}']"
    )

    for path in ("/", "/archive", "/p/attack", "/p/attack/share", "/subscribe", "/embed", "/embed/form"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "</script><script" not in page
    etree.fromstring(client.get("/feed.xml").data)
    etree.fromstring(client.get("/sitemap.xml").data)


def test_an_unchanged_post_is_not_sent_twice(client: FlaskClient, weekly: Newsletter) -> None:
    post = published("On slow mail")
    first = client.get("/p/on-slow-mail")

    again = client.get("/p/on-slow-mail", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Last-Modified"]

    publishing.write("---\ntitle: On slow mail\n---\n\nChanged.\n", post=post)
    db.session.commit()
    assert client.get("/p/on-slow-mail", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_an_edit_gone_wrong_takes_no_published_page_away(client: FlaskClient, weekly: Newsletter) -> None:
    post = published("On slow mail", "Good words.")
    publishing.write("---\ntitle: On slow mail\n---\n\n:::card\nnothing: of use\n", post=post)
    db.session.commit()

    for path in ("/p/on-slow-mail", "/feed.xml", "/"):
        assert client.get(path).status_code == 200
    assert "Good words." in client.get("/p/on-slow-mail").text


def test_the_accent_can_be_read_in_both_schemes(client: FlaskClient, weekly: Newsletter) -> None:
    import emails

    weekly.publication.accent = "#ffee00"
    db.session.commit()

    light, dark = re.findall(r"--accent: (#[0-9a-f]{6})", client.get("/theme.css").text)

    for ground in ("#fffdf9", "#ffffff", "#f4f1eb"):
        assert emails.contrast(light, ground) >= 4.5
    for ground in ("#171614", "#1e1d1a", "#121110"):
        assert emails.contrast(dark, ground) >= 4.5


def test_every_page_is_light(client: FlaskClient, weekly: Newsletter) -> None:
    published("On slow mail", "A paragraph of some length, said again and again. " * 200)

    static = Path(client.application.static_folder or "")
    around = sum((static / name).stat().st_size for name in ("tokens.css", "public.css", "notes.js"))
    for path in ("/", "/archive", "/p/on-slow-mail"):
        assert len(client.get(path).data) + around < 50_000


def test_crawlers_are_told_where_not_to_go(client: FlaskClient, weekly: Newsletter) -> None:
    rules = client.get("/robots.txt").text

    assert "Disallow: /leave" in rules
    assert "Disallow: /preferences" in rules
    assert "Sitemap: http://letters.example.org/sitemap.xml" in rules


@pytest.mark.usefixtures("app")
def test_before_there_is_a_publication_each_page_says_what_to_do(client: FlaskClient) -> None:
    for address in ("/", "/archive", "/subscribe", "/support", "/feed.xml", "/theme.css", "/sitemap.xml"):
        response = client.get(address)

        assert response.status_code == 404, address
        assert "newsletter create-owner" in response.text
    assert client.get("/robots.txt").status_code == 200
