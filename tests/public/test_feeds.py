"""The feed: whole, valid, readable far from the site."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from lxml import etree

from newsletter.publication.models import Newsletter
from tests.public.posts import published
from tests.public.steps import tree

CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"


def test_the_feed_holds_whole_posts_with_whole_addresses(client: FlaskClient, weekly: Newsletter) -> None:
    published(
        "On slow mail & fast “feet”",
        "Read [this](https://example.com/a).[^1]\n\n![A cat](https://letters.example.org/media/cat.png)\n\n"
        ":::subscribe Join us\n\n[^1]: Or not.\n",
        authors="[Mara]",
        tags="[mail]",
        slug="on-slow-mail",
    )

    answer = client.get("/feed.xml")
    (item,) = etree.fromstring(answer.data).iter("item")

    assert answer.content_type == "application/rss+xml; charset=utf-8"
    assert item.findtext("title") == "On slow mail & fast “feet”"
    assert item.findtext("guid") == "http://letters.example.org/p/on-slow-mail"
    assert item.findtext("pubDate") == "Sun, 22 Nov 2026 08:00:00 GMT"
    body = tree(f"<div>{item.findtext(CONTENT)}</div>")
    addresses = [*body.xpath("//@href"), *body.xpath("//@src")]
    assert len(addresses) == 4
    assert all(urlsplit(address).netloc for address in addresses)
    assert "Join us" not in body.text_content()  # who reads the feed is no stranger


def test_the_feed_survives_characters_that_xml_forbids(client: FlaskClient, weekly: Newsletter) -> None:
    published("Bell", "A bell \x07 rings, and ]]> closes.")

    (item,) = etree.fromstring(client.get("/feed.xml").data).iter("item")
    assert "rings, and ]]&gt; closes" in (item.findtext(CONTENT) or "")


def test_a_feed_reader_that_has_it_all_gets_nothing(client: FlaskClient, weekly: Newsletter) -> None:
    published("On slow mail")
    first = client.get("/feed.xml")

    assert client.get("/feed.xml", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert client.get("/feed.xml", headers=since).status_code == 304


def test_the_feed_holds_the_newest_twenty(client: FlaskClient, weekly: Newsletter) -> None:
    for day in range(1, 26):
        published(f"Letter {day}", at=datetime(2026, 1, day, tzinfo=UTC))

    items = list(etree.fromstring(client.get("/feed.xml").data).iter("item"))

    assert [items[0].findtext("title"), items[-1].findtext("title")] == ["Letter 25", "Letter 6"]
