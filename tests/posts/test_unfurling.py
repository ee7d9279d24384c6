"""What pages say of themselves, and what is made of it. The pages are ours, written as those houses write theirs."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.posts import unfurling
from newsletter.posts.markup_of_pages import decoded
from newsletter.posts.strangers_words import cut, day, of_one_line, web_address
from newsletter.posts.unfurling import Found

HERE = "https://ink.example.org/p/drying"
POSTLIKE = """<!doctype html><html lang=en><head><meta charset="utf-8">
<title data-rh="true">On drying ink - by Ida Field - Slow Ink</title>
<link rel="icon" sizes="16x16" href="https://cdn.example.org/small.png">
<link rel="apple-touch-icon" sizes="57x57" href="https://cdn.example.org/57.png">
<link rel="apple-touch-icon" sizes="180x180" href="https://cdn.example.org/180.png">
<link rel="shortcut icon" href="/favicon.ico"><link rel="icon" type="image/svg+xml" href="/icon.svg">
<meta property="og:title" content="On drying ink"><meta property="og:type" content="article">
<meta property="og:description" content="It dries as it likes."><meta name="author" content="Ida Field">
<meta property="og:image" content="https://cdn.example.org/image/fetch/w_1200/cover.jpg">
<script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle",
"url":"https://ink.example.org/p/drying","headline":"On drying ink","description":"It dries as it likes.",
"image":[{"@type":"ImageObject","url":"https://cdn.example.org/cover.jpg"}],"datePublished":"2026-05-03T07:00:12+00:00",
"author":[{"@type":"Person","name":"Ida Field","url":"https://x.example.org"},{"@type":"Person","name":"Ben Quist"}],
"publisher":{"@type":"Organization","name":"Slow Ink","logo":{"@type":"ImageObject","contentUrl":"/logo.png"}}}
</script></head><body><h1>On drying ink</h1></body></html>"""
BLOGLIKE = """<html><head><title>Drying &#8211; The Quay</title>
<meta property="og:locale" content="en_IE" /><meta property="og:title" content="Drying &#8211; The Quay &amp; Co" />
<meta property="article:published_time" content="2026-02-01T23:30:00-05:00" />
<link rel="alternate" type="application/json+oembed" href="https://ink.example.org/wp-json/embed?url=a&#038;b" />
<script type="application/ld+json">{"@context":"https://schema.org","@graph":[
{"@type":["Article","BlogPosting"],"@id":"https://ink.example.org/#article","isPartOf":{"@id":"https://ink.example.org/p"},
 "author":{"name":"Ada Osei","@id":"https://ink.example.org/#person"},"headline":"Drying &#8211; slowly",
 "datePublished":"2026-02-01T23:30:00-05:00","publisher":{"@id":"https://ink.example.org/#house"},
 "image":{"@id":"https://ink.example.org/#image"}},
{"@type":"WebPage","@id":"https://ink.example.org/p","name":"Drying - The Quay"},
{"@type":"ImageObject","@id":"https://ink.example.org/#image","url":"//cdn.example.org/a.jpg","contentUrl":"x"},
{"@type":"Organization","@id":"https://ink.example.org/#house","name":"The Quay","logo":{"@id":"https://ink.example.org/#l"}},
{"@type":"ImageObject","@id":"https://ink.example.org/#l","contentUrl":"https://cdn.example.org/logo.png"}]}</script>
</head></html>"""
FILMLIKE = """<html><head><title>- FilmHouse</title><meta name="title" content="The press at work">
<meta property="og:site_name" content="FilmHouse"><meta property="og:title" content="The press at work">
<meta property="og:image" content="https://i.example.org/vi/abc/max.jpg"></head><body>
<div itemscope itemtype="http://schema.org/VideoObject"></div>
<script type="application/ld+json">{"@type":"http://schema.org/VideoObject","name":"The press at work",
"uploadDate":"2026-04-05",
"thumbnailUrl":["https://i.example.org/vi/abc/hq.jpg"],"description":"Ink, and a lever."}</script>
</body></html>"""
TOOTLIKE = """<!DOCTYPE html><html><head><meta charset='utf-8'><meta content='Social Example' property='og:site_name'>
<meta content='Ida Field (@ida@social.example.org)' property='og:title'>
<meta content='I have read this letter twice.

And once more.' property='og:description'><meta content='2026-06-01T10:00:00Z' property='og:article:published_time'>
<meta content='https://files.example.org/avatars/ida.png' property='og:image'></head></html>"""


def read(page: str | bytes, url: str = HERE, charset: str = "") -> Found:
    return unfurling.read(page if isinstance(page, bytes) else page.encode(), url, charset)


def test_a_letter_published_as_by_substack() -> None:
    assert read(POSTLIKE) == Found(
        title="On drying ink",
        publication="Slow Ink",
        excerpt="It dries as it likes.",
        author="Ida Field, Ben Quist",
        date=date(2026, 5, 3),
        image="https://cdn.example.org/cover.jpg",
        logo="https://ink.example.org/logo.png",
    )


def test_a_blog_as_by_wordpress_whose_parts_name_each_other() -> None:
    found = read(BLOGLIKE)
    assert found == Found(
        title="Drying – slowly",
        publication="The Quay",
        author="Ada Osei",
        date=date(2026, 2, 1),  # as it was where it was written
        image="https://cdn.example.org/a.jpg",
        logo="https://cdn.example.org/logo.png",
    )
    assert found.oembed == "https://ink.example.org/wp-json/embed?url=a&b"


def test_a_film_as_by_youtube() -> None:
    found = read(FILMLIKE, "https://www.youtube.com/watch?v=abc")
    assert (found.title, found.publication, found.date) == ("The press at work", "FilmHouse", date(2026, 4, 5))
    assert found.image == "https://i.example.org/vi/abc/hq.jpg"
    assert found.oembed == (
        "https://www.youtube.com/oembed?format=json&url=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3Dabc"
    )


def test_a_short_post_as_by_mastodon() -> None:
    assert read(TOOTLIKE) == Found(
        title="Ida Field (@ida@social.example.org)",
        publication="Social Example",
        excerpt="I have read this letter twice. And once more.",
        date=date(2026, 6, 1),
        image="https://files.example.org/avatars/ida.png",
    )


def test_the_best_drawing_of_a_house_is_taken_and_no_ico_or_svg() -> None:
    without_json = POSTLIKE.replace("application/ld+json", "text/plain")
    assert read(without_json).logo == "https://cdn.example.org/180.png"
    assert read("<link rel=icon href=/a.svg><link rel='shortcut icon' href=/favicon.ico?x>").logo == ""


def test_a_page_with_nothing_but_a_heading() -> None:
    found = read("<body><svg><title>Menu</title></svg><h1>On <i>ink</i>\n &amp; water</h1><p>Words.")
    assert found == Found(title="On ink & water", publication="ink.example.org")


@pytest.mark.parametrize("page", [b"", b"\0\0", b"\xff\xfe", b"<", b"no page at all", b"<!-- -->", b"%PDF-1.7"])
def test_a_page_that_says_nothing_has_its_host_for_a_title(page: bytes) -> None:
    found = read(page, "https://www.ink.example.org/")
    assert (found.title, found.publication) == ("ink.example.org", "ink.example.org")


def test_what_oembed_says() -> None:
    said = b"""{"version":"1.0","type":"video","title":"The press","author_name":"Ida","provider_name":"FilmHouse",
    "thumbnail_url":"https://i.example.org/hq.jpg","html":"<iframe src='https://evil.example.org'></iframe>"}"""
    assert unfurling.read_oembed(said, HERE) == Found(
        title="The press", author="Ida", publication="FilmHouse", image="https://i.example.org/hq.jpg"
    )


@pytest.mark.parametrize("said", [b"", b"[]", b"null", b"<oembed/>", b'{"title": 3}', b"[" * 100_000, b"\xff"])
def test_an_oembed_that_is_none_says_nothing(said: bytes) -> None:
    assert unfurling.read_oembed(said, HERE) == Found()


@pytest.mark.parametrize(
    ("page", "charset", "title"),
    [
        ("<title>Tinte läuft</title>".encode(), "", "Tinte läuft"),
        ("<title>Tinte läuft</title>".encode("latin-1"), "iso-8859-1", "Tinte läuft"),
        ("<title>Tinte “läuft”</title>".encode("cp1252"), "", "Tinte “läuft”"),
        ('<meta charset="windows-1251"><title>Чернила</title>'.encode("cp1251"), "", "Чернила"),
        (
            '<meta http-equiv=Content-Type content="text/html; charset=shift_jis"><title>墨</title>'.encode("sjis"),
            "",
            "墨",
        ),
        ("<title>墨</title>".encode("euc-jp"), "euc-jp", "墨"),
        ("\ufeff<title>墨</title>".encode("utf-16-le"), "", "墨"),
        ("<title>墨</title>".encode(), "klingon", "墨"),
        ("<title>墨</title>".encode(), "base64", "墨"),
    ],
)
def test_encodings_as_browsers_take_them(page: bytes, charset: str, title: str) -> None:
    assert read(page, charset=charset).title == title


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<script>alert(1)</script>Ink", "alert(1) Ink"),
        ("&lt;img src=x onerror=alert(1)&gt;Ink", "Ink"),
        ("Ink\r\nBcc: all@example.org", "Ink Bcc: all@example.org"),
        ("\u202egnp.exe\u2066", "gnp.exe"),
        ("I\u200bn\u00adk\ufeff\x00\x1b[31m", "Ink[31m"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("\ue000\U000e0041Ink\ud800", "Ink"),
        ("3 < 5 and 5 > 3", "3 < 5 and 5 > 3"),
        ("👩\u200d👩\u200d👧 می\u200cخواهم", "👩\u200d👩\u200d👧 می\u200cخواهم"),
    ],
)
def test_hostile_words_are_only_words(said: str, shown: str) -> None:
    assert of_one_line(said, 200) == shown


@pytest.mark.parametrize("said", [None, 3, [], {}, {"@value": "x"}, True])
def test_what_is_not_words_is_nothing(said: object) -> None:
    assert of_one_line(said, 200) == ""
    assert web_address(said, HERE) == ""
    assert day(said) is None


@pytest.mark.parametrize(
    "place",
    [
        *("javascript:alert(1)", "data:image/png;base64,AAAA", "file:///etc/passwd", "ftp://a.example.org/", "http://"),
        *(
            "https://a:b@c.example.org/",
            'https://a.example.org/"onerror=',
            "https://a.example.org/\u202egnp",
            "http://[",
        ),
        "https://a.example.org/" + "a" * 3000,
    ],
)
def test_hostile_addresses_are_none(place: str) -> None:
    assert web_address(place, HERE) == ""


def test_addresses_are_made_whole() -> None:
    assert web_address("/a.png", HERE) == "https://ink.example.org/a.png"
    assert web_address("b.png", HERE) == "https://ink.example.org/p/b.png"
    assert web_address("//cdn.example.org/c.png", HERE) == "https://cdn.example.org/c.png"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("2026-05-03", date(2026, 5, 3)),
        ("2026-05-03T07:00:12.345Z", date(2026, 5, 3)),
        ("2026-05-03T07:00:12+0200", date(2026, 5, 3)),
        ("2026-05-03 at noon", date(2026, 5, 3)),
        ("Sun, 03 May 2026 07:00:12 GMT", date(2026, 5, 3)),
        ("2026-13-45", None),
        ("0001-01-01", None),
        ("yesterday", None),
        ("9" * 79, None),
    ],
)
def test_days_as_pages_write_them(said: str, found: date | None) -> None:
    assert day(said) == found


def test_an_excerpt_ends_where_a_word_ends() -> None:
    assert cut("It dries as it likes, mostly.", 23) == "It dries as it likes…"
    assert cut("It dries", 8) == "It dries"
    assert cut("a" * 100, 10) == "a" * 9 + "…"


def test_long_words_of_strangers_are_bounded() -> None:
    page = f'<meta property="og:title" content="{"ink " * 90_000}"><meta name=description content="{"x" * 90_000}">'
    found = read(page)
    assert len(found.title) <= unfurling.LONGEST_TITLE
    assert len(found.excerpt) <= unfurling.LONGEST_EXCERPT


@pytest.mark.parametrize(
    "json_ld",
    [
        "{",
        "[" * 50_000,
        '{"@type":"Article","author":' * 50 + "1" + "}" * 50,
        '{"@type":"Article","@id":"a","publisher":{"@id":"a"},"author":{"@id":"b"},"image":{"@id":"a"},"headline":["x"]}',
        '{"@type":{"a":1},"headline":3}',
        '{"@type":"Article","headline":{"a":1},"publisher":[[]],"author":[[]],"image":[{}],"datePublished":[]}',
        '{"@type":"Article","publisher":"P","author":"A","image":[],"logo":{}}',
        "[" + ",".join(['{"@type":"Thing"}'] * 10_000) + "]",
    ],
)
def test_broken_and_endless_json_ld_harms_nothing(json_ld: str) -> None:
    page = f'<script type="application/ld+json">{json_ld}</script><title>Ink</title>'
    assert read(page).title == "Ink"


def test_a_deep_page_and_a_wide_page_are_read() -> None:
    assert read("<title>Ink</title>" + "<div>" * 100_000).title == "Ink"
    assert read("<title>Ink</title>" + "<link rel=icon href=x>" * 50_000).title == "Ink"


def test_a_foreign_entity_is_not_opened() -> None:
    page = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><html><title>&e;Ink</title></html>'
    )
    assert "root:" not in read(page).title


@given(st.binary(max_size=400), st.sampled_from(["", "utf-8", "utf-16", "idna", "punycode", "hex", "undefined"]))
def test_any_bytes_at_all_can_be_read(content: bytes, charset: str) -> None:
    assert decoded(content, charset) is not None
    assert read(content, charset=charset).title


@given(st.text(max_size=300))
def test_any_words_at_all_are_one_harmless_line(text: str) -> None:
    shown = of_one_line(text, 100)
    assert len(shown) <= 100
    assert "\n" not in shown
    assert shown == " ".join(shown.split())
